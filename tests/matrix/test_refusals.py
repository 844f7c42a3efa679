"""What each city refuses or only warns of, at the pages: the model's reasons, in the city's own sentences.

A refused form answers 422, leads to its fields, keeps what was typed and leaves nothing behind.
"""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import update

from app.clock import configure
from app.extensions import db
from app.store.models import Declaration, Employer, EmployerFund
from app.store.session import insert_rows, transaction
from tests.matrix import model, registry
from tests.matrix.conftest import Hall
from tests.matrix.forms import Filled, fill
from tests.matrix.test_journeys import every_city, file_and_compare
from tests.matrix.words import SAID, sentences

# the pages' refusals do not depend on the database: one is enough, the journeys run on both
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FLOOR_MONTH = "2026-11"
THIS, LAST, NEXT, AFTER = "2026-11-30", "2026-10-01", "2026-12-31", "2027-01-01"


def refused(hall: Hall, filled: Filled, expected: str | None = None) -> frozenset[str]:
    """Type a form that the model refuses: the page must say the same, and the registry stays as it is."""
    judged = judge(hall, filled)
    assert judged.refusals, filled.form
    if expected:
        assert expected in judged.refusals
    before, cases = registry.mark(), len(list_references())
    page = hall.check(filled)
    assert page.status == 422, (judged.refusals, page.words("//main"))
    assert_sentences(hall, page.refusals, judged.refusals)
    assert all(page.linked_fields[: len(page.refusals)]) or "employer" in str(judged.refusals)
    shown = page.tree.xpath("//*[@name='id_number']/@value")
    assert shown == [filled.form.number]
    assert registry.added_since(before).nothing
    assert len(list_references()) == cases
    return judged.refusals


def warned(hall: Hall, filled: Filled) -> frozenset[str]:
    """Type a form that is only warned of: the check page says it, and so does the case."""
    judged = judge(hall, filled)
    assert judged.refusals == frozenset()
    assert judged.warnings
    page = hall.check(filled)
    assert page.status == 200, page.refusals
    if not hall.city.way.wizard:
        found = page.words("//*[contains(@class,'alert') and contains(@class,'warn')]")
        for pattern in patterns(hall, judged.warnings):
            assert any(pattern.search(text) for text in found), (pattern, found)
    return judged.warnings


def judge(hall: Hall, filled: Filled) -> model.Judgement:
    person = registry.person_of(hall.city.code, filled.form.number)
    return model.judge(hall.city, filled.form, person, hall.employer, hall.today)


def patterns(hall: Hall, reasons: frozenset[str]):
    own = model.document(hall.city.code).get("messages", {})
    return sentences(own, model.document("common")["messages"], reasons)


def assert_sentences(hall: Hall, said: list[str], reasons: frozenset[str]) -> None:
    wanted = patterns(hall, reasons)
    assert len(said) == len(wanted), (said, reasons)
    for pattern in wanted:
        assert any(pattern.fullmatch(text) for text in said), (pattern.pattern, said)


def list_references() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Declaration.reference)))


# case of the demonstration, start, reason; None where the city decides by itself (the model says how)
PEOPLE = [
    ("flexible", THIS, "insured as flexible"),
    ("resident", THIS, "insured as resident"),
    ("double_record", THIS, "two records"),
    ("past_age_male", THIS, None),
    ("past_age_female", THIS, None),
    ("reaches_age_male", THIS, None),
    ("near_age_male", THIS, None),
    ("near_age_female", THIS, None),
    ("active_elsewhere_employer", THIS, "insured at an employer"),
    ("active_same_employer", THIS, "insured at an employer"),
    ("active_elsewhere_region", THIS, None),
    ("upcoming", THIS, "insured at an employer"),
    ("stopping", THIS, "insured at an employer"),
    ("stopping", NEXT, None),
    ("retired", THIS, "retired"),
    ("charged_fully", THIS, None),
    ("charged_partly", "2026-07-31", "insured at an employer"),
    ("charged_partly", "2026-08-31", None),
    ("unknown", THIS, None),
]


@every_city
def test_people_whom_a_city_knows_differently(hall, code):
    here = hall(code)
    for case, start, reason in PEOPLE:
        filled = fill(here.city, here.peek(case), start)
        judged = judge(here, filled)
        if reason is not None or judged.refusals:
            refused(here, filled, reason)
            continue
        if judged.warnings:
            warned(here, filled)
            continue
        file_and_compare(here, fill(here.city, here.citizen(case), start))


@every_city
def test_wages_at_the_bounds(hall, code):
    here = hall(code)
    floor, cap = model.bounds(here.city, FLOOR_MONTH)
    for wage in (f"{floor}", f"{cap}", f"{floor - 1}", f"{cap + 1}", "6000.5", f"{floor}.01", "0"):
        filled = fill(here.city, here.peek("not_insured"), THIS, wage=wage)
        if wage == "0" or (code == "320600" and "." in wage):
            # the form itself refuses these, before any rule is asked
            assert here.check(filled).status == 422
            assert here.hand.page.linked_fields == ["wage_yuan"]
        elif judge(here, filled).refusals:
            refused(here, filled)
        elif not here.city.way.wizard or wage == f"{cap}":
            here.citizen("not_insured")
            file_and_compare(here, filled)


@every_city
def test_starts_of_every_distance(hall, code):
    here = hall(code)
    for start in (AFTER, "2027-02-28", "2024-10-31", "1999-12-31"):
        refused(here, fill(here.city, here.peek("not_insured"), start))
    accepted = (NEXT, LAST, "2026-05-31", "2025-12-01", "2024-11-30")
    # a wizard's seven pages say nothing new about months
    for start in accepted[-1:] if here.city.way.wizard else accepted:
        file_and_compare(here, fill(here.city, here.citizen("not_insured"), start))


@pytest.mark.parametrize("status", ["paused", "ended"])
@every_city
def test_an_employer_that_pays_no_more(hall, code, status):
    here = hall(code)
    filled = fill(here.city, here.citizen("not_insured"), THIS)
    with transaction() as session:
        session.execute(update(Employer).where(Employer.id == here.employer_id).values(status=status))
    refused(here, filled, f"employer {status}")
    assert here.hand.open("/hall").status == 200
    assert here.hand.open("/submitted").status == 200


@every_city
def test_only_the_employers_own_funds(hall, code):
    here = hall(code)
    if code == "320600":
        return
    citizen = here.citizen("not_insured")
    page = here.hand.open("/declare/enrol")
    offered = {
        fund for value in page.tree.xpath("//input[@name='funds']/@value") for fund in value.split(",")
    }
    assert offered == set(here.city.usual())
    # what the page does not offer, a made-up post cannot choose
    filled = fill(here.city, citizen, THIS, funds=[*here.city.usual(), "320"])
    assert "fund that the employer has not" in judge(here, filled).refusals
    post_anyway(here, filled)
    assert here.hand.page.status == 422
    assert "funds" in here.hand.page.linked_fields


def post_anyway(here: Hall, filled: Filled) -> None:
    """Post a form without regard to what the page offers."""
    pairs = [("csrf_token", here.hand.token())]
    if here.hand.page.tree.xpath("//*[@name='person_type']"):
        pairs.append(("person_type", "1101"))
    for name, value in filled.typed.items():
        pairs += [(name, each) for each in (value if isinstance(value, list) else [value])]
    here.hand.send("/declare/enrol", [*pairs, ("action", "file" if here.city.way.wizard else "check")])


def test_suzhous_forced_funds_cannot_be_left_out(hall):
    here = hall("320500")
    page = here.hand.open("/declare/enrol")
    boxes = page.tree.xpath("//input[@type='checkbox'][@name='funds']")
    assert {box.get("value") for box in boxes} == set(here.city.forced())
    assert all(box.get("disabled") is not None and box.get("checked") is not None for box in boxes)
    filled = fill(here.city, here.citizen("not_insured"), THIS, funds=["310", "330"])
    assert judge(here, filled).refusals == {"forced fund missing"}
    post_anyway(here, filled)
    assert here.hand.page.status == 422
    assert_sentences(here, here.hand.page.refusals, frozenset({"forced fund missing"}))


@pytest.mark.parametrize("code", ["320100", "320500", "320600", "320800", "610500"])
def test_identity_numbers_and_other_documents(hall, code):
    here = hall(code)
    citizen = here.citizen("unknown")
    good = citizen.id_number
    wrong = [good[:17] + ("0" if good[17] != "0" else "1"), good[:15], good[:6] + "20280101" + good[14:]]
    for number in wrong:
        assert here.check(fill(here.city, replace(citizen, id_number=number), THIS)).status == 422
        assert here.hand.page.linked_fields[:1] == ["id_number"], here.hand.page.refusals
    if code in ("320100", "320600"):
        assert "id_type" not in here.hand.page.text
        return
    permit = "830000" + citizen.birth_date.strftime("%Y%m%d") + "015"
    permit += model.check_sign(permit)
    documents = {
        "17": permit,
        "08": "E12345678",
        "07": "CHN310187010101",
        "06": "12345678",
        "04": "H12345678",
    }
    for id_type, number in documents.items():
        typed = {"id_type": id_type, "id_number": number}
        if id_type != "17":
            # without a number that holds them, birth date and sex must be typed
            assert here.check(fill(here.city, citizen, THIS, **typed)).status == 422
            assert {"birth_date", "sex"} <= set(here.hand.page.linked_fields)
            typed |= {"birth_date": "1990-02-28", "sex": "1", "nationality": "CHN"}
        file_document(here, fill(here.city, citizen, THIS, **typed))
    counter = {
        "02": "军字第1234567号",
        "03": "武字第1234567号",
        "09": "G1234567",
        "16": "G12345678",
        "99": "A12345",
    }
    for id_type, number in counter.items():
        typed = {"id_type": id_type, "id_number": number, "birth_date": "1990-02-28", "sex": "1"}
        page = here.check(fill(here.city, citizen, THIS, **typed))
        assert page.status == 422
        assert "id_type" in page.linked_fields, (id_type, page.refusals)
    # a permit's number is no identity card, and the other way round
    for id_type, number in (("01", permit), ("17", good)):
        page = here.check(fill(here.city, citizen, THIS, id_type=id_type, id_number=number))
        assert (page.status, page.linked_fields[:1]) == (422, ["id_number"])


def file_document(here: Hall, filled: Filled) -> None:
    before = registry.mark()
    reference = here.file(filled)
    if here.city.way.pending:
        here.submit(reference)
    if here.city.way.audits:
        assert here.desk.decide(reference, "approve") == "approved"
    added = registry.added_since(before)
    (person,) = added.people
    form = filled.form
    birth = form.birth or model.birth_in(form.number)
    sex = form.sex or model.sex_in(form.number)
    assert (person.id_type, person.birth_date, person.sex) == (form.id_type, birth, sex)
    assert {row.fund for row in added.enrolments} == set(form.funds)


def test_the_post_decides_a_womans_age(hall):
    for code in ("320500", "320100"):
        here = hall(code)
        if code == "320500":
            woman = replace(here.citizen("unknown"), id_number=make_number(date(1976, 1, 15), "2"))
            refused(here, fill(here.city, woman, THIS), "woman's age")
            refused(here, fill(here.city, woman, THIS, post_category="worker"), "woman's age")
            file_and_compare(here, fill(here.city, woman, THIS, post_category="management"))
        else:
            woman = here.citizen("past_age_female")
            refused(here, fill(here.city, woman, THIS, post_category="management"), "woman's age")


def make_number(birth: date, sex: str) -> str:
    first = f"110101{birth:%Y%m%d}90{1 if sex == '1' else 2}"
    return first + model.check_sign(first)


def test_suzhous_sentences_word_for_word(hall, clock):
    here = hall("320500")
    for case, said in (
        ("flexible", "insured as flexible"),
        ("resident", "insured as resident"),
        ("double_record", "two records"),
        ("past_age_male", "man's age"),
        ("past_age_female", "woman's age"),
        ("active_elsewhere_employer", "insured at an employer"),
    ):
        page = here.check(fill(here.city, here.citizen(case), THIS))
        # the age's sentence goes on with the statutory month
        assert any(text.startswith(SAID[said]) for text in page.refusals), page.refusals
        if "age" in said:
            assert "法定退休年月：" in page.refusals[0]
    clock.set("2026-11-06T10:00:00")
    page = here.check(fill(here.city, here.citizen("not_insured"), "2026-12-01"))
    assert page.refusals == [SAID["next month not open"]]


DAYS = [
    datetime(2026, 11, 1), datetime(2026, 11, 6), datetime(2026, 11, 7), datetime(2026, 11, 10),
    datetime(2026, 11, 11), datetime(2026, 11, 30), datetime(2026, 12, 31), datetime(2027, 1, 1),
    datetime(2028, 2, 29),
]  # fmt: skip


@pytest.mark.parametrize("code", ["320100", "320500"])
def test_each_day_of_the_month(hall, code):
    here = hall(code)
    filed = 0
    for day in DAYS if code == "320500" else DAYS[-4:]:
        configure(day.replace(hour=9))
        this = model.month(day.date())
        for offset in (1, 0, -1, -6, -7):
            filled = fill(here.city, here.peek("not_insured"), f"{model.plus(this, offset)}-01")
            if judge(here, filled).refusals:
                refused(here, filled)
            elif offset in (1, -6) and filed < 10:
                filed += 1
                here.citizen("not_insured")
                file_and_compare(here, filled)
            else:
                compare_months_only(here, filled)


def compare_months_only(here: Hall, filled: Filled) -> None:
    """The check page names the months that the model pays back."""
    page = here.check(filled)
    assert page.status == 200, page.refusals
    wanted = model.outcome(here.city, filled.form, model.Person(1), here.employer, here.today)
    text = " ".join(page.words("//section[@aria-labelledby='amounts-title']"))
    if wanted.months:
        assert "、".join(wanted.months) in text
    elif (
        filled.form.start < model.month(here.today)
        and here.city.value("backpay.mode", model.month(here.today)) == "none"
    ):
        assert "不随本次申报计收" in text
    else:
        assert "没有需要补缴的月份" in text


def test_a_change_of_base_year_inside_the_months_paid_back(hall, clock):
    """Each month has its own floor: July's is higher than June's."""
    clock.set("2026-11-20T09:00:00")
    here = hall("320500")
    june, july = (model.bounds(here.city, month)[0] for month in ("2026-06", "2026-07"))
    assert june < july
    filled = fill(here.city, here.citizen("not_insured"), "2026-06-01", wage=f"{june + 1}")
    file_and_compare(here, filled)
    wanted = model.outcome(here.city, filled.form, model.Person(1), here.employer, here.today)
    assert len(set(wanted.bases.values())) == 2


def test_nanjing_takes_the_floor_where_no_wage_is_typed(hall):
    here = hall("320100")
    file_and_compare(here, fill(here.city, here.citizen("not_insured"), "2026-06-15", wage=None))


def test_an_employer_that_joined_a_fund_later(hall):
    """A start before the fund's first month is without it, although the page ticks it for everybody."""
    here = hall("320500")
    with transaction() as session:
        session.execute(
            update(EmployerFund)
            .where(EmployerFund.employer_id == here.employer_id, EmployerFund.fund == "410")
            .values(from_month="2026-10")
        )
        insert_rows(EmployerFund, [])
    ticked = here.city.usual()
    filled = fill(
        here.city, here.citizen("not_insured"), "2026-09-01", funds=[code for code in ticked if code != "410"]
    )
    file_and_compare(here, replace(filled, typed={**filled.typed, "funds": ticked}))
    file_and_compare(here, fill(here.city, here.citizen("not_insured"), "2026-10-01"))
