"""The rows of one region: employers, their people, the cases, and what was charged lately."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any

from app import clock
from app.domain.billing import NORMAL_NOTICE, notice_prefix
from app.domain.calendar import add_months, month_of, months_between
from app.domain.contribution import ACTIVE, RETIRED, Tariff, tariff
from app.domain.money import to_fen
from app.domain.parameters import ParameterSet
from app.services.demo.cases import SPARE, Case, Stretch, citizens_of
from app.services.demo.identities import (
    FEMALE,
    MALE,
    Identity,
    IdentitySource,
    credit_code,
    day_between,
)
from app.store.crypto import encrypt
from app.store.demo import CASE_KEY
from app.store.enrolments import enrolment_values
from app.store.ids import new_id
from app.store.ledger import charge_values
from app.store.payment_notices import NoticeRow
from app.store.people import person_values

# Name, unit type, department digits of the credit code, first month in insurance, all funds on offer or not.
EMPLOYERS = (
    ("示例制造有限公司", "企业", "91", "2001-01", False),
    ("示例软件有限公司", "企业", "91", "2012-07", False),
    ("示例公共服务中心", "事业单位", "12", "2001-01", True),
)
RETIREES_PER_STAFF = 20
FLEXIBLE_FUNDS, RESIDENT_FUNDS = ("310",), ("390",)
BORN_MEN = (date(1968, 1, 1), date(2003, 12, 31))
# Women of the later age group are declared as such, so that nobody at work is past her month.
BORN_WOMEN, BORN_MANAGERS = (date(1979, 1, 1), date(2003, 12, 31)), (date(1973, 1, 1), date(1978, 12, 31))
BORN_RETIRED = (date(1945, 1, 1), date(1962, 12, 31))


@dataclass
class Rows:
    """What is to be inserted, table by table."""

    employers: list[dict[str, Any]] = field(default_factory=list)
    funds: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    notices: list[NoticeRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cover:
    """How a person is insured: by whom, in which funds, on what wage, from when to when."""

    employer_id: int | None
    person_type: str
    funds: Sequence[str]
    wage_fen: int
    first: str
    last: str | None = None
    category: str = "employee"

    @property
    def retired(self) -> bool:
        """Whether the person draws benefits and pays no share of a wage."""
        return self.person_type.startswith("12")


class RegionMaker:
    """Makes the rows of one region as of a moment; `months` is how many were charged for everybody."""

    def __init__(self, params: ParameterSet, now: datetime, months: int) -> None:
        self.params = params
        self.region = params.region
        self.month = month_of(now)
        self.rows = Rows()
        self.employer_ids: list[int] = []
        self._at_utc = clock.to_utc(now)
        self._charged = months_between(add_months(self.month, -months), add_months(self.month, -1))
        self._notices: dict[tuple[int, str], int] | None = {} if months else None
        self._tariffs: dict[tuple[str, str, Sequence[str]], Tariff] = {}
        self._source = IdentitySource(self.region, known=True)
        self._people = 0
        self.usual = params.usual_funds()
        self.retired_funds = self._funds_of_retirees()

    def make(self, people: Sequence[int], spare: int = SPARE) -> Rows:
        """All rows of the region: the cases first, so that the employers' sizes do not move them."""
        for place in range(len(EMPLOYERS)):
            self._employer(place)
        for case, citizen in citizens_of(self.params, self.month, self._source, spare):
            self._case(case, citizen)
        for place, count in enumerate(people):
            self._staff(place, count)
        return self.rows

    def _employer(self, place: int) -> None:
        name, unit_type, department, since, all_funds = EMPLOYERS[place]
        row_id = new_id()
        self.employer_ids.append(row_id)
        number = place + 1
        self.rows.employers.append(
            {
                "id": row_id,
                "region": self.region,
                "employer_no": f"{self.region}{number:05d}",
                "credit_code": credit_code(self.region, department, number),
                "name": self.params.name + name,
                "unit_type": unit_type,
                "details": {
                    "address": f"{self.params.name}示例路{number}号",
                    "postcode": f"{self.region[:4]}00",
                    "contact_name": "张敏",
                    "contact_phone": f"138000000{number:02d}",
                    "legal_person": "李强",
                    "bank_name": f"{self.params.name}示例银行营业部",
                },
                "bank_cipher": encrypt(f"622200{self.region}{number:06d}"),
                "demo": True,
            }
        )
        for code in self.params.fund_codes() if all_funds else self.usual:
            since_fund = since if code in self.usual else "2005-01"
            self.rows.funds.append(
                {"employer_id": row_id, "fund": code, "from_month": since_fund, "to_month": None}
            )

    def _staff(self, place: int, count: int) -> None:
        random = Random(f"{self.region}:employer:{place + 1}")  # noqa: S311 - the same people every time
        for _ in range(count):
            sex = MALE if random.random() < 0.55 else FEMALE
            manager = sex == FEMALE and random.random() < 0.15
            span = BORN_MEN if sex == MALE else BORN_MANAGERS if manager else BORN_WOMEN
            citizen = self._source.make(random, sex, day_between(random, *span))
            details = {"post_category": "management" if manager else "worker"}
            person_id = self._person(citizen, details)
            civil = EMPLOYERS[place][4] and random.random() < 0.5
            funds = self.params.fund_codes() if civil else self.usual
            first = self._first_month(random, citizen.birth_date, EMPLOYERS[place][3])
            cover = Cover(
                self.employer_ids[place], "1102" if civil else "1101", funds, self._wage_fen(random), first
            )
            self._insure(person_id, cover, self._charged)
        for _ in range(count // RETIREES_PER_STAFF):
            sex = MALE if random.random() < 0.5 else FEMALE
            citizen = self._source.make(random, sex, day_between(random, *BORN_RETIRED))
            first = add_months(self.month, -random.randrange(12, 96))
            pension_fen = random.randrange(3000, 6500) * 100
            cover = Cover(self.employer_ids[place], "1201", self.retired_funds, pension_fen, first)
            self._insure(self._person(citizen, {}), cover, self._charged)

    def _case(self, case: Case, citizen: Identity) -> None:
        ids = [self._person(citizen, {CASE_KEY: case.name}) for _ in range(case.records)]
        for stretch in case.stretches:
            if not stretch.elsewhere:
                self.add_stretch(ids[0], stretch)

    def add_stretch(self, person_id: int, stretch: Stretch) -> None:
        """One stretch of insurance of a case, with its charges."""
        employer_id = self.employer_ids[stretch.employer - 1] if stretch.employer else None
        if stretch.person_type.startswith("12"):
            funds: Sequence[str] = self.retired_funds
        else:
            funds = {"flexible": FLEXIBLE_FUNDS, "resident": RESIDENT_FUNDS}.get(stretch.category, self.usual)
        first = add_months(self.month, stretch.first)
        last = None if stretch.last is None else add_months(self.month, stretch.last)
        months: list[str] = []
        if stretch.charged is not None:
            months = months_between(*(add_months(self.month, offset) for offset in stretch.charged))
        wage_fen = to_fen(tariff(self.params, self.month, funds=()).floor) * 3 // 2 // 100 * 100
        cover = Cover(employer_id, stretch.person_type, funds, wage_fen, first, last, stretch.category)
        self._insure(person_id, cover, months)

    def person_row(self, citizen: Identity, details: dict[str, Any], number: str) -> dict[str, Any]:
        """One person record of this region."""
        return person_values(
            region=self.region,
            id_type="01",
            id_number=citizen.number,
            name=citizen.name,
            sex=citizen.sex,
            birth_date=citizen.birth_date,
            phone=citizen.phone,
            details=details,
            person_no=number,
        )

    def _person(self, citizen: Identity, details: dict[str, Any]) -> int:
        self._people += 1
        row = self.person_row(citizen, details, f"{self.region}{self._people:08d}")
        self.rows.people.append(row)
        return int(row["id"])

    def _insure(self, person_id: int, cover: Cover, charged: Sequence[str]) -> None:
        base_fen = self._base_fen(self.month, cover)
        for fund in cover.funds:
            self.rows.enrolments.append(
                enrolment_values(
                    id=new_id(),
                    region=self.region,
                    person_id=person_id,
                    employer_id=cover.employer_id,
                    category=cover.category,
                    fund=fund,
                    person_type=cover.person_type,
                    from_month=cover.first,
                    to_month=cover.last,
                    start_date=date.fromisoformat(f"{cover.first}-01"),
                    wage_fen=cover.wage_fen,
                    base_fen=base_fen,
                )
            )
        for month in charged:
            if month >= cover.first:
                self.rows.lines.extend(self._lines(person_id, cover, month))

    def _lines(self, person_id: int, cover: Cover, month: str) -> Iterator[dict[str, Any]]:
        rule = self._tariff(month, RETIRED if cover.retired else ACTIVE, cover.funds)
        # The latest month is assessed and not yet received.
        received = None if month >= add_months(self.month, -1) else date.fromisoformat(f"{month}-26")
        for line in rule.fen_lines(self._base_fen(month, cover)):
            yield charge_values(
                line,
                region=self.region,
                person_id=person_id,
                employer_id=cover.employer_id,
                due_type="10",
                due_month=month,
                accrual_month=month,
                declaration_id=None,
                created_at_utc=self._assessed_at(month),
                retired=cover.retired,
                received_on=received,
                wage_fen=cover.wage_fen,
                notice_id=self._notice(cover.employer_id, month),
            )

    def _assessed_at(self, month: str) -> datetime:
        """When a month was charged and billed: on its 20th, as nobody is late with what is not billed yet."""
        return min(clock.to_utc(datetime.fromisoformat(f"{month}-20T09:00")), self._at_utc)

    def assessed(self) -> list[tuple[int, str, str]]:
        """The months that were charged for everybody, by employer: (employer id, region, month)."""
        return [(each, self.region, month) for each in self.employer_ids for month in self._charged]

    def _notice(self, employer_id: int | None, month: str) -> int | None:
        """The notice of an employer's month, numbered as the ledger numbers them."""
        if self._notices is None or employer_id is None:
            return None
        key = (employer_id, month)
        if key not in self._notices:
            self._notices[key] = new_id()
            serial = sum(1 for _, other in self._notices if other == month)
            self.rows.notices.append(
                NoticeRow(
                    id=self._notices[key],
                    number=f"{notice_prefix(self.region, month)}{serial:04d}",
                    region=self.region,
                    employer_id=employer_id,
                    due_month=month,
                    kind=NORMAL_NOTICE,
                    settled=month < add_months(self.month, -1),
                    made_at_utc=self._assessed_at(month),
                )
            )
        return self._notices[key]

    def _tariff(self, month: str, status: str, funds: Sequence[str]) -> Tariff:
        key = (month, status, funds)
        if key not in self._tariffs:
            self._tariffs[key] = tariff(self.params, month, status, funds)
        return self._tariffs[key]

    def _base_fen(self, month: str, cover: Cover) -> int:
        if cover.retired:
            return cover.wage_fen
        rule = self._tariff(month, ACTIVE, ())
        return min(max(cover.wage_fen, to_fen(rule.floor)), to_fen(rule.cap))

    def _wage_fen(self, random: Random) -> int:
        # Most between the floor and twice the floor, a few beyond either bound where wages are clipped.
        rule = self._tariff(self.month, ACTIVE, ())
        wage = int(rule.floor) * math.exp(random.gauss(0.5, 0.45))
        if rule.policy != "clip":
            wage = min(max(wage, float(rule.floor)), float(rule.cap))
        return math.ceil(wage) * 100 if wage < rule.cap else int(wage) * 100

    def _first_month(self, random: Random, birth_date: date, since: str) -> str:
        earliest = max(since, add_months(month_of(birth_date), 20 * 12), add_months(self.month, -180))
        latest = add_months(self.month, -4)
        span = months_between(min(earliest, latest), latest)
        return random.choice(span)

    def _funds_of_retirees(self) -> tuple[str, ...]:
        charged = {item.fund for item in tariff(self.params, self.month, RETIRED, self.usual).items}
        return tuple(code for code in self.usual if code in charged) or self.usual[:1]
