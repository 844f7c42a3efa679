"""A unit that is not in the registry is entered at the counter and approved by somebody else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import audits, declarations, reviewing, sms, unit_entry
from app.services.demo.identities import credit_code
from app.store import units
from app.store.employers import find_employer_by_no, funds_of
from app.store.models import Declaration, Employer, HumanTask, Outbox, User, UserEmployer, UserRole
from tests.services.conftest import rows

HUAIAN = "320800"
PHONE = "13600000077"


@pytest.fixture
def clerk(person):
    return person("huaian.counter")


def code(place=77) -> str:
    return credit_code(HUAIAN, "91", place)


def begin(clerk, now, **change):
    data = {"employer_name": "淮安新来企业有限公司", "credit_code": code(), **change}
    return unit_entry.begin(clerk, HUAIAN, data, now)


def form(**change):
    usual = {
        "employer_name": "淮安新来企业有限公司", "credit_code": code(), "unit_type": "企业",
        "management_type": "01", "funds": ["310", "330", "510"], "start_month": "2026-11",
        "contact_name": "何平", "contact_mobile": PHONE, "bank_name": "示例银行", "address": "示例路77号",
        "bank_account_name": "淮安新来企业有限公司", "bank_account": "6222003208000000077",
    }  # fmt: skip
    return {**usual, **change}


def file(clerk, begun, now, **change):
    return declarations.file(clerk, "employer_opening", form(**change), now, reference=begun.reference)


def decide(auditor, reference, now, decision="approve", opinion=""):
    (task,) = rows(HumanTask, reference=reference)
    return audits.decide(auditor, task.id, decision, opinion, (), now)


def refused(error) -> list[str]:
    return [each.code for each in error.value.errors]


def test_an_approved_unit_has_funds_and_an_admin_to_activate(clerk, person, now):
    begun = begin(clerk, now)
    assert begun.employer_no == f"{HUAIAN}00006"
    assert find_employer_by_no(begun.employer_no).status == "applying"
    assert units.find_unit(HUAIAN, employer_no=begun.employer_no) is None
    assert file(clerk, begun, now).status == "submitted"
    assert decide(person("huaian.auditor"), begun.reference, now).status == "approved"
    unit = find_employer_by_no(begun.employer_no)
    assert (unit.status, unit.unit_type, unit.management_type) == ("active", "企业", "01")
    assert unit.details["contact_mobile"] == PHONE
    assert b"6222003208000000077" not in unit.bank_cipher
    assert funds_of(unit.id, "2026-11") == ["310", "330", "510"]
    assert funds_of(unit.id, "2026-10") == []
    (user,) = rows(User, username=PHONE)
    assert user.status == "invited"
    assert [row.role for row in rows(UserRole, user_id=user.id)] == ["admin"]
    assert [row.employer_id for row in rows(UserEmployer, user_id=user.id)] == [unit.id]
    for row in rows(Outbox):
        if row.topic == "sms":
            sms.deliver(row.id, now)
    assert "网厅账号已开通" in sms.kept_messages()[0].text


def test_the_auditor_sees_what_was_checked(clerk, person, now):
    begun = begin(clerk, now)
    file(clerk, begun, now)
    seen = reviewing.review(person("huaian.auditor"), begun.reference, now)
    assert [(each.subject, each.state) for each in seen.findings][:3] == [
        ("单位信息", "passed"), ("参保信息", "passed"), ("专管员", "passed"),
    ]  # fmt: skip
    assert seen.employer.status == "applying"


def test_who_entered_it_does_not_decide(clerk, now):
    begun = begin(clerk, now)
    file(clerk, begun, now)
    with pytest.raises((Forbidden, Conflict, NotFound)):
        decide(clerk, begun.reference, now)


@pytest.mark.parametrize("way", ["reject", "discard"])
def test_what_is_not_approved_leaves_a_void_number(clerk, person, now, way):
    begun = begin(clerk, now)
    if way == "reject":
        file(clerk, begun, now)
        decide(person("huaian.auditor"), begun.reference, now, "reject", "材料不齐全，不予办理")
    else:
        assert declarations.discard(clerk, [begun.reference], now).done == 1
    unit = find_employer_by_no(begun.employer_no)
    assert unit.status == "void"
    assert rows(User, username=PHONE) == []
    assert begin(clerk, now).employer_no == f"{HUAIAN}00007"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"credit_code": "91320800MA1WRONG00"}, "credit_code."),
        ({"start_month": "2027-06"}, "employer_opening.month_limits"),
        ({"funds": ["410"]}, "employer_opening.fund_not_here"),
    ],
)
def test_wrong_forms_are_refused(clerk, now, change, expected):
    begun = begin(clerk, now)
    with pytest.raises(Rejected) as error:
        file(clerk, begun, now, **change)
    assert refused(error)[0].startswith(expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"employer_name": " "}, ["employer_opening.name"]),
        ({"credit_code": "123"}, ["credit_code.length"]),
        ({"credit_code": credit_code(HUAIAN, "91", 1)}, ["employer_opening.known"]),
    ],
)
def test_a_wrong_beginning_is_refused(clerk, now, change, expected):
    with pytest.raises(Rejected) as error:
        begin(clerk, now, **change)
    assert refused(error) == expected
    assert rows(Declaration) == []


def test_a_second_number_of_one_code_is_asked_first_and_shown_to_the_auditor(clerk, now):
    first = credit_code(HUAIAN, "91", 1)
    begun = begin(clerk, now, credit_code=first, confirmed="1")
    file(clerk, begun, now, credit_code=first)
    (case,) = rows(Declaration)
    assert case.facts["warnings"][0]["code"] == "employer_opening.known"


def test_two_clerks_do_not_enter_one_unit_twice(app, clerk, now):
    def go(_):
        with app.app_context():
            try:
                return begin(clerk, now).employer_no
            except Rejected as error:
                return error.errors[0].code

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(go, range(2)))
    assert found == [f"{HUAIAN}00006", "employer_opening.known"]
    assert len(rows(Employer, status="applying")) == 1


def test_only_the_counter_of_the_region_begins(person, now):
    with pytest.raises(Forbidden):
        begin(person("huaian.auditor"), now)
    with pytest.raises(NotFound):
        begin(person("suzhou.counter"), now)
    with pytest.raises(Forbidden):
        begin(person("huaian.admin"), now)


def test_a_standing_unit_is_not_entered_again(clerk, now):
    unit = find_employer_by_no(f"{HUAIAN}00001")
    with pytest.raises(Rejected) as error:
        declarations.file(clerk, "employer_opening", form(), now, employer_id=unit.id)
    assert refused(error) == ["employer_opening.standing"]
