"""The people of one batch file as its materials step sees them: what each needs, and who a name may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.definitions.current import parameters
from app.domain.file_matching import Found, Named, Names, match, normal, numbers_in
from app.domain.identity import normalise
from app.domain.parameters import ParameterSet
from app.services.material_needs import FORM, Need, needs_from
from app.store import batch_people as store
from app.store.batch_people import BatchPerson
from app.store.crypto import blind
from app.store.imports import BatchRow

EVERYBODY = "all"
_ROW = re.compile(r"(?:第\s*)?(\d{1,6})\s*行")
# what a list of suggestions adds to a name
_AFTER_NAME = re.compile(r"[\s　（(].*$")


@dataclass(frozen=True, slots=True)
class Member:
    """One accepted row with the items that its case needs; `waiting`: documents may be given for it now."""

    person: BatchPerson
    needs: tuple[Need, ...]

    @property
    def id(self) -> int:
        return self.person.id

    @property
    def waiting(self) -> bool:
        return self.person.form == FORM

    def need(self, item: str) -> Need | None:
        """The member's item of this code, if it needs it."""
        return next((need for need in self.needs if need.code == item), None)


@dataclass(frozen=True)
class Members:
    """All people of a batch, read once for a request."""

    batch: BatchRow
    rules: ParameterSet
    all: Sequence[Member]
    by_id: Mapping[int, Member] = field(default_factory=dict)

    @cached_property
    def items(self) -> dict[str, Need]:
        """Every item that somebody needs, by code, in the order of the first one who does."""
        found: dict[str, Need] = {}
        for member in self.all:
            for need in member.needs:
                found.setdefault(need.code, need)
        return found

    @cached_property
    def waiting(self) -> list[Member]:
        """Whoever documents may be given for now."""
        return [member for member in self.all if member.waiting]

    @cached_property
    def _names(self) -> Names:
        return Names.of(Named(each.id, each.person.name, each.person.id_masked[-4:]) for each in self.all)

    @cached_property
    def _by_hash(self) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = {}
        for each in self.all:
            if each.person.number_hash is not None:
                found.setdefault(each.person.number_hash, []).append(each.id)
        return found

    def match(self, file_name: str) -> Found:
        """Say whose document a file is by its name, and which item."""
        # the number itself is nowhere in the clear: its blind index is looked for
        by_number = {number: self._by_hash.get(blind(number), []) for number in numbers_in(file_name)}
        return match(
            file_name, self._names, by_number, {code: need.name for code, need in self.items.items()}
        )

    def typed(self, text: str) -> list[int]:
        """Who is meant by what somebody typed: an identity number, a row of the file, or a name."""
        text = text.strip()
        if not text:
            return []
        found = self._by_hash.get(blind(normalise(text)))
        if found:
            return found
        row = _ROW.search(text)
        if row:
            return [each.id for each in self.all if each.person.row_number == int(row[1])]
        wanted = normal(_AFTER_NAME.sub("", text)) or normal(text)
        return [each.id for each in self.all if normal(each.person.name) == wanted]


def members_of(batch: BatchRow) -> Members:
    """Read the people of a batch with what each needs."""
    rules = parameters(batch.region)
    found = [Member(person, needs_from(person.facts, rules)) for person in store.list_people(batch.id, FORM)]
    found.sort(key=lambda each: (each.person.row_number, each.id))
    return Members(batch, rules, found, {each.id: each for each in found})
