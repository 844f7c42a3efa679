"""What an enrolment must leave in the registry, worked out a second time.

Written from the cities' manuals and the rules about them, and from the parameter files, which it reads by
itself: it imports nothing of the product, so that a mistake there cannot hide here. Months are `YYYY-MM`,
wages Decimal yuan, amounts whole fen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import yaml

FILES = Path(__file__).resolve().parents[2] / "bpmn" / "parameters"
REGIONS = tuple(sorted(path.stem for path in FILES.glob("[0-9]*.yaml")))
PARTIES = ("employee", "employer", "allocation_employee", "allocation_employer")


@dataclass(frozen=True)
class Way:
    """The stages that a city's enrolment passes: pending records, audits, recall while it waits, a wizard."""

    pending: bool = False
    audits: int = 0
    recall: bool = False
    wizard: bool = False


# Which stages exist where: the table of kinds and cities.
WAYS = {
    "320600": Way(pending=True, audits=1),
    "320800": Way(audits=1, recall=True),
    "320700": Way(audits=1, recall=True),
    "320500": Way(),
    "320100": Way(),
    "610500": Way(pending=True, audits=1, wizard=True),
}


@dataclass(frozen=True)
class Stretch:
    """One fund of one person somewhere, from month to month; `last` None goes on."""

    region: str
    category: str
    fund: str
    person_type: str
    first: str
    last: str | None
    employer_no: str = ""


@dataclass(frozen=True)
class Person:
    """What the registry held of a number before: records in the city, stretches anywhere, charged months."""

    records: int = 0
    name: str = ""
    birth: date | None = None
    sex: str = ""
    stretches: tuple[Stretch, ...] = ()
    charged: frozenset[tuple[str, str]] = frozenset()  # (fund, month)


@dataclass(frozen=True)
class Employer:
    """An employer: status, and the months of each of its funds."""

    number: str
    status: str
    funds: Mapping[str, tuple[tuple[str, str | None], ...]]

    def has(self, fund: str, month: str) -> bool:
        return any(first <= month <= (last or "9999-12") for first, last in self.funds.get(fund, ()))


@dataclass(frozen=True)
class Form:
    """What was typed; funds None where the city's form has no boxes."""

    number: str
    start: str
    wage: Decimal | None
    id_type: str = "01"
    name: str = ""
    funds: tuple[str, ...] | None = None
    birth: date | None = None
    sex: str = ""
    post: str = ""


@dataclass(frozen=True)
class Judgement:
    """Why not, and what the auditor or the employer should see."""

    refusals: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()
    retires: str = ""


@dataclass(frozen=True)
class Outcome:
    """The rows that an accepted enrolment adds."""

    enrolments: Mapping[str, tuple[str, str, int]]  # fund: person type, first month, base in fen
    lines: Mapping[tuple[str, str, str], int]  # month, fund, party: fen
    months: tuple[str, ...]
    due_month: str
    upcoming: bool
    bases: Mapping[str, int] = field(default_factory=dict)  # month: fen


def plus(month: str, count: int) -> str:
    """The month so many months later."""
    place = int(month[:4]) * 12 + int(month[5:]) - 1 + count
    return f"{place // 12:04d}-{place % 12 + 1:02d}"


def span(first: str, last: str) -> list[str]:
    """All months from the first to the last."""
    months = []
    while first <= last:
        months.append(first)
        first = plus(first, 1)
    return months


def month(day: date) -> str:
    """The month of a day."""
    return f"{day.year:04d}-{day.month:02d}"


def fen(yuan: Decimal) -> int:
    """Yuan as whole fen, half up."""
    return int((yuan * 100).quantize(Decimal(1), ROUND_HALF_UP))


@cache
def document(name: str) -> dict:
    return yaml.safe_load((FILES / f"{name}.yaml").read_text("utf-8"))


class City:
    """One city's data, read from its file and the common one."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.way = WAYS[code]
        self._own = document(code)["parameters"]
        self._common = document("common")["parameters"]
        self.funds = [entry["code"] for entry in document(code)["funds"]]
        self._modes = {entry["code"]: entry["mode"] for entry in document(code)["funds"]}
        self._types = {entry["code"]: entry.get("person_type", "") for entry in document(code)["funds"]}

    def value(self, name: str, when: str) -> object:
        """A parameter of a month; a month without one is an error, never a default."""
        entries = self._own.get(name, self._common.get(name))
        for entry in entries:
            if entry["from"] <= when <= entry.get("to", "9999-12"):
                return entry["value"]
        raise LookupError(f"{self.code} {name} {when}")

    def number(self, name: str, when: str) -> int:
        return int(str(self.value(name, when)))

    def has_rate(self, name: str) -> bool:
        return name in self._own

    def forced(self) -> list[str]:
        return [code for code in self.funds if self._modes[code] == "forced"]

    def usual(self) -> list[str]:
        """What everybody gets who does not choose: all but the funds of choice."""
        return [code for code in self.funds if self._modes[code] != "choice"]

    def person_type(self, funds: Iterable[str]) -> str:
        """The civil servants' fund makes 1102, all else is 1101."""
        return next((self._types[code] for code in funds if self._types.get(code)), "1101")


def chosen(city: City, form: Form, employer: Employer) -> list[str]:
    """The funds of a form: those ticked, or the employer's usual ones where there are no boxes."""
    if form.funds is None:
        return [code for code in city.usual() if employer.has(code, form.start)]
    return list(form.funds)


def judge(city: City, form: Form, person: Person, employer: Employer, today: date) -> Judgement:
    """Judge a form as the city's manual does."""
    if person.records > 1:
        return Judgement(frozenset({"two records"}))
    refusals: set[str] = set()
    warnings: set[str] = set()
    start_words = _start(city, form, person, employer, today)
    refusals |= start_words
    refusals |= _identity(city, form, person, today)
    retires = _age(city, form, person, today, refusals, warnings)
    if employer.status != "active":
        refusals.add(f"employer {employer.status}")
    _overlap(city, form, person, refusals, warnings)
    # the funds and bounds of a month that is refused say nothing: this month's stand for them
    when = month(today) if start_words else form.start
    refusals |= _funds(city, form, employer, when)
    _wage(city, form, when, refusals, warnings)
    return Judgement(frozenset(refusals), frozenset(warnings), retires)


def _identity(city: City, form: Form, person: Person, today: date) -> set[str]:
    found: set[str] = set()
    if form.id_type not in city.value("enrol.id_types", month(today)):
        found.add("document at the counter")
    wrong = document_fault(form.id_type, form.number, today)
    if wrong:
        found.add(wrong)
    elif not person.records and city.value("enrol.person_must_exist", month(today)) == "yes":
        found.add("nobody of this number")
    elif person.records and form.name and form.name != person.name:
        found.add("another name")
    if not wrong and form.id_type in ("01", "17"):
        if form.birth and form.birth != birth_in(form.number):
            found.add("another birth date")
        if form.sex and form.sex != sex_in(form.number):
            found.add("another sex")
    return found


def birth_in(number: str) -> date:
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def sex_in(number: str) -> str:
    return "1" if int(number[16]) % 2 else "2"


def check_sign(first17: str) -> str:
    """The eighteenth sign of GB 11643."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return "10X98765432"[
        sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True)) % 11
    ]


def document_fault(id_type: str, number: str, today: date) -> str:
    """Why a number of the citizens' kind is none; other documents have patterns of their own."""
    if id_type not in ("01", "17"):
        return "" if len(number) >= 4 else "number"
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "number"
    try:
        born = birth_in(number)
    except ValueError:
        return "number"
    if born > today or number[17] != check_sign(number[:17]):
        return "number"
    return "number" if (number[:2] in ("81", "82", "83")) != (id_type == "17") else ""


def retirement_month(birth: date, sex: str, post: str) -> str:
    """The statutory month of the gradual delay from 2025 on."""
    if sex == "1":
        first, step, cap, years = "1965-01", 4, 36, 60
    elif post == "management":
        first, step, cap, years = "1970-01", 4, 36, 55
    else:
        first, step, cap, years = "1975-01", 2, 60, 50
    later = (birth.year - int(first[:4])) * 12 + birth.month - int(first[5:])
    delay = 0 if later < 0 else min(cap, later // step + 1)
    return plus(month(birth), years * 12 + delay)


def _age(city: City, form: Form, person: Person, today: date, refusals: set[str], warnings: set[str]) -> str:
    retired = [
        each for each in person.stretches
        if each.region == city.code and each.person_type.startswith("12") and each.last is None
    ]  # fmt: skip
    if retired:
        refusals.add("retired")
        return ""
    known = form.id_type in ("01", "17") and not document_fault(form.id_type, form.number, today)
    birth = birth_in(form.number) if known else form.birth or person.birth
    sex = sex_in(form.number) if known else form.sex or person.sex
    if birth is None or not sex:
        return ""
    retires = retirement_month(birth, sex, form.post)
    if max(month(today), form.start) >= retires:
        gate = city.value("enrol.age_gate", month(today))
        (refusals if gate == "refuse" else warnings).add("man's age" if sex == "1" else "woman's age")
    return retires


def _start(city: City, form: Form, person: Person, employer: Employer, today: date) -> set[str]:
    this = month(today)
    window = city.value("window.used", this) == "yes"
    tail = window and today.day <= city.number("window.closes_day", this)
    if form.start > this and tail and form.start == plus(this, 1):
        return {"next month not open"}
    if form.start > plus(this, 0 if tail else city.number("enrol.max_months_ahead", this)):
        return {"too late"}
    if form.start < plus(this, -city.number("enrol.max_months_back", this)):
        return {"too early"}
    paid = [when for _, when in person.charged]
    if city.value("enrol.start_after_last_paid", this) == "yes" and paid and form.start <= max(paid):
        return {"not after the last paid month"}
    return set()


def _overlap(city: City, form: Form, person: Person, refusals: set[str], warnings: set[str]) -> None:
    for each in person.stretches:
        if each.last is not None and each.last < form.start:
            continue
        if each.region != city.code:
            # refused where nobody looks at it, shown to the auditor where somebody does
            (warnings if city.way.audits else refusals).add("insured in another city")
        elif each.category == "employee":
            refusals.add("insured at an employer")
        elif each.last is not None:
            refusals.add("overlap")
        else:
            refusals.add(f"insured as {each.category}")


def _funds(city: City, form: Form, employer: Employer, when: str) -> set[str]:
    if form.funds is None:
        return set() if any(employer.has(code, when) for code in city.usual()) else {"no fund"}
    if any(code not in city.funds or not employer.has(code, when) for code in form.funds):
        return {"fund that the employer has not"}
    if any(code not in form.funds and employer.has(code, when) for code in city.forced()):
        return {"forced fund missing"}
    return set() if form.funds else {"no fund"}


def bounds(city: City, when: str) -> tuple[Decimal, Decimal]:
    """Floor and cap of a month, in yuan."""
    floor, cap = city.value("base.floor", when), city.value("base.cap", when)
    return Decimal(str(floor)), Decimal(str(cap))


def _wage(city: City, form: Form, when: str, refusals: set[str], warnings: set[str]) -> None:
    if form.wage is None:
        return
    floor, cap = bounds(city, when)
    if form.wage <= 0:
        refusals.add("wage not positive")
    elif city.value("base.whole_yuan", when) == "yes" and form.wage % 1:
        refusals.add("wage not whole")
    elif not floor <= form.wage <= cap:
        words = "floor" if form.wage < floor else "cap"
        refuses = city.value("base.policy", when) == "refuse"
        (refusals if refuses else warnings).add(f"wage beyond the {words}")


def base_fen(city: City, wage: Decimal | None, when: str) -> int:
    """The base of a month: the wage between floor and cap; the floor where no wage was asked."""
    floor, cap = bounds(city, when)
    return fen(min(max(wage if wage is not None else floor, floor), cap))


def months_paid_back(
    city: City, start: str, today: date, charged: Iterable[tuple[str, str]] = (), decided: date | None = None
) -> list[str]:
    """The past months that an enrolment pays: at once in Suzhou and Nanjing, after approval where audits are.

    At once: from the start to this month (to the last one while this month's period is still open), at most
    six counted back. After approval: what has been assessed by the day of the decision.
    """
    mode = city.value("backpay.mode", month(today))
    if mode == "none":
        return []
    settled_on = today if mode == "automatic" else decided or today
    closed = settled_on.day >= city.number("backpay.this_month_from_day", month(today))
    last = month(settled_on) if closed else plus(month(settled_on), -1)
    closed_then = today.day >= city.number("backpay.this_month_from_day", month(today))
    last_then = month(today) if closed_then else plus(month(today), -1)
    earliest = plus(last_then, 1 - city.number("backpay.max_months", month(today)))
    taken = {when for _, when in charged}
    return [each for each in span(max(start, earliest), last) if each not in taken]


def lines_of(city: City, funds: Iterable[str], base: int, when: str) -> dict[tuple[str, str, str], int]:
    """The lines of one month: base times rate, or a fixed sum, per fund and party, each rounded half up."""
    found = {}
    for fund in funds:
        for party in PARTIES:
            stem = f"contribution.active.{fund}.{party}"
            amount = 0
            if city.has_rate(f"{stem}.rate"):
                amount += fen(Decimal(base) / 100 * Decimal(str(city.value(f"{stem}.rate", when))))
            if city.has_rate(f"{stem}.fixed"):
                amount += fen(Decimal(str(city.value(f"{stem}.fixed", when))))
            if amount:
                found[when, fund, party] = amount
    return found


def outcome(
    city: City, form: Form, person: Person, employer: Employer, filed: date, decided: date | None = None
) -> Outcome:
    """The rows that an accepted form adds; `decided` is the day of approval where there is an audit."""
    funds = chosen(city, form, employer)
    kind = city.person_type(funds)
    months = months_paid_back(city, form.start, filed, person.charged, decided)
    lines: dict[tuple[str, str, str], int] = {}
    bases = {}
    for when in months:
        bases[when] = base_fen(city, form.wage, when)
        lines |= lines_of(city, funds, bases[when], when)
    last_day = decided or filed
    return Outcome(
        enrolments={fund: (kind, form.start, base_fen(city, form.wage, form.start)) for fund in funds},
        lines=lines,
        months=tuple(months),
        due_month=month(last_day),
        upcoming=form.start > month(last_day),
        bases=bases,
    )
