"""Correcting what an employer is registered as, at the counter: SZ-5.1 and JS-3.4 send it there."""

from dataclasses import replace

import pytest

from app.errors import NotFound, Rejected
from app.services import accounts, activating, audits, declarations, materials, throttle
from app.services.correcting_employer import corrections_of
from app.services.demo.identities import credit_code
from app.services.forms import setting_of
from app.services.unit_registration import register
from app.store.contacts import employer_data
from app.store.models import Declaration, Effect, Employer
from app.store.queries.counter import search_units
from app.store.units import find_unit
from tests.documents.samples import picture
from tests.services.conftest import HUAIAN, SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.test_races import at_once  # noqa: F401 - a fixture

KIND = "employer_correction"
REASON = "核对营业执照原件，登记时录入有误"
LEGAL_ID = "110101199003070134"


@pytest.fixture
def clerk(person, suzhou):
    return replace(person("suzhou.counter"), employer_id=suzhou.employer_id)


@pytest.fixture
def decider(person):
    return person("suzhou.auditor")


def typed(actor, now, **new):
    """The form as the page proposes it, with what is changed."""
    return {**setting_of(actor, KIND, now).defaults(now), "correction_reason": REASON, **new}


@pytest.fixture
def filed(clerk, now):
    """A correction with its paper, handed to the auditor: its reference."""

    def make(who=None, **new) -> str:
        actor = who or clerk
        made = declarations.file(actor, KIND, typed(actor, now, **new), now)
        assert made.status == "draft"
        materials.upload(actor, made.reference, "unit_change_proof", "licence.jpg", picture(), now)
        assert declarations.proceed(actor, made.reference, "next", now).status == "submitted"
        return made.reference

    return make


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [(error.field, error.code) for error in caught.value.errors]


def new_code(place=77):
    return credit_code(SUZHOU, "91", place)


def test_the_form_shows_what_is_on_record(clerk, now):
    form = typed(clerk, now)
    known = employer_data(clerk.employer_id)
    assert form["old_employer_name"] == form["employer_name"] == known["employer_name"]
    assert form["old_legal_person"] == form["legal_person"] == known["legal_person"]


def test_everything_is_corrected_and_the_former_values_stay_sealed(clerk, decider, suzhou, filed, now):
    (before,) = rows(Employer, id=clerk.employer_id)
    old_name, old_code = before.name, before.credit_code
    reference = filed(
        employer_name="苏州更名科技有限公司", employer_credit_code=new_code().lower(),
        employer_unit_type="其他", employer_management_type="02", legal_person="赵新",
        legal_id_type="01", legal_id_number=LEGAL_ID, legal_phone="0512-65000000", address="苏州市新路1号",
    )  # fmt: skip
    case = declarations.get_case(decider, reference, now)
    assert (case.data["old_employer_name"], case.data["employer_name"]) == (old_name, "苏州更名科技有限公司")
    assert rows(Employer, id=clerk.employer_id)[0].name == old_name
    done = audits.decide(decider, task_of(reference), "approve", "", [], now)
    assert (done.status, done.message_code) == ("approved", f"{KIND}.accepted")
    (unit,) = rows(Employer, id=clerk.employer_id)
    assert (unit.name, unit.credit_code, unit.unit_type, unit.management_type) == (
        "苏州更名科技有限公司", new_code(), "其他", "02",
    )  # fmt: skip
    assert LEGAL_ID not in str(unit.details)
    known = employer_data(unit.id)
    assert (known["legal_person"], known["legal_id_number"], known["address"]) == (
        "赵新", LEGAL_ID, "苏州市新路1号",
    )  # fmt: skip
    (effect,) = rows(Effect, effect=f"{KIND}.apply")
    assert old_name not in str(effect.result)
    assert LEGAL_ID not in str(effect.result)
    (kept,) = corrections_of(unit.id)
    assert kept.reference == reference
    assert kept.changed["employer_name"] == (old_name, "苏州更名科技有限公司")
    assert kept.changed["employer_credit_code"] == (old_code, new_code())
    assert not kept.code_override
    # wherever the hall names the unit
    user = accounts.load_account(suzhou.id, rows(Declaration, reference=reference)[0].created_at_utc)
    assert "苏州更名科技有限公司" in {each.name for each in user.employers}
    assert declarations.get_case(suzhou, reference, now).employer_name == "苏州更名科技有限公司"
    assert [each.id for each in search_units([SUZHOU], new_code())] == [unit.id]


def test_what_is_left_alone_stays(clerk, decider, filed, now):
    before = employer_data(clerk.employer_id)
    reference = filed(employer_name="只改名称有限公司")
    audits.decide(decider, task_of(reference), "approve", "", [], now)
    after = employer_data(clerk.employer_id)
    assert {name for name in before if before[name] != after.get(name)} == {"employer_name"}
    assert set(after) == set(before)


def test_a_code_that_fails_its_check_digit_needs_the_clerks_word(clerk, decider, filed, now):
    good = new_code()
    wrong = good[:17] + ("1" if good[17] != "1" else "2")
    form = typed(clerk, now, employer_credit_code=wrong)
    refused = codes(lambda: declarations.file(clerk, KIND, form, now))
    assert refused == [("employer_credit_code", f"{KIND}.check_digit")]
    reference = filed(employer_credit_code=wrong, code_confirmed=True)
    case = declarations.get_case(decider, reference, now)
    assert [each.code for each in case.warnings] == [f"{KIND}.code_unchecked"]
    assert case.facts["code_override"] is True
    audits.decide(decider, task_of(reference), "approve", "", [], now)
    assert rows(Employer, id=clerk.employer_id)[0].credit_code == wrong
    assert corrections_of(clerk.employer_id)[0].code_override
    # the unit is found by it, and what the clerk confirmed once is not asked again
    assert find_unit(SUZHOU, credit_code=wrong).id == clerk.employer_id
    again = filed(employer_name="再次更名有限公司")
    audits.decide(decider, task_of(again), "approve", "", [], now)


@pytest.mark.parametrize("code", ["91320500", "913205001234567O90"])
def test_the_word_helps_no_code_of_another_form(clerk, now, code):
    form = typed(clerk, now, employer_credit_code=code, code_confirmed=True)
    assert codes(lambda: declarations.file(clerk, KIND, form, now))[0][0] == "employer_credit_code"


def test_a_shared_code_is_told_and_not_refused(clerk, decider, filed, now):
    other = find_unit(SUZHOU, employer_no=f"{SUZHOU}00004")
    reference = filed(employer_credit_code=other.credit_code)
    case = declarations.get_case(decider, reference, now)
    (warning,) = case.warnings
    assert warning.code == f"{KIND}.same_code"
    assert other.employer_no in warning.message
    audits.decide(decider, task_of(reference), "approve", "", [], now)
    back = filed(employer_credit_code=new_code())
    case = declarations.get_case(decider, back, now)
    assert [each.code for each in case.warnings] == [f"{KIND}.left_behind"]


def test_nothing_changed_is_refused_and_the_employer_cannot_file_it(clerk, suzhou, now):
    assert codes(lambda: declarations.file(clerk, KIND, typed(clerk, now), now)) == [
        ("", f"{KIND}.nothing_changed")
    ]
    with pytest.raises(NotFound):
        declarations.file(suzhou, KIND, {}, now)


def test_a_clerk_of_another_region_finds_no_such_unit(person, suzhou, now):
    stranger = replace(person("nantong.counter"), employer_id=suzhou.employer_id)
    with pytest.raises(NotFound):
        setting_of(stranger, KIND, now)


def test_a_refused_correction_changes_nothing(clerk, decider, filed, now):
    name = employer_data(clerk.employer_id)["employer_name"]
    reference = filed(employer_name="不予更正有限公司")
    audits.decide(decider, task_of(reference), "reject", "证照不符", [], now)
    assert rows(Employer, id=clerk.employer_id)[0].name == name
    assert corrections_of(clerk.employer_id) == []


def test_one_change_of_an_employers_data_at_a_time(clerk, person, filed, now):
    """The auditor compares with what is on record: nothing else may change it meanwhile."""
    who = replace(person("huaian.counter"), employer_id=person("huaian.handler").employer_id)
    handler = person("huaian.handler")
    reference = filed(who, employer_name="淮安更名有限公司")
    form = setting_of(handler, "employer_update", now).defaults(now) | {"address": "淮安市新路2号"}
    with pytest.raises(Rejected) as caught:
        declarations.file(handler, "employer_update", form, now)
    assert caught.value.errors[0].code == "employer_update.one_open"
    audits.decide(person("huaian.auditor"), task_of(reference), "approve", "", [], now)
    assert declarations.file(handler, "employer_update", form, now).status == "submitted"
    late = typed(who, now, employer_name="再次更名有限公司")
    assert codes(lambda: declarations.file(who, KIND, late, now))[0][1] == f"{KIND}.one_open"


def test_two_desks_at_once_submit_one(clerk, now, at_once):  # noqa: F811
    made = []
    for name in ("甲名有限公司", "乙名有限公司"):
        case = declarations.file(clerk, KIND, typed(clerk, now, employer_name=name), now)
        materials.upload(clerk, case.reference, "unit_change_proof", "a.jpg", picture(), now)
        made.append(case.reference)
    good, refused = at_once(
        *[lambda each=each: declarations.proceed(clerk, each, "next", now) for each in made]
    )
    assert (len(good), len(refused)) == (1, 1)
    assert isinstance(refused[0], Rejected)


def test_a_registration_goes_by_the_new_code(person, now):
    throttle._local.clear()
    unit = find_unit(HUAIAN, employer_no=f"{HUAIAN}00004")
    clerk = replace(person("huaian.counter"), employer_id=unit.id)
    code = credit_code(HUAIAN, "91", 88)
    made = declarations.file(clerk, KIND, typed(clerk, now, employer_credit_code=code), now)
    materials.upload(clerk, made.reference, "unit_change_proof", "a.jpg", picture(), now)
    declarations.proceed(clerk, made.reference, "next", now)
    audits.decide(person("huaian.auditor"), task_of(made.reference), "approve", "", [], now)
    stated = {"employer_no": [unit.employer_no], "credit_code": [unit.credit_code]}
    with pytest.raises(Rejected) as caught:
        register(HUAIAN, stated, "10.0.0.9", now)
    assert caught.value.errors[0].code == "employer_registration.no_match"
    started = register(HUAIAN, {**stated, "credit_code": [code]}, "10.0.0.9", now)
    assert started.user_id
    assert activating.PURPOSE


def test_an_enrolment_goes_on_under_the_new_name(clerk, decider, suzhou, filed, now):
    audits.decide(decider, task_of(filed(employer_name="新名有限公司")), "approve", "", [], now)
    done = declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "unknown")), now)
    assert done.status == "done"
