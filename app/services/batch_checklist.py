"""The materials of a whole batch as a page shows them: everybody with the items, what is missing first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.definitions.current import get_bundle
from app.domain.file_matching import normal
from app.formspec.form import Form
from app.services.actors import Actor
from app.services.batch_members import Member, Members, members_of
from app.services.imports import get_batch
from app.services.material_needs import FORM, Need
from app.store import batch_people as store
from app.store.batch_people import BatchFileRow, Given
from app.store.crypto import decrypt_json
from app.store.imports import BatchRow
from app.store.materials import JOINING, READY, RECEIVED, REFUSED

MISSING, COMPLETE, PAST = "missing", "complete", "past"
STATES = (MISSING, COMPLETE, PAST)
PAGE_PEOPLE = 50
# with more people than this nobody looks for a name in a list of suggestions
SUGGESTED_PEOPLE = 300
CHOICES = 12


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
class Checklist:
    """One page of a batch's people; `counts` are by state over all of them, `files` what is unmatched."""

    batch: BatchRow
    lines: Sequence[PersonLine]
    counts: Mapping[str, int]
    found: int
    page: int
    pages: int
    items: Mapping[str, Need]
    files: Sequence[HeldFile]
    suggestions: Sequence[Member]
    max_megabytes: int
    being_checked: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """How many people are still in the employer's hands."""
        return self.counts[MISSING] + self.counts[COMPLETE]


def checklist(
    actor: Actor, batch_id: int, now: datetime, state: str = "", search: str = "", page: int = 1
) -> Checklist:
    """Return one page of a batch's people, what is missing first. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    members = members_of(batch)
    lines = lines_of(members)
    counts = {each: sum(line.state == each for line in lines) for each in STATES}
    wanted = [line for line in lines if _is_wanted(line, state, search)]
    wanted.sort(key=lambda line: STATES.index(line.state))
    page, pages = _page_of(len(wanted), page)
    waiting = members.waiting
    return Checklist(
        batch=batch,
        lines=wanted[(page - 1) * PAGE_PEOPLE : page * PAGE_PEOPLE],
        counts=counts,
        found=len(wanted),
        page=page,
        pages=pages,
        items=members.items,
        files=[_held(row, members) for row in store.list_files(batch_id)],
        suggestions=waiting if len(waiting) <= SUGGESTED_PEOPLE else (),
        max_megabytes=members.rules.integer("material.max_megabytes", now),
        being_checked=sum(item.being_checked for line in lines for item in line.items),
    )


@dataclass(frozen=True, slots=True)
class Review:
    """One page of what is about to be submitted: people with their forms, as read."""

    batch: BatchRow
    form: Form
    materials_form: Form
    lines: Sequence[PersonLine]
    data: Mapping[int, Mapping[str, Any]]
    total: int
    page: int
    pages: int


def review(members: Members, page: int = 1) -> Review:
    """Return one page of the people of a batch that are about to be submitted."""
    bundle = get_bundle(members.batch.bundle_id)
    lines = [line for line in lines_of(members) if line.state != PAST]
    page, pages = _page_of(len(lines), page)
    shown = lines[(page - 1) * PAGE_PEOPLE : page * PAGE_PEOPLE]
    ciphers = store.list_forms([line.member.id for line in shown])
    return Review(
        members.batch,
        bundle.form(members.batch.kind),
        bundle.form(FORM),
        shown,
        {each: decrypt_json(cipher) for each, cipher in ciphers.items()},
        len(lines),
        page,
        pages,
    )


def _page_of(count: int, page: int) -> tuple[int, int]:
    pages = max(-(-count // PAGE_PEOPLE), 1)
    return min(max(page, 1), pages), pages


def lines_of(members: Members) -> list[PersonLine]:
    """Everybody of a batch with the items and their state, in the order of the file."""
    given: dict[int, list[Given]] = {}
    for each in store.list_given(members.batch.id):
        given.setdefault(each.declaration_id, []).append(each)
    return [_line(member, given.get(member.id, ())) for member in members.all]


def _line(member: Member, given: Sequence[Given]) -> PersonLine:
    items = [
        ItemLine(
            need,
            given=_count(given, need, READY, RECEIVED, JOINING),
            refused=_count(given, need, REFUSED),
            being_checked=_count(given, need, RECEIVED, JOINING),
        )
        for need in member.needs
    ]
    if not member.waiting:
        return PersonLine(member, items, PAST)
    return PersonLine(member, items, MISSING if any(item.missing for item in items) else COMPLETE)


def _count(given: Sequence[Given], need: Need, *states: str) -> int:
    return sum(each.count for each in given if each.item == need.code and each.state in states)


def _is_wanted(line: PersonLine, state: str, search: str) -> bool:
    if state in STATES and line.state != state:
        return False
    plain, person = normal(search), line.member.person
    return not plain or plain in normal(person.name) or person.id_masked.upper().endswith(plain)


def _held(row: BatchFileRow, members: Members) -> HeldFile:
    found = [members.by_id[each] for each in row.candidates if each in members.by_id]
    return HeldFile(row, found[:CHOICES])
