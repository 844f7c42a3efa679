"""Pages of merges and transfers: the request after a refusal, ticks, what is masked; the arrears banner."""

import re

import pytest
from sqlalchemy import update

from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services.demo import demo_people
from app.store.models import ContributionLine, Employer
from app.store.session import transaction
from tests.web.conftest import token
from tests.web.test_picking import file, insured  # noqa: F401 - fixtures

TRANSFER = "/declare/employer_transfer"


@pytest.fixture
def client(sign_in):
    return sign_in("nanjing.handler", DEMO_PASSWORD)


def test_people_are_ticked_into_a_transfer(client, insured):  # noqa: F811
    people = [insured("nanjing", place) for place in range(2)]
    page = client.get(TRANSFER).text
    assert f'formaction="{TRANSFER}/people/open"' in page
    start = {
        "csrf_token": token(client, TRANSFER), "token": re.search(r'name="token" value="([^"]+)"', page)[1],
        "target_employer_no": "32010000002", "transfer_month": "2026-11", "transfer_reason": "740311",
    }  # fmt: skip
    # what cannot be kept is said on the form, with everything that was typed
    for address, more in ((f"{TRANSFER}/people/open", {}), (TRANSFER, {"action": "save"})):
        refused = client.post(address, data={**start, **more, "transfer_month": "x" * 30})
        assert refused.status_code == 422
        assert 'value="32010000002"' in refused.text
        assert 'href="#field-transfer_month"' in refused.text
    opened = client.post(f"{TRANSFER}/people/open", data=start)
    assert opened.status_code == 303
    roster = client.get(opened.headers["Location"]).text
    for found in people:
        assert f'name="person" value="{found.person_id}"' in roster
        assert found.id_number not in roster
    reference = re.search(r'name="reference" value="([^"]+)"', roster)[1]
    added = client.post(
        f"{TRANSFER}/people/many",
        data={
            "csrf_token": token(client, TRANSFER), "reference": reference, "action": "add",
            "person": [str(found.person_id) for found in people],
        },
    )  # fmt: skip
    assert added.status_code == 303
    form = client.get(added.headers["Location"]).text
    assert all(found.id_number in form for found in people)
    assert "已加入2人" in form
    # once more: nobody twice
    client.post(
        f"{TRANSFER}/people/many",
        data={
            "csrf_token": token(client, TRANSFER), "reference": reference, "action": "add",
            "person": str(people[0].person_id),
        },
    )  # fmt: skip
    shown = client.get(f"{TRANSFER}/people/many?reference={reference}").text
    assert 'data-chosen="2"' in shown


def test_the_agency_sees_the_numbers_masked(client, insured, sign_in):  # noqa: F811
    people = [insured("nanjing", place) for place in range(2)]
    _, receipt = file(
        client, "employer_transfer", target_employer_no="32010000002", transfer_month="202611",
        transfer_reason="740311", people=" ".join(found.id_number for found in people),
    )  # fmt: skip
    reference = re.search(r'data-ref="([^"]+)"', receipt)[1]
    auditor = sign_in("nanjing.auditor", DEMO_PASSWORD)
    page = auditor.get(f"/cases/{reference}").text
    assert people[0].name in page
    assert all(found.id_number not in page for found in people)


def test_a_stranger_picks_nobody(client, insured, sign_in):  # noqa: F811
    page = client.get(TRANSFER).text
    start = {
        "csrf_token": token(client, TRANSFER), "token": re.search(r'name="token" value="([^"]+)"', page)[1],
    }  # fmt: skip
    roster = client.post(f"{TRANSFER}/people/open", data=start).headers["Location"]
    other = sign_in("suzhou.handler", DEMO_PASSWORD)
    assert other.get(roster).status_code == 404


def test_sz_1_4_message_4_leads_to_the_merge_request(sign_in, app):
    client = sign_in("suzhou.handler", DEMO_PASSWORD)
    with app.app_context():
        (found,) = demo_people("320500", "double_record", 1)
    refused = client.post(
        "/declare/stop",
        data={
            "csrf_token": token(client, "/declare/stop"), "action": "check", "id_type": "01",
            "id_number": found.id_number, "stop_reason": "6301", "stop_date": "2026-11-30",
        },
    )  # fmt: skip
    assert refused.status_code == 422
    assert "data-merge" in refused.text
    checked, receipt = file(client, "person_merge", id_number=found.id_number)
    assert found.name in checked
    assert 'data-ref="' in receipt


def test_the_hall_tells_of_arrears(sign_in, app):
    client = sign_in("suzhou.handler", DEMO_PASSWORD)
    assert "data-arrears" not in client.get("/hall").text
    with app.app_context():
        found = db.session.query(Employer.id).filter_by(employer_no="32050000001").scalar()
        with transaction() as session:
            session.execute(
                update(ContributionLine)
                .where(ContributionLine.employer_id == found)
                .values(received_on=None, due_month="2026-08")
            )
        db.session.remove()
    page = client.get("/hall").text
    assert "data-arrears" in page
    assert "单位有欠费" in page
