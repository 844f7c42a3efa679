"""What a decision table may ask about a form that has no rules in Python: a fixed set of facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from app.domain.calendar import month_of
from app.domain.enrolment import ACTIVE, EMPLOYEE, RETIREE_TYPES, EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.identity import normalise

Fact = str | int | bool
REFUSE, WARN = "refuse", "warn"
FORM = "form_"
DAYS = "_days"
UNKNOWN_AGE = -1

# fact -> the values that a cell may compare it with; () where any may come
FACTS: Mapping[str, tuple[Fact, ...]] = MappingProxyType(
    {
        "today": (),
        "month": (),
        "channel": ("02", "03"),
        "employer_no": (),
        "employer_name": (),
        "employer_status": ("active", "paused", "ended"),
        "employer_funds": (),
        "account_name_is_employer": (True, False),
        "account_name_is_person": (True, False),
        "person_records": (),
        "person_alive": (True, False),
        "person_sex": ("", "1", "2"),
        "person_age": (),
        "person_birth_date": (),
        "person_name_differs": (True, False),
        "person_type": (),
        "person_active_here": (True, False),
        "person_retired_here": (True, False),
        "person_active_elsewhere": (True, False),
        "person_funds": (),
        "person_months": (),
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the facts are made from: the form with its day columns, and who it is about.

    Shape: `dates` names the form's fields that hold a date; `fields` all of its fields.
    """

    data: Mapping[str, Any]
    fields: Collection[str]
    dates: Collection[str]
    channel: str
    employer_name: str
    employer: EmployerFacts
    person: PersonFacts
    alive: bool


def facts_of(asked: Asked, today: date) -> dict[str, Fact]:
    """Return the facts, each a JSON primitive under one of the names of `FACTS` or of the form.

    Shape: `employer_funds` and `person_funds` are codes joined by commas, held this month;
    `account_name_is_…` compare the form's `bank_account_name` with the employer's and the registered name;
    `person_records` counts the region's records of the typed number (0 unknown, 2 and more to be merged);
    `person_alive` is False where a death is recorded; `person_sex` is 1 male, 2 female, "" unknown;
    `person_age` counts full years, -1 unknown; `person_active_here` means that this employer insures the
    person as an employee this month, `person_retired_here` as a retiree; `person_months` counts the months
    that were charged. `form_<field>` is the form's own entry, "" where empty; `form_<date field>_days` the
    days from that date until today, negative where it is still to come, 0 where the date is missing.
    """
    person, employer, month = asked.person, asked.employer, month_of(today)
    own, others = _stretches(person.enrolments, employer, month)
    account = normalise(str(asked.data.get("bank_account_name") or ""))
    name = normalise(str(asked.data.get("name") or ""))
    registered = normalise(person.name)
    return {
        "today": today.isoformat(),
        "month": month,
        "channel": asked.channel,
        "employer_no": employer.employer_no,
        "employer_name": asked.employer_name,
        "employer_status": employer.status,
        "employer_funds": _joined(fund for fund in employer.funds if employer.has_fund(fund, month)),
        "account_name_is_employer": bool(account) and account == normalise(asked.employer_name),
        "account_name_is_person": bool(account) and account == registered,
        "person_records": person.matches,
        "person_alive": asked.alive,
        "person_sex": person.sex,
        "person_age": _age(person.birth_date, today),
        "person_birth_date": person.birth_date.isoformat() if person.birth_date else "",
        "person_name_differs": bool(name and registered) and name != registered,
        "person_type": person.person_type,
        "person_active_here": bool(own) and not _retired(person),
        "person_retired_here": bool(own) and _retired(person),
        "person_active_elsewhere": bool(others),
        "person_funds": _joined(fund for each in own for fund in each.funds),
        "person_months": len(person.charged_months),
        **_form(asked, today),
    }


def names_for(fields: Iterable[str], dates: Iterable[str]) -> dict[str, tuple[Fact, ...]]:
    """Return every fact that a table may ask about a form of these fields, with its possible values."""
    own = {FORM + name: () for name in fields} | {FORM + name + DAYS: () for name in dates}
    return {**own, **FACTS}


def _form(asked: Asked, today: date) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for name in asked.fields:
        value = asked.data.get(name)
        if isinstance(value, list):
            value = _joined(str(item) for item in value)
        found[FORM + name] = value if isinstance(value, str | int | bool) else str(value or "")
    for name in asked.dates:
        found[FORM + name + DAYS] = _days(str(asked.data.get(name) or ""), today)
    return found


def _days(text: str, today: date) -> int:
    try:
        return (today - date.fromisoformat(text)).days
    except ValueError:
        return 0


def _age(birth: date | None, today: date) -> int:
    if birth is None:
        return UNKNOWN_AGE
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _stretches(
    enrolments: Iterable[EnrolmentFacts], employer: EmployerFacts, month: str
) -> tuple[list[EnrolmentFacts], list[EnrolmentFacts]]:
    """The stretches of this month as somebody's employee: of this employer, and of others."""
    now = [
        each
        for each in enrolments
        if each.category == EMPLOYEE
        and each.status == ACTIVE
        and each.start_month <= month
        and each.covers(month)
    ]
    own = [each for each in now if (each.region, each.employer_no) == (employer.region, employer.employer_no)]
    return own, [each for each in now if each not in own]


def _retired(person: PersonFacts) -> bool:
    return person.person_type.startswith(RETIREE_TYPES)


def _joined(codes: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(codes))
