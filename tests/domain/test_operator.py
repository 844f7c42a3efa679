"""Operators of an employer, and what a unit states of itself: tables of cases."""

import pytest

from app.domain.employer_account import UnitFacts, agrees, check_link, check_registration, phone_of
from app.domain.operator import check_operator, is_mobile, left_without_admin

UNIT = UnitFacts("32080000004", "91320800MA000004XA", "active", "13932080004", ("310", "330"), False)


@pytest.mark.parametrize(
    ("phone", "fits"),
    [("13912345678", True), ("12912345678", False), ("1391234567", False), ("139123456789", False),
     ("１３９１２３４５６７８", False), ("", False)],
)  # fmt: skip
def test_a_mobile_number(phone, fits):
    assert is_mobile(phone) is fits


@pytest.mark.parametrize(
    ("phone", "name", "roles", "employers", "found"),
    [
        ("13912345678", "周小兰", {"handler"}, {1}, []),
        ("13912345678", "买买提·吐逊", {"handler", "admin"}, {1, 2}, []),
        ("1", "周小兰", {"handler"}, {1}, ["operator.phone"]),
        ("13912345678", "", {"handler"}, {1}, ["operator.name"]),
        ("13912345678", "<i>", {"handler"}, {1}, ["operator.name"]),
        ("13912345678", "周", set(), {1}, ["operator.roles"]),
        ("13912345678", "周", {"sysadmin"}, {1}, ["operator.roles"]),
        ("13912345678", "周", {"handler"}, set(), ["operator.employers"]),
        ("13912345678", "周", {"handler"}, {3}, ["operator.employers"]),
    ],
)
def test_an_operators_data(phone, name, roles, employers, found):
    assert [code for _, code in check_operator(phone, name, roles, employers, {1, 2})] == found


@pytest.mark.parametrize(
    ("admins", "stays", "left"),
    [
        ({1: {7}}, (), [1]),
        ({1: {7, 8}}, (), []),
        ({1: {7}}, {1}, []),
        ({1: {7}, 2: {7, 8}}, (), [1]),
        ({1: {8}}, (), []),
    ],
)
def test_an_employer_keeps_an_admin(admins, stays, left):
    assert left_without_admin(admins, 7, stays) == left


@pytest.mark.parametrize(
    ("stated", "same"),
    [
        ({"employer_no": "32080000004", "credit_code": "91320800MA000004XA"}, True),
        ({"credit_code": "91320800ma000004xa"}, True),
        ({"employer_no": "32080000004", "funds": ["330", "310"]}, True),
        ({"employer_no": "32080000004", "funds": ["310"]}, False),
        ({"employer_no": "32080000005"}, False),
        ({"employer_no": "32080000004", "credit_code": "X"}, False),
    ],
)
def test_what_is_stated_agrees(stated, same):
    assert agrees(UNIT, stated) is same
    assert not agrees(None, stated)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"status": "ended"}, "ended"),
        ({"has_account": True}, "registered"),
        ({"phone": ""}, "no_phone"),
        ({"phone_taken": True}, "no_phone"),
        ({"employer_no": "1", "has_account": True}, "no_match"),
    ],
)
def test_a_registration(changes, code):
    values = {name: getattr(UNIT, name) for name in UNIT.__slots__} | changes
    stated = {"employer_no": "32080000004"}
    found = [each.code for each in check_registration(UnitFacts(**values), stated, "employer_no").problems]
    assert found == ([f"employer_registration.{code}"] if code else [])


@pytest.mark.parametrize(
    ("own", "linked", "by_admin", "code"),
    [
        ("1", False, True, None),
        ("1", False, False, "admin_only"),
        ("1", True, True, "linked"),
        ("32080000004", False, True, "own"),
    ],
)
def test_a_link(own, linked, by_admin, code):
    stated = {"employer_no": "32080000004"}
    found = [each.code for each in check_link(own, UNIT, stated, linked=linked, by_admin=by_admin).problems]
    assert found == ([f"employer_link.{code}"] if code else [])


@pytest.mark.parametrize(
    ("details", "phone"),
    [
        ({"contact_mobile": "139 1234 5678", "contact_phone": "13800000000"}, "13912345678"),
        ({"contact_phone": "138-0000-0000"}, "13800000000"),
        ({"contact_mobile": "0517-88888888", "contact_phone": "0517-88888888"}, ""),
        ({}, ""),
    ],
)
def test_the_phone_on_record(details, phone):
    assert phone_of(details) == phone
