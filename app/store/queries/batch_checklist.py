"""The people of one batch by the state of their materials: pages and counts of the materials step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select

from app.extensions import db
from app.store.batch_people import BatchPerson, Given
from app.store.materials import JOINING, READY, RECEIVED, REFUSED, REMOVED
from app.store.models import Declaration, HumanTask, ImportRow, Material

MISSING, COMPLETE, PAST = "missing", "complete", "past"
# what has to be done stands first
STATES = (MISSING, COMPLETE, PAST)

_CASE = Declaration.__table__
_TASK = HumanTask.__table__
_ROW = ImportRow.__table__
_MATERIAL = Material.__table__
_NEEDS = _CASE.c.facts["materials"].as_string()
_USABLE = (READY, RECEIVED, JOINING)

# the items of a case, (code, required), as its routing facts say them
Items = Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class People:
    """Whose batch, which step they wait for, and the sets of items that occur there.

    `search` is a part of a name or the end of a number; `number_hash` the blind index of a whole number.
    """

    batch_id: int
    form: str
    needs: Mapping[str, Items]
    search: str = ""
    number_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One person with the state of the materials."""

    person: BatchPerson
    state: str

    @property
    def cursor(self) -> tuple[str, int]:
        """Where the person stands in the order of the list."""
        return self.state, self.person.row_number


def list_needs(batch_id: int) -> dict[str, Items]:
    """The sets of items that people of a batch need, by their text in the database."""
    texts = db.session.scalars(select(_NEEDS).where(_CASE.c.batch_id == batch_id).distinct())
    return {text: [(code, bool(must)) for code, must in orjson.loads(text)] for text in texts if text}


def list_people(
    people: People,
    states: Collection[str] = STATES,
    *,
    after: tuple[str, int] | None = None,
    before: tuple[str, int] | None = None,
    limit: int = 50,
) -> list[Line]:
    """A page of people: by state, then by the row of the file. `before` gives the page that ends there."""
    order = [state for state in STATES if state in states]
    place = before or after
    if place is not None:
        first = STATES.index(place[0])
        order = [s for s in order if (STATES.index(s) <= first if before else STATES.index(s) >= first)]
    found: list[Line] = []
    for state in reversed(order) if before else order:
        statement = _of(people, state)
        if place is not None and state == place[0]:
            number = _ROW.c.row_number
            statement = statement.where(number < place[1] if before else number > place[1])
        by = _ROW.c.row_number.desc() if before else _ROW.c.row_number
        rows = db.session.execute(statement.order_by(by).limit(limit - len(found)))
        found += [Line(BatchPerson(*row), state) for row in rows]
        if len(found) == limit:
            break
    return found[::-1] if before else found


def count_people(people: People, state: str, limit: int | None = None) -> int:
    """How many people are in a state; counting stops at a limit."""
    wanted = _of(people, state).with_only_columns(_CASE.c.id).limit(limit).subquery()
    return int(db.session.execute(select(func.count()).select_from(wanted)).scalar_one())


def list_given(ids: Collection[int]) -> list[Given]:
    """What documents some cases have, counted by case, item and state."""
    rows = db.session.execute(
        select(_MATERIAL.c.declaration_id, _MATERIAL.c.item, _MATERIAL.c.state, func.count())
        .where(_MATERIAL.c.declaration_id.in_(list(ids)), _MATERIAL.c.state != REMOVED)
        .group_by(_MATERIAL.c.declaration_id, _MATERIAL.c.item, _MATERIAL.c.state)
    )
    return [Given(*row) for row in rows]


def list_chosen(people: People, ids: Collection[int]) -> list[BatchPerson]:
    """Some people of a batch, by the row of the file."""
    statement = _everybody(people).where(_CASE.c.id.in_(list(ids))).order_by(_ROW.c.row_number)
    return [BatchPerson(*row) for row in db.session.execute(statement)]


def count_status(batch_id: int, statuses: Collection[str]) -> int:
    """How many cases of a batch have one of these statuses."""
    wanted = select(func.count()).where(_CASE.c.batch_id == batch_id, _CASE.c.status.in_(list(statuses)))
    return int(db.session.execute(wanted).scalar_one())


def count_cases(batch_id: int) -> int:
    """How many cases a batch has, whatever became of them."""
    wanted = select(func.count()).where(_CASE.c.batch_id == batch_id)
    return int(db.session.execute(wanted).scalar_one())


def is_checking(batch_id: int) -> bool:
    """Whether documents of a batch are being looked at."""
    wanted = (
        select(_MATERIAL.c.id)
        .join(_CASE, _CASE.c.id == _MATERIAL.c.declaration_id)
        .where(_CASE.c.batch_id == batch_id, _MATERIAL.c.state.in_((RECEIVED, JOINING)))
        .limit(1)
    )
    return db.session.execute(wanted).first() is not None


def _everybody(people: People) -> Select[Any]:
    """The file's rows with their cases: the order of the rows is that of an index."""
    statement = (
        select(
            _ROW.c.row_number, _CASE.c.id, _CASE.c.reference, _CASE.c.person_name, _CASE.c.id_masked,
            _CASE.c.person_hash, _CASE.c.status, _CASE.c.facts, _TASK.c.form,
        )
        .select_from(_ROW)
        .join(_CASE, _CASE.c.id == _ROW.c.declaration_id)
        .outerjoin(_TASK, and_(_TASK.c.declaration_id == _CASE.c.id, _TASK.c.form == people.form))
        .where(_ROW.c.batch_id == people.batch_id)
    )  # fmt: skip
    if people.search or people.number_hash is not None:
        text = people.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        name = func.replace(_CASE.c.person_name, "·", "")
        ways: list[ColumnElement[bool]] = [
            name.ilike(f"%{text}%", escape="\\"),
            _CASE.c.id_masked.ilike(f"%{text}", escape="\\"),
        ]
        if people.number_hash is not None:
            ways.append(_CASE.c.person_hash == people.number_hash)
        statement = statement.where(or_(*ways))
    return statement


def _of(people: People, state: str) -> Select[Any]:
    statement, waits = _everybody(people), _TASK.c.id.is_not(None)
    if state == PAST:
        return statement.where(~waits)
    lacking = _lacking(people.needs)
    return statement.where(waits, lacking if state == MISSING else ~lacking)


def _lacking(needs: Mapping[str, Items]) -> ColumnElement[bool]:
    """Whether something is still to be given, or was refused, of what the case needs."""
    whens = {text: _lacks(items) for text, items in needs.items()}
    return case(whens, value=_NEEDS, else_=false()) if whens else false()


def _lacks(items: Items) -> ColumnElement[bool]:
    def given(codes: Sequence[str], states: Sequence[str]) -> ColumnElement[bool]:
        return exists(
            select(_MATERIAL.c.id).where(
                _MATERIAL.c.declaration_id == _CASE.c.id,
                _MATERIAL.c.item.in_(codes),
                _MATERIAL.c.state.in_(states),
            )
        )

    absent = [~given([code], _USABLE) for code, required in items if required]
    return or_(false(), *absent, given([code for code, _ in items], (REFUSED,)))
