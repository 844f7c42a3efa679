"""Addresses and forms that no page leads to: a number that no row can have ends in words."""

import pytest

EMPLOYER = (
    "/base-year?after={n}",
    "/payment-notices?after=2026-01.{n}",
    "/payment-notices/{n}",
    "/declare/stop?person={n}",
    "/declare/stop/people?after={n}",
    "/imports/enrol/{n}/materials",
    "/imports/enrol/{n}/materials/files/{n}",
    "/imports/enrol/{n}",
    "/imports/enrol?before={n}",
    "/messages?before={n}",
    "/operators/{n}",
    "/people/reaching-retirement?start={n}",
    "/submitted?before={n}",
)
AGENCY = (
    "/base-years/{n}",
    "/inbox?after={n}-{n}",
    "/inbox?open={n}",
    "/incidents?before={n}",
    "/incidents/{n}",
    "/ledger?before={n}",
    "/payment-notices?before=2026-01.{n}",
    "/payment-orders?after={n}",
)
COUNTER = ("/counter/cases/drafts?before={n}", "/counter/cases/submitted?after={n}", "/counter/units/{n}")


@pytest.mark.parametrize("number", ["9" * 19, "9" * 40, "-1", "٣"])
@pytest.mark.parametrize(
    ("who", "addresses"),
    [("suzhou.admin", EMPLOYER), ("suzhou.supervisor", AGENCY), ("nantong.counter", COUNTER)],
)
def test_a_number_beyond_any_id_ends_in_words(visit, who, addresses, number):
    browser = visit(who)
    got = {address: browser.get(address.format(n=number)).status_code for address in addresses}
    assert {address: status for address, status in got.items() if status not in (200, 404)} == {}


ZEROS = (
    "/cases/%00",
    "/counter/cases/drafts?q=%00",
    "/counter/units/%00",
    "/counter?q=a%00b",
    "/declare/enrol?unit=%00",
    "/payment-notices/%00",
    "/payment-notices?q=%00",
    "/messages/sms?last4=%00",
)


def test_the_sign_that_no_column_takes_is_refused(visit):
    browser = visit("nantong.counter")
    got = {address: browser.get(address).status_code for address in ZEROS}
    assert {address: status for address, status in got.items() if status != 400} == {}
    assert browser.post("/login", {"username": "a\0b", "password": "x"}).status_code == 400


@pytest.mark.parametrize("number", ["9" * 19, "9" * 40, "x"])
def test_posted_numbers_beyond_any_id_end_in_words(visit, number):
    employer, agency = visit("suzhou.admin"), visit("suzhou.supervisor")
    answers = [
        employer.post("/hall/employer", {"employer_id": number}),
        employer.post("/operators/new", {"employers": number}),
        employer.post(f"/units/{number}/unlink", {"confirmed": "1"}),
        agency.post("/inbox/claim", {"task": number}),
        agency.post("/inbox/claim", {"one": number}),
        agency.post(f"/payment-orders/{number}/paid", {"paid_on": "2026-11-01"}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
