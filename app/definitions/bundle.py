"""The set of versions that a case keeps for its whole life, and what is compiled from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

from app.definitions.catalogue import DefinitionMissing, Version
from app.definitions.files import AT_COUNTER, DECISION, FORM, PROCESS, SHARED
from app.definitions.words import with_words
from app.domain.codes import CodeList, code_list_names
from app.domain.parameters import ParameterSet, from_documents
from app.engine.decisions import DecisionTable, describe_decision
from app.engine.describe import ProcessDescription
from app.engine.runtime import ProcessSpec, compile_process
from app.formspec.form import Form
from app.formspec.overlay import lay_over


class Bundle:
    """What instances of one kind and region start with and keep; cheap to hold, compiled on first use."""

    def __init__(
        self,
        bundle_id: int,
        kind: str,
        region: str,
        versions: Sequence[Version],
        parameter_source: Callable[[str], ParameterSet],
    ) -> None:
        self.id = bundle_id
        self.kind = kind
        self.region = region
        self.versions = tuple(sorted(versions, key=lambda version: version.key))
        self.version_ids = tuple(sorted(version.id for version in versions))
        self._parameter_source = parameter_source
        self._by_name = {(version.key.kind, version.key.name): version for version in self.versions}
        self._runnable = tuple(v for v in self.versions if v.key.kind in (PROCESS, DECISION))
        self._shared = tuple(v for v in self.versions if v.key.name.startswith(SHARED))

    @property
    def spec(self) -> ProcessSpec:
        """The compiled process; regions that use the same files share it. Raises: DefinitionInvalid."""
        return _compiled_process(self.kind, self._runnable)

    def form(self, name: str) -> Form:
        """Return a form, compiled with the region's code lists of today. Raises: DefinitionMissing."""
        parameters = self._parameter_source(self.region)
        version = self._version(FORM, name)
        return _compiled_form(version, self._by_name.get((FORM, AT_COUNTER)), self._shared, parameters)

    def form_version(self, name: str) -> Version:
        """Return the version of a form that this bundle holds. Raises: DefinitionMissing."""
        return self._version(FORM, name)

    def process_ids(self) -> list[str]:
        """List the processes inside, the kind's own first."""
        return sorted(
            (n for k, n in self._by_name if k == PROCESS), key=lambda name: (name != self.kind, name)
        )

    def description(self, process_id: str) -> ProcessDescription:
        """Return what one process's diagram contains. Raises: DefinitionMissing."""
        return self._version(PROCESS, process_id).description

    def has_decision(self, name: str) -> bool:
        """Return whether a decision table of this name came along."""
        return (DECISION, name) in self._by_name

    def diagram(self, process_id: str) -> bytes:
        """Return one process's BPMN file. Raises: DefinitionMissing."""
        return self._version(PROCESS, process_id).content

    def decide(self, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a decision table answers, so that a page can say beforehand what a process will do.

        Shape: output name -> value. Raises: DefinitionMissing, ExpressionFailed.
        """
        return _decision_table(self._version(DECISION, name)).decide(facts)

    def _version(self, kind: str, name: str) -> Version:
        version = self._by_name.get((kind, name))
        if version is None:
            raise DefinitionMissing(kind, name, self.region, f"bundle {self.id}")
        return version


class RegionCodes(Mapping[str, CodeList]):
    """Code lists by name as a region has them: its own, else the country-wide ones."""

    def __init__(self, parameters: ParameterSet) -> None:
        self._parameters = parameters

    def __getitem__(self, name: str) -> CodeList:
        return self._parameters.codes(name)

    def __iter__(self) -> Iterator[str]:
        return iter(code_list_names())

    def __len__(self) -> int:
        return len(code_list_names())


def bundle_digest(kind: str, region: str, version_ids: Sequence[int]) -> str:
    """Return the name of a set of versions: the same set for the same kind and region is made once."""
    text = f"{kind}/{region}:" + ",".join(str(version_id) for version_id in sorted(version_ids))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=64)
def compiled_parameters(region: Version, common: Version, forms: tuple[Version, ...] = ()) -> ParameterSet:
    """Compile a region's parameters over the common ones and over the words of the region's forms.

    Raises: ParameterFault, yaml.YAMLError.
    """
    documents = {version.key.name: json.loads(version.content) for version in forms}
    return from_documents(_yaml(region.content), with_words(_yaml(common.content), documents))


@lru_cache(maxsize=64)
def _compiled_process(process_id: str, versions: tuple[Version, ...]) -> ProcessSpec:
    def files(kind: str) -> dict[str, bytes]:
        return {version.key.path: version.content for version in versions if version.key.kind == kind}

    return compile_process(process_id, files(PROCESS), files(DECISION))


@lru_cache(maxsize=64)
def _decision_table(version: Version) -> DecisionTable:
    return DecisionTable(describe_decision(version.content, version.key.path))


@lru_cache(maxsize=256)
def _compiled_form(
    form: Version, at_counter: Version | None, shared: tuple[Version, ...], parameters: ParameterSet
) -> Form:
    documents = {version.key.name: json.loads(version.content) for version in shared}
    schema = json.loads(form.content)
    if at_counter is not None:
        schema = lay_over(schema, json.loads(at_counter.content))
    return Form.from_documents(form.key.name, schema, documents, RegionCodes(parameters))


def _yaml(content: bytes) -> dict[str, Any]:
    # The C reader is ten times as fast and as safe; some builds come without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(content, Loader=loader) or {}  # noqa: S506 - both loaders are the safe ones
