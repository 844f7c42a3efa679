"""What a check finds: a code, the field it stands at, and the figures its words need."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from app.domain.parameters import ParameterSet


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. The words come from the region's messages: see `problem_text`.

    Shape: code is a message code; field a property name of the form, '' for the whole declaration.
    """

    code: str
    field: str = ""
    params: Mapping[str, str] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: problems refuse, warnings are shown to the people who decide."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether nothing refuses."""
        return not self.problems


def problem_text(params: ParameterSet, problem: Problem) -> str:
    """Return the region's words for a finding. Raises KeyError for a code without words."""
    return params.message(problem.code).format_map(dict(problem.params))
