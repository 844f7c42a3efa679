"""People made to meet one rule each: who is refused, warned about or paid back for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from random import Random

from app.domain.calendar import add_months, month_of
from app.domain.parameters import ParameterSet
from app.domain.retirement import statutory_month
from app.services.demo.identities import (
    FEMALE,
    MALE,
    Identity,
    IdentitySource,
    day_between,
    unknown_people,
)
from app.store.demo import list_cases

UNKNOWN = "unknown"
# Beside the employers' own people: how many of a plain case there are.
SPARE = 12


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of insurance of a case, in months before (negative) or after the month of loading.

    `charged` are the first and last month that carry a charge; employer is its place in the region (1-3),
    0 for none; `elsewhere` puts it into the next region.
    """

    category: str
    person_type: str
    employer: int
    first: int
    last: int | None
    charged: tuple[int, int] | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of person: how old, how insured, how many records, how many people."""

    name: str
    note: str
    sex: str = ""
    born: Callable[[ParameterSet, str, str], date] | None = None
    stretches: tuple[Stretch, ...] = ()
    records: int = 1
    people: int = 2


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person of a case as tests and visitors type it in; `registered` tells if there is a record."""

    case: str
    region: str
    id_type: str
    id_number: str
    name: str
    sex: str
    birth_date: date
    phone: str
    registered: bool
    note: str


def _born(text: str) -> Callable[[ParameterSet, str, str], date]:
    return lambda _params, _month, _sex: date.fromisoformat(text)


def _retires_in(months: int) -> Callable[[ParameterSet, str, str], date]:
    def find(params: ParameterSet, month: str, sex: str) -> date:
        # Delays run in steps of months, so the birth month is looked for, latest first.
        target = add_months(month, months)
        born = add_months(target, -50 * 12)
        while statutory_month(params, date.fromisoformat(f"{born}-15"), sex) > target:
            born = add_months(born, -1)
        return date.fromisoformat(f"{born}-15")

    return find


def _at_employer(employer: int, first: int, last: int | None, charged: tuple[int, int] | None) -> Stretch:
    return Stretch("employee", "1101", employer, first, last, charged)


CASES = (
    Case("flexible", "灵活就业正常参保", stretches=(Stretch("flexible", "1103", 0, -20, None, (-6, -1)),)),
    Case("resident", "居民医保正常参保", stretches=(Stretch("resident", "1501", 0, -10, None),)),
    Case("double_record", "同一证件号码有两条人员信息", records=2),
    Case("past_age_male", "男，已过法定退休年龄", MALE, _born("1958-03-15")),
    Case("past_age_female", "女，已过法定退休年龄", FEMALE, _born("1967-05-15")),
    Case("reaches_age_male", "男，本月达到法定退休年龄", MALE, _retires_in(0), people=1),
    Case("near_age_male", "男，两个月后达到法定退休年龄", MALE, _retires_in(2), people=1),
    Case(
        "near_age_female", "女，两个月后达到法定退休年龄（非管理技术岗位）", FEMALE, _retires_in(2), people=1
    ),
    Case(
        "active_elsewhere_employer",
        "在本统筹区另一单位正常参保",
        stretches=(_at_employer(2, -30, None, (-6, -1)),),
    ),
    Case("active_same_employer", "在单位00001正常参保", stretches=(_at_employer(1, -30, None, (-6, -1)),)),
    Case(
        "active_elsewhere_region",
        "在另一统筹区正常参保，本统筹区有人员信息",
        stretches=(Stretch("employee", "1101", 1, -30, None, None, elsewhere=True),),
    ),
    Case(
        "stopped", "三个月前停保，费用缴至停保月", stretches=(_at_employer(2, -40, -3, (-6, -3)),), people=4
    ),
    Case(
        "charged_partly",
        "五个月前和四个月前已有缴费，其后停保",
        stretches=(_at_employer(2, -30, -4, (-5, -4)),),
        people=4,
    ),
    Case(
        "charged_fully", "上月停保，本月及之前六个月均已缴费", stretches=(_at_employer(2, -30, -1, (-7, 0)),)
    ),
    Case("upcoming", "下月起在单位00002参保（待生效）", stretches=(_at_employer(2, 1, None, None),)),
    Case("stopping", "在单位00002参保至本月底", stretches=(_at_employer(2, -30, 0, (-6, -1)),)),
    Case(
        "retired",
        "已在单位00001办理退休",
        MALE,
        _born("1958-08-15"),
        stretches=(Stretch("employee", "1201", 1, -60, None, (-6, -1)),),
    ),
    # Last, so that their number, which follows the size of the demonstration, moves nobody else.
    Case("not_insured", "有人员信息，从未参保", people=SPARE),
)


def citizens_of(
    params: ParameterSet, month: str, source: IdentitySource, spare: int = SPARE
) -> Iterator[tuple[Case, Identity]]:
    """The people of all cases of a region: the same numbers whenever and however much is loaded.

    Only those whose age is relative follow the month of loading.
    """
    for case in CASES:
        random = Random(f"{params.region}:{case.name}")  # noqa: S311 - the same people every time is the point
        for place in range(spare if case.name == "not_insured" else case.people):
            sex = case.sex or (MALE if place % 2 == 0 else FEMALE)
            if case.born is None:
                birth = day_between(random, date(1985, 1, 1), date(2001, 12, 31))
            else:
                birth = case.born(params, month, sex)
            yield case, source.make(random, sex, birth)


def demo_people(region: str, case: str | None = None, count: int = 10) -> list[DemoPerson]:
    """The people of each case in a region, at most `count` of a case; `unknown` ones have no record.

    Shape: in the order of the cases; empty where the demonstration is not loaded, but for unknown people.
    """
    notes = {each.name: each.note for each in CASES}
    found = [
        DemoPerson(row.case, region, row.id_type, row.id_number, row.name, row.sex, row.birth_date, row.phone,
                   True, notes.get(row.case, ""))
        for row in list_cases(region, case, count)
    ]  # fmt: skip
    found.sort(key=lambda person: list(notes).index(person.case) if person.case in notes else len(notes))
    if case in (None, UNKNOWN):
        found += [
            DemoPerson(UNKNOWN, region, "01", each.number, each.name, each.sex, each.birth_date, each.phone,
                       False, "系统中没有任何信息")
            for each in islice(unknown_people(region), count)
        ]  # fmt: skip
    return found


def month_at(moment: date, offset: int) -> str:
    """The month so many months after (before, if negative) a day's own."""
    return add_months(month_of(moment), offset)
