"""The product's rules and the model judge thousands of forms alike: every city, every day of the month."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from app.domain import enrolment as product
from app.domain.collection import backpay_lines
from app.domain.contribution import CLIP, tariff
from app.domain.money import to_fen
from tests.domain.regions import load_region as parameters
from tests.matrix import model
from tests.matrix.words import reasons

CASES = 400
DAYS = (1, 5, 6, 7, 8, 10, 11, 12, 20, 21, 22, 28)


def number(random: Random, birth: date, sex: str, permit: bool = False) -> str:
    sequence = random.randrange(1, 499) * 2 + (sex == "1")
    first = f"{'810000' if permit else '320501'}{birth:%Y%m%d}{sequence:03d}"
    return first + model.check_sign(first)


def a_day(random: Random) -> date:
    if random.random() < 0.2:
        return random.choice([date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2026, 7, 1)])
    return date(random.choice((2024, 2025, 2026, 2027)), random.randrange(1, 13), random.choice(DAYS))


def a_birth(random: Random, today: date) -> date:
    if random.random() < 0.4:
        years = random.choice((50, 51, 55, 58, 60, 61, 63))
        return date(today.year - years, 1, 15) + timedelta(days=31 * random.randrange(0, 16))
    return date(random.randrange(1960, 2005), random.randrange(1, 13), random.randrange(1, 29))


def a_stretch(random: Random, code: str, this: str) -> list[model.Stretch]:
    category = random.choice(("employee", "employee", "flexible", "resident"))
    kind = {"flexible": "1103", "resident": "1501"}.get(category, random.choice(("1101", "1102", "1201")))
    region = code if random.random() < 0.7 else random.choice(model.REGIONS)
    last = None if random.random() < 0.4 else model.plus(this, random.randrange(-9, 2))
    if kind == "1201" and region != code:
        kind = "1101"
    first = model.plus(last or this, -random.randrange(0, 30))
    return [model.Stretch(region, category, fund, kind, first, last, "9") for fund in ("310", "330")]


def a_person(random: Random, code: str, birth: date, sex: str, today: date) -> model.Person:
    if random.random() < 0.25:
        return model.Person()
    this = model.month(today)
    stretches = [
        each for _ in range(random.choice((0, 0, 1, 1, 2))) for each in a_stretch(random, code, this)
    ]
    months = random.sample(range(-8, 2), random.choice((0, 0, 1, 3, 7)))
    charged = frozenset((random.choice(("310", "320", "330")), model.plus(this, each)) for each in months)
    return model.Person(random.choice((1, 1, 1, 1, 1, 1, 2)), "周小凡", birth, sex, tuple(stretches), charged)


def an_employer(random: Random, city: model.City, today: date) -> model.Employer:
    funds = {}
    for code in city.funds:
        if code in city.usual() or random.random() < 0.5:
            first = (
                "2001-01" if random.random() < 0.9 else model.plus(model.month(today), random.choice((-2, 1)))
            )
            funds[code] = ((first, None),)
    return model.Employer(f"{city.code}00001", random.choice(("active",) * 8 + ("paused", "ended")), funds)


def a_wage(random: Random, city: model.City, when: str) -> Decimal:
    floor, cap = model.bounds(city, when)
    steps = (Decimal(0), Decimal("0.01"), Decimal(1), Decimal("-0.01"), Decimal(-1), Decimal("123.45"))
    return random.choice((floor, cap, Decimal(8000), Decimal(5003))) + random.choice(steps)


def a_form(random: Random, city: model.City, birth: date, sex: str, today: date) -> model.Form:
    start = model.plus(
        model.month(today), random.choice((-25, -24, -8, -7, -6, -5, -3, -1, 0, 0, 0, 1, 1, 2))
    )
    funds = city.usual() if random.random() < 0.7 else random.sample(city.funds, random.randrange(0, 4))
    if random.random() < 0.3:
        funds = sorted({*funds, "320"} & set(city.funds), key=city.funds.index)
    kind = random.choice(("01",) * 12 + ("17", "08", "03", "06"))
    typed = number(random, birth, sex, kind == "17") if kind in ("01", "17") else "M12345678"
    if kind == "06":
        typed = "12345678"
    if kind == "03":
        typed = "武字第1234567号"
    if kind in ("01", "17") and random.random() < 0.1:
        typed = random.choice(
            (typed[:17], typed[:-1] + "A", typed[:10] + "0230" + typed[14:], "83" + typed[2:])
        )
    typed_too = kind not in ("01", "17")
    return model.Form(
        number=typed, start=start, wage=a_wage(random, city, model.month(today)), id_type=kind,
        name=random.choice(("周小凡",) * 9 + ("周大凡",)), funds=tuple(funds),
        birth=birth if typed_too else random.choice((None, None, birth, date(1980, 1, 1))),
        sex=sex if typed_too else random.choice(("", "", sex, "1")),
        post=random.choice(("", "worker", "management")),
    )  # fmt: skip


def asked(form: model.Form) -> product.EnrolRequest:
    return product.EnrolRequest(
        form.id_type,
        form.number,
        form.name,
        form.wage,
        form.start,
        form.funds,
        form.birth,
        form.sex,
        form.post,
    )


def known(person: model.Person, code: str) -> product.PersonFacts:
    stretches = tuple(
        product.EnrolmentFacts(each.category, each.region, each.first, each.last, each.employer_no)
        for each in person.stretches
    )
    types = [each.person_type for each in person.stretches if each.region == code and each.last is None]
    last: dict[str, str] = {}
    for fund, when in person.charged:
        last[fund] = max(when, last.get(fund, ""))
    return product.PersonFacts(
        person.records, person.name, person.birth, person.sex, first_of(types), stretches, last,
        frozenset(when for _, when in person.charged),
    )  # fmt: skip


def first_of(types: list[str]) -> str:
    """A retiree stays one, whatever else he is insured as."""
    return min(types, key=lambda kind: kind != "1201", default="")


def held(employer: model.Employer, code: str) -> product.EmployerFacts:
    funds = {fund: spans[-1] for fund, spans in employer.funds.items()}
    return product.EmployerFacts(employer.number, code, employer.status, funds)


@pytest.mark.parametrize("code", model.REGIONS)
def test_both_judge_alike(code: str) -> None:
    random, city, params = Random(f"matrix {code}"), model.City(code), parameters(code)
    seen: set[str] = set()
    for place in range(CASES):
        today = a_day(random)
        birth, sex = a_birth(random, today), random.choice("12")
        person = a_person(random, code, birth, sex, today)
        employer = an_employer(random, city, today)
        form = a_form(random, city, birth, sex, today)
        wanted = model.judge(city, form, person, employer, today)
        found = product.check_enrol(params, asked(form), known(person, code), held(employer, code), today)
        case = (place, today, form, person, employer)
        assert reasons(each.code for each in found.problems) == wanted.refusals, case
        assert reasons(each.code for each in found.warnings) == wanted.warnings, case
        seen |= wanted.refusals | wanted.warnings
        if not wanted.refusals:
            compare_amounts(city, params, form, person, employer, today)
    assert len(seen) > 12, seen


def compare_amounts(city, params, form, person, employer, today: date) -> None:
    wanted = model.outcome(city, form, person, employer, today)
    charged = {when for _, when in person.charged}
    months = product.backpay_months(params, form.start, today, charged)
    assert tuple(months) == wanted.months, (today, form, person.charged)
    made = {
        (due.accrual_month, due.line.fund, due.line.party): to_fen(due.line.amount)
        for due in backpay_lines(params, months, form.wage, today, form.funds)
    }
    assert made == wanted.lines, (today, form)
    base = tariff(params, form.start, funds=form.funds).base(form.wage, CLIP).amount
    assert {to_fen(base)} == {base for _, _, base in wanted.enrolments.values()}
    assert {product.person_type(params, form.funds)} == {kind for kind, _, _ in wanted.enrolments.values()}
    status = product.enrolment_status(form.start, today)
    assert status == ("upcoming" if wanted.upcoming else "active")
