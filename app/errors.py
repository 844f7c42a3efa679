"""Errors that cross floors: each carries what an edge needs to answer in the user's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenCase:
    """The declaration that stands in the way of another one: its number, and its kind in words.

    `kept` means that it is still with the employer, so that who is told of it cannot open it.
    """

    reference: str
    kind: str
    kept: bool = False


@dataclass(frozen=True)
class FieldError:
    """One refusal: the field it stands at ("" for the whole form), a stable code and the words shown.

    `open_case` is the declaration that has to end first, where its number may be told to whoever is refused.
    """

    field: str
    code: str
    message: str
    open_case: OpenCase | None = None

    @property
    def full_message(self) -> str:
        """The words with the declaration in the way, for files and lists, where nothing can be followed."""
        if self.open_case is None:
            return self.message
        return f"{self.message}（{self.open_case.kind}，申报编号 {self.open_case.reference}）"


class WangtingError(Exception):
    """Base of every named error of the product."""


class NotFound(WangtingError):
    """The record does not exist, or lies outside the caller's row scope: an edge answers 404 to both."""


class Forbidden(WangtingError):
    """The caller is known but may not do this."""


class OwnCase(Forbidden):
    """The caller filed, submitted or decided this case before: somebody else has to; the message says so."""


class Conflict(WangtingError):
    """Somebody else was faster, or the page is stale; the message says who or what and how to go on."""


class Busy(Conflict):
    """The database did not take the action now: the very same act, a little later, will do."""


class Rejected(WangtingError):
    """Input or business rules refuse the action; nothing was changed. An edge answers 422."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(error.full_message for error in errors))
        self.errors = tuple(errors)


@dataclass
class ServiceFailure(WangtingError):
    """An effect failed for a reason that is nobody's input: rolled back and kept as an incident."""

    element_id: str
    message: str
    detail: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.element_id}: {self.message}"
