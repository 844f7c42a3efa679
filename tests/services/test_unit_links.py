"""WN-1.3d: an employer's admin links its other unit numbers by the phone on record there."""

import re
from datetime import timedelta

import pytest

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import accounts, codes, declarations, sms, throttle, timers, unit_linking
from app.store import units
from app.store.models import AccountEvent, Declaration, Employer, OneTimeCode, Outbox, UserEmployer
from app.store.session import transaction
from tests.services.conftest import rows

WEINAN = "610500"


@pytest.fixture(autouse=True)
def fresh_counters():
    throttle._local.clear()
    yield
    throttle._local.clear()


@pytest.fixture
def admin(person):
    return person("weinan.admin")


def form(place=4):
    unit = units.find_unit(WEINAN, employer_no=f"{WEINAN}{place:05d}")
    return {"employer_no": [unit.employer_no], "credit_code": [unit.credit_code]}


def linked_id(place=4):
    return units.find_unit(WEINAN, employer_no=f"{WEINAN}{place:05d}").id


def last_code(now) -> str:
    for row in rows(Outbox):
        if row.topic == "sms":
            sms.deliver(row.id, now)
    return re.search(r"验证码(\d{6})", sms.kept_messages()[0].text)[1]


def refused(error) -> list[str]:
    return [each.code for each in error.value.errors]


def test_a_linked_unit_can_be_chosen_by_every_operator(admin, person, now):
    reference = unit_linking.start(admin, form(), now)
    waiting = unit_linking.open_link(admin)
    assert (waiting.reference, waiting.phone_masked) == (reference, "139****0004")
    unit_linking.verify(admin, reference, last_code(now), now)
    assert rows(Declaration, reference=reference)[0].status == "approved"
    handler = person("weinan.handler")
    assert linked_id() in handler.employer_ids
    accounts.switch_employer(handler, linked_id())
    assert person("weinan.handler").employer_id == linked_id()
    assert unit_linking.linked_units(person("weinan.admin")) == {linked_id()}
    event = rows(AccountEvent)[-1]
    assert (event.action, event.detail["linked"]) == ("employer.linked", linked_id())
    with pytest.raises(Rejected) as error:
        unit_linking.start(admin, form(), now)
    assert refused(error) == ["employer_link.linked"]


def test_wrong_codes_are_counted_and_nothing_is_linked(admin, now):
    reference = unit_linking.start(admin, form(), now)
    code = last_code(now)
    for _ in range(codes.MAX_TRIES):
        with pytest.raises(Rejected) as error:
            unit_linking.verify(admin, reference, f"{(int(code) + 1) % 10**6:06d}", now)
        assert refused(error) == ["code.wrong"]
    with pytest.raises(Rejected):
        unit_linking.verify(admin, reference, code, now)
    assert rows(UserEmployer, employer_id=linked_id()) == []
    with transaction():
        for row in rows(OneTimeCode):
            row.created_at_utc -= timedelta(minutes=2)
    unit_linking.resend(admin, reference, now)
    unit_linking.verify(admin, reference, last_code(now), now)
    assert rows(UserEmployer, employer_id=linked_id()) != []


def test_a_link_begun_again_and_again_sends_no_more_codes(admin, now):
    """Each link is a case of its own: its codes must not begin to be counted anew with it."""
    for _ in range(codes.SENT_PER_HOUR):
        unit_linking.give_up(admin, unit_linking.start(admin, form(), now), now)
    with pytest.raises(Rejected) as error:
        unit_linking.start(admin, form(), now)
    assert refused(error) == ["code.too_many"]
    assert len(rows(OneTimeCode)) == codes.SENT_PER_HOUR
    # another unit's phone has had none
    unit_linking.start(admin, form(place=5), now)


def test_a_name_with_braces_is_a_name(admin, now):
    with transaction():
        rows(Employer, id=admin.employer_id)[0].name = "甲{0}乙{code}有限公司"
    reference = unit_linking.start(admin, form(), now)
    unit_linking.verify(admin, reference, last_code(now), now)
    assert "甲{0}乙" in sms.kept_messages()[0].text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"credit_code": ["91610500MA1WRONG00"]}, "employer_link.no_match"),
        ({"employer_no": ["32080000004"]}, "employer_link.no_match"),
        ({"employer_no": ["61050099999"]}, "employer_link.no_match"),
    ],
)
def test_wrong_data_are_refused(admin, now, change, code):
    with pytest.raises(Rejected) as error:
        unit_linking.start(admin, {**form(), **change}, now)
    assert refused(error) == [code]
    assert rows(OneTimeCode) == []


def test_only_an_admin_links(person, now):
    with pytest.raises(Forbidden):
        unit_linking.start(person("weinan.handler"), form(), now)
    with pytest.raises(Rejected) as error:
        declarations.file(person("weinan.handler"), "employer_link", form(), now)
    assert refused(error) == ["employer_link.admin_only"]


def test_one_link_at_a_time_and_it_can_be_dropped(admin, now):
    reference = unit_linking.start(admin, form(), now)
    with pytest.raises(Rejected) as error:
        unit_linking.start(admin, form(place=5), now)
    assert refused(error) == ["employer_link.one_open"]
    unit_linking.give_up(admin, reference, now)
    assert rows(Declaration, reference=reference)[0].status == "recalled"
    with pytest.raises(Conflict):
        unit_linking.verify(admin, reference, "123456", now)
    unit_linking.start(admin, form(place=5), now)


def test_a_link_that_nobody_finishes_is_closed(admin, now):
    unit_linking.start(admin, form(), now)
    timers.wake_due(now + timedelta(days=1, minutes=1))
    assert unit_linking.open_link(admin) is None
    assert rows(Declaration)[0].result_code == "employer_link.expired"


def test_only_what_was_linked_is_taken_away(admin, person, now):
    unit_linking.verify(admin, unit_linking.start(admin, form(), now), last_code(now), now)
    linker = person("weinan.admin")
    other = next(
        each for each in sorted(linker.employer_ids) if each not in (linker.employer_id, linked_id())
    )
    with pytest.raises(Rejected) as error:
        unit_linking.unlink(linker, other)
    assert refused(error) == ["employer_link.not_linked"]
    unit_linking.unlink(linker, linked_id())
    assert rows(UserEmployer, employer_id=linked_id()) == []
    assert unit_linking.linked_units(person("weinan.admin")) == set()


def test_another_employers_link_is_not_found(admin, person, now):
    reference = unit_linking.start(admin, form(), now)
    with pytest.raises(NotFound):
        unit_linking.verify(person("huaian.admin"), reference, last_code(now), now)
