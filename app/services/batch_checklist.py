"""The materials of a whole batch as a page shows them: everybody with the items, what is missing first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.definitions.current import get_bundle, parameters
from app.domain.file_matching import normal
from app.domain.identity import normalise
from app.domain.parameters import ParameterSet
from app.formspec.form import Form
from app.services.actors import Actor
from app.services.batch_members import Member
from app.services.imports import get_batch
from app.services.material_needs import FORM, Need, needs_from
from app.store import batch_people as store
from app.store.batch_people import BatchFileRow, Given
from app.store.crypto import blind, decrypt_json
from app.store.imports import BatchRow
from app.store.materials import JOINING, READY, RECEIVED, REFUSED
from app.store.queries import batch_checklist as queries
from app.store.queries.batch_checklist import COMPLETE, MISSING, PAST, STATES, Line, People

__all__ = [
    "COMPLETE", "MISSING", "PAST", "Checklist", "Cursor", "Page", "PersonLine", "Review", "checklist",
    "count_waiting", "page_of", "people_of", "review",
]  # fmt: skip

PAGE_PEOPLE = 50
PAGE_FILES = 50
# counting stops here
MOST_COUNTED = 1000
# with more people than this nobody looks for a name in a list of suggestions
SUGGESTED_PEOPLE = 300
CHOICES = 12
Cursor = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item of one person: how many usable documents there are, and whether one was refused."""

    need: Need
    given: int
    refused: int
    being_checked: int

    @property
    def missing(self) -> bool:
        return bool(self.refused) or (self.need.required and not self.given)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a batch; `state` is missing, complete, or past (no longer in the employer's hands)."""

    member: Member
    items: Sequence[ItemLine]
    state: str

    @property
    def field(self) -> str:
        """Where refusals about the person stand on the page."""
        return f"person_{self.member.person.row_number}"


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A document that belongs to nobody yet, with the people it may be of."""

    row: BatchFileRow
    choices: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a batch's people; the cursors lead to its neighbours, None where there is none."""

    lines: Sequence[PersonLine]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """A page of a batch's people with what stands around it.

    `counts` are by state and stop at MOST_COUNTED; `files` are the oldest unmatched ones of `file_count`.
    """

    batch: BatchRow
    page: Page
    counts: Mapping[str, int]
    found: int
    items: Mapping[str, Need]
    files: Sequence[HeldFile]
    file_count: int
    suggestions: Sequence[Member]
    max_megabytes: int
    being_checked: bool

    @property
    def lines(self) -> Sequence[PersonLine]:
        return self.page.lines

    @property
    def waiting(self) -> int:
        """How many people are still in the employer's hands; stops at MOST_COUNTED."""
        return min(self.counts[MISSING] + self.counts[COMPLETE], MOST_COUNTED)


def checklist(
    actor: Actor,
    batch_id: int,
    now: datetime,
    state: str = "",
    search: str = "",
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Checklist:
    """Return one page of a batch's people, what is missing first. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    rules, everybody = parameters(batch.region), people_of(batch)
    counts = {each: queries.count_people(everybody, each, MOST_COUNTED) for each in STATES}
    states = [state] if state in STATES else STATES
    wanted = people_of(batch, search, everybody.needs) if search else everybody
    found = counts if wanted is everybody else _counts(wanted, states)
    files = store.list_files(batch_id, limit=PAGE_FILES)
    meant = {each for row in files for each in row.candidates}
    named = _members(queries.list_chosen(everybody, meant), rules)
    waiting = counts[MISSING] + counts[COMPLETE]
    return Checklist(
        batch=batch,
        page=page_of(wanted, rules, states, after, before),
        counts=counts,
        found=min(sum(found[each] for each in states), MOST_COUNTED),
        items=_items(everybody, rules),
        files=[_held(row, named) for row in files],
        file_count=len(files) if len(files) < PAGE_FILES else store.count_files(batch_id),
        suggestions=_suggested(everybody, rules) if waiting <= SUGGESTED_PEOPLE else (),
        max_megabytes=rules.integer("material.max_megabytes", now),
        being_checked=queries.is_checking(batch_id),
    )


def people_of(batch: BatchRow, search: str = "", needs: Mapping[str, queries.Items] | None = None) -> People:
    """The people of a batch who are looked for; `needs` where they were read already."""
    text = normal(search)
    return People(
        batch.id,
        FORM,
        queries.list_needs(batch.id) if needs is None else needs,
        text,
        blind(normalise(search)) if text else None,
    )


def count_waiting(actor: Actor, batch_id: int) -> int:
    """How many people of a batch are still in the employer's hands. Raises: NotFound, Forbidden."""
    people = people_of(get_batch(actor, batch_id))
    return sum(queries.count_people(people, state) for state in (MISSING, COMPLETE))


def page_of(
    people: People,
    rules: ParameterSet,
    states: Collection[str],
    after: Cursor | None = None,
    before: Cursor | None = None,
    limit: int | None = None,
) -> Page:
    """Read one page of people with their items."""
    limit = limit or PAGE_PEOPLE
    found = queries.list_people(people, states, after=after, before=before, limit=limit + 1)
    more = len(found) > limit
    found = found[-limit:] if before is not None else found[:limit]
    earlier = more if before is not None else after is not None
    later = before is not None or more
    return Page(
        _lines(found, rules),
        found[0].cursor if found and earlier else None,
        found[-1].cursor if found and later else None,
    )


def _counts(people: People, states: Collection[str]) -> dict[str, int]:
    return {each: queries.count_people(people, each, MOST_COUNTED) for each in states}


def _members(people: Sequence[store.BatchPerson], rules: ParameterSet) -> list[Member]:
    return [Member(person, needs_from(person.facts, rules)) for person in people]


def _suggested(people: People, rules: ParameterSet) -> list[Member]:
    found = queries.list_people(people, (MISSING, COMPLETE), limit=SUGGESTED_PEOPLE)
    return sorted(_members([line.person for line in found], rules), key=lambda each: each.person.row_number)


def _items(people: People, rules: ParameterSet) -> dict[str, Need]:
    """Every item that somebody needs, by code."""
    sets = [needs_from({"materials": items}, rules) for items in people.needs.values()]
    return {need.code: need for needs in sets for need in needs}


@dataclass(frozen=True, slots=True)
class Review:
    """One page of what is about to be submitted: people with their forms, as read."""

    batch: BatchRow
    rules: ParameterSet
    form: Form
    materials_form: Form
    page: Page
    data: Mapping[int, Mapping[str, Any]]
    total: int

    @property
    def lines(self) -> Sequence[PersonLine]:
        return self.page.lines


def review(batch: BatchRow, after: Cursor | None = None, before: Cursor | None = None) -> Review:
    """Return one page of the people of a batch that are about to be submitted."""
    bundle, rules = get_bundle(batch.bundle_id), parameters(batch.region)
    people = people_of(batch)
    page = page_of(people, rules, (MISSING, COMPLETE), after, before)
    ciphers = store.list_forms([line.member.id for line in page.lines])
    return Review(
        batch,
        rules,
        bundle.form(batch.kind),
        bundle.form(FORM),
        page,
        {each: decrypt_json(cipher) for each, cipher in ciphers.items()},
        min(sum(_counts(people, (MISSING, COMPLETE)).values()), MOST_COUNTED),
    )


def _lines(found: Sequence[Line], rules: ParameterSet) -> list[PersonLine]:
    given: dict[int, list[Given]] = {}
    for each in queries.list_given([line.person.id for line in found]):
        given.setdefault(each.declaration_id, []).append(each)
    members = _members([line.person for line in found], rules)
    return [
        _line(member, line.state, given.get(member.id, ()))
        for member, line in zip(members, found, strict=True)
    ]


def _line(member: Member, state: str, given: Sequence[Given]) -> PersonLine:
    items = [
        ItemLine(
            need,
            given=_count(given, need, READY, RECEIVED, JOINING),
            refused=_count(given, need, REFUSED),
            being_checked=_count(given, need, RECEIVED, JOINING),
        )
        for need in member.needs
    ]
    return PersonLine(member, items, state)


def _count(given: Sequence[Given], need: Need, *states: str) -> int:
    return sum(each.count for each in given if each.item == need.code and each.state in states)


def _held(row: BatchFileRow, named: Sequence[Member]) -> HeldFile:
    return HeldFile(row, [each for each in named if each.id in row.candidates][:CHOICES])
