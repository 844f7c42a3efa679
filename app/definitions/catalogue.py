"""What is published at one moment, and what a case of one kind and region starts with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from app.definitions.files import AT_COUNTER, COMMON, DECISION, FORM, PARAMETERS, PROCESS, RULES, SHARED, Key
from app.definitions.words import speaks
from app.engine.describe import ProcessDescription, describe
from app.errors import NotFound


class DefinitionMissing(NotFound):
    """Nothing is published under this name, for the region or province-wide."""

    def __init__(self, kind: str, name: str, region: str, needed_by: str = "") -> None:
        by = f", needed by {needed_by}" if needed_by else ""
        super().__init__(f"no {kind} {name} is published for region {region or '(all)'}{by}")
        self.kind = kind
        self.name = name
        self.region = region


@dataclass(frozen=True)
class Version:
    """One published version; two with the same content under the same key are equal."""

    key: Key
    sha256: str
    id: int = field(compare=False)
    number: int = field(compare=False)
    content: bytes = field(compare=False, repr=False)

    @cached_property
    def description(self) -> ProcessDescription:
        """What a process's diagram asks for. Raises: DefinitionInvalid."""
        return describe(self.content, self.key.path)


class Catalogue:
    """The published versions of one moment; a region's own file wins over the province-wide one."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self.versions = {version.key: version for version in versions}

    def find(self, kind: str, name: str, region: str) -> Version | None:
        """Find what holds in a region under a name."""
        own = self.versions.get(Key(kind, name, region))
        return own if own is not None else self.versions.get(Key(kind, name))

    def get(self, kind: str, name: str, region: str, needed_by: str = "") -> Version:
        """Return what holds in a region under a name. Raises: DefinitionMissing."""
        found = self.find(kind, name, region)
        if found is None:
            raise DefinitionMissing(kind, name, region, needed_by)
        return found

    def regions(self) -> list[str]:
        """List the regions that have parameters, by code."""
        return sorted(key.region for key in self.versions if key.kind == PARAMETERS and key.region)

    def parameters(self, region: str) -> tuple[Version, Version]:
        """Return a region's parameters and the common ones. Raises: DefinitionMissing."""
        own = self.versions.get(Key(PARAMETERS, region, region))
        if own is None:
            raise DefinitionMissing(PARAMETERS, region, region)
        return own, self.get(PARAMETERS, COMMON, "")

    def collect(self, kind: str, region: str, *, at_counter: bool = False) -> list[Version]:
        """List everything that a case of this kind and region uses: processes, decisions, forms.

        Shape: the process itself first, then what it calls, in turn; shared form documents last. The table
        `<kind>_rules`, where there is one, is asked by the check of the form. A case
        filed at the counter also holds what forms ask in addition there.
        Raises: DefinitionMissing, DefinitionInvalid.
        """
        found: dict[Key, Version] = {}
        waiting = [(PROCESS, kind, "")]
        while waiting:
            what, name, needed_by = waiting.pop(0)
            version = self.get(what, name, region, needed_by)
            if version.key in found:
                continue
            found[version.key] = version
            if what == PROCESS:
                waiting.extend(_needs(version))
        rules = self.find(DECISION, kind + RULES, region)
        if rules is not None:
            found[rules.key] = rules
        own = self.find(FORM, AT_COUNTER, region) if at_counter else None
        if own is not None:
            found[own.key] = own
        return [*found.values(), *self._shared(region)]

    def forms(self, region: str) -> tuple[Version, ...]:
        """List the forms of a region that may bring words along, by name."""
        names = sorted({key.name for key in self.versions if key.kind == FORM and speaks(key.name)})
        return tuple(version for name in names if (version := self.find(FORM, name, region)) is not None)

    def _shared(self, region: str) -> list[Version]:
        names = sorted(
            {key.name for key in self.versions if key.kind == FORM and key.name.startswith(SHARED)}
        )
        return [version for name in names if (version := self.find(FORM, name, region)) is not None]


def _needs(process: Version) -> Iterator[tuple[str, str, str]]:
    described = process.description
    for kind, names in (
        (PROCESS, described.called),
        (DECISION, described.decisions),
        (FORM, described.forms),
    ):
        for name in sorted(names):
            yield kind, name, process.key.path
