"""The registry's rows before and after: what the model is told, and what an action really added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from app.extensions import db
from app.store.crypto import blind
from app.store.enrolments import add_enrolments, enrolment_values
from app.store.ids import new_id
from app.store.models import ContributionLine, Employer, EmployerFund, Enrolment, Person
from app.store.session import transaction
from tests.matrix import model

TABLES = (Person, Enrolment, ContributionLine)


@dataclass
class Added:
    """The rows that came since a mark."""

    people: list[Person]
    enrolments: list[Enrolment]
    lines: list[ContributionLine]

    @property
    def nothing(self) -> bool:
        return not (self.people or self.enrolments or self.lines)


Mark = dict[type, tuple[int, int]]


def mark() -> Mark:
    """Where each table ends now: its highest id and its count. Ids rise with time."""
    db.session.rollback()
    return {
        table: tuple(db.session.execute(select(func.coalesce(func.max(table.id), 0), func.count())).one())
        for table in (Person, Enrolment, ContributionLine)
    }


def added_since(before: Mark) -> Added:
    """What was added; nothing may have gone."""
    db.session.rollback()
    found = []
    for table in TABLES:
        last, count = before[table]
        rows = list(db.session.scalars(select(table).where(table.id > last).order_by(table.id)))
        now = db.session.scalar(select(func.count()).select_from(table))
        assert now == count + len(rows), f"rows of {table.__tablename__} are gone"
        found.append(rows)
    return Added(*found)


def everything() -> dict[str, set[str]]:
    """All rows of the registry's tables, to see that the old ones stay as they are."""
    db.session.rollback()
    return {
        table.__tablename__: {str(tuple(row)) for row in db.session.execute(select(table.__table__))}
        for table in TABLES
    }


def person_of(region: str, number: str) -> model.Person:
    """What the registry holds of a number."""
    db.session.rollback()
    records = list(db.session.scalars(select(Person).where(Person.id_hash == blind(number))))
    own = sorted((each for each in records if each.region == region), key=lambda each: each.id)
    ids = [each.id for each in records]
    numbers = dict(db.session.execute(select(Employer.id, Employer.employer_no)).all())
    rows = db.session.scalars(select(Enrolment).where(Enrolment.person_id.in_(ids)))
    stretches = tuple(
        model.Stretch(
            row.region, row.category, row.fund, row.person_type, row.from_month, row.to_month,
            numbers.get(row.employer_id, ""),
        )
        for row in rows
        if row.status == "active"
    )  # fmt: skip
    lines = db.session.execute(
        select(ContributionLine.fund, ContributionLine.accrual_month).where(
            ContributionLine.person_id.in_(ids), ContributionLine.reversed_by_id.is_(None)
        )
    )
    first = own[0] if own else None
    return model.Person(
        records=len(own),
        name=first.name if first else "",
        birth=first.birth_date if first else None,
        sex=first.sex if first else "",
        stretches=stretches,
        charged=frozenset((fund, when) for fund, when in lines),
    )


def employer_of(employer_id: int) -> model.Employer:
    """An employer with its funds."""
    db.session.rollback()
    row = db.session.get_one(Employer, employer_id)
    funds: dict[str, tuple[tuple[str, str | None], ...]] = {}
    for each in db.session.scalars(select(EmployerFund).where(EmployerFund.employer_id == employer_id)):
        funds[each.fund] = (*funds.get(each.fund, ()), (each.from_month, each.to_month))
    return model.Employer(row.employer_no, row.status, funds)


def employer_id(number: str) -> int:
    """The id of an employer number."""
    return db.session.scalars(select(Employer.id).where(Employer.employer_no == number)).one()


def compare(
    city: model.City, wanted: model.Outcome, added: Added, employer: int, start_day: date | None
) -> None:
    """Hold what was added against the model: enrolments, person type, base, and each line to the fen."""
    made = {row.fund: (row.person_type, row.from_month, row.base_fen) for row in added.enrolments}
    assert made == dict(wanted.enrolments)
    assert len(added.enrolments) == len(made)
    for row in added.enrolments:
        assert (row.region, row.employer_id, row.category, row.status) == (
            city.code, employer, "employee", "active",
        )  # fmt: skip
        assert (row.to_month, row.start_date) == (None, start_day)
    amounts = {(row.accrual_month, row.fund, row.party): row.amount_fen for row in added.lines}
    assert amounts == dict(wanted.lines)
    assert len(added.lines) == len(amounts)
    for line in added.lines:
        assert (line.region, line.employer_id, line.due_type) == (city.code, employer, "31")
        assert (line.due_month, line.received_on, line.retired) == (wanted.due_month, None, False)
        if line.rate is not None:
            assert line.base_fen == wanted.bases[line.accrual_month]


def records_of(region: str, number: str) -> list[int]:
    """The ids of the records of a number in a city."""
    db.session.rollback()
    return list(
        db.session.scalars(select(Person.id).where(Person.id_hash == blind(number), Person.region == region))
    )


def enrol_behind_its_back(region: str, number: str, first: str) -> None:
    """Insure somebody at the city's second employer, as another desk would."""
    (person_id,) = records_of(region, number)
    employer = employer_id(f"{region}00002")
    with transaction():
        add_enrolments(
            [
                enrolment_values(
                    id=new_id(), region=region, person_id=person_id, employer_id=employer, fund="310",
                    person_type="1101", from_month=first, wage_fen=800000, base_fen=800000,
                )
            ]
        )  # fmt: skip
