"""Rows of other employers and regions are not there, whatever address or form asks for them."""

import pytest
from sqlalchemy import update

from app.clock import to_utc
from app.extensions import db
from app.services import accounts, assessing, declarations, imports
from app.store.accounts import find_user
from app.store.instances import INCIDENT
from app.store.models import Declaration, Employer, ProcessInstance
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import filled
from tests.services.conftest import rows
from tests.services.test_stop import employee
from tests.services.test_stop_batches import cells_of

MONTH = "2026-11"


@pytest.fixture
def theirs(app):
    """Ids of Weinan's first employer: employer, operator, batch, case, notice."""
    with app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        cells = [cells_of(employee(actor, 0), stop_month="202611", stop_reason="02-解除或终止劳动合同")]
        batch = imports.upload(
            actor, "stop", "减员.xlsx", filled(actor, "stop", cells), {}, TEST_NOW, queued=False
        ).batch
        draft = declarations.save_draft(actor, "enrol", {}, TEST_NOW)
        notice = assessing.assess(MONTH, TEST_NOW, employer_id=actor.employer_id).notices[0]
        found = {
            "employer": actor.employer_id, "user": actor.id, "batch": batch.id, "case": draft.reference,
            "notice": notice, "number": rows(Employer, id=actor.employer_id)[0].employer_no,
        }  # fmt: skip
        db.session.remove()
    return found


EMPLOYER = (
    "GET /payment-notices/{notice}",
    "GET /operators/{user}",
    "POST /operators/{user}",
    "POST /operators/{user}/disable",
    "POST /operators/{user}/reset",
    "POST /operators/{user}/remove",
    "POST /units/{employer}/unlink",
    "POST /units/link/{case}",
    "POST /hall/employer employer_id={employer}",
    "GET /imports/stop/{batch}/materials",
    "GET /imports/stop/{batch}/materials/people",
    "GET /imports/stop/{batch}/materials/review",
    "GET /imports/stop/{batch}/materials/files/1",
    "POST /imports/stop/{batch}/materials",
    "POST /imports/stop/{batch}/materials/assign who-1=all",
    "POST /imports/stop/{batch}/materials/files/1/delete",
    "POST /imports/stop/{batch}/materials/submit confirmed=1",
    "POST /imports/stop/{batch}/materials/discard confirmed=1",
    "POST /imports/stop/{batch}/materials/discard after=1",
    "GET /declare/enrol?reference={case}",
    "GET /declare/stop/people/many?reference={case}",
    "POST /declare/stop/people/many reference={case}",
    "GET /cases/{case}",
    "GET /cases/{case}/receipt",
    "POST /cases/{case}/proceed decision=next",
)
SUPERVISOR = (
    "GET /payment-notices/{notice}",
    "POST /payment-notices/{notice}/payments received_on=2026-11-17",
    "GET /base-years/{employer}",
    "GET /cases/{case}",
)
COUNTER = (
    "GET /counter/units/{number}",
    "GET /declare/enrol?unit={number}",
    "GET /declare/enrol?reference={case}",
    "POST /declare/enrol unit={number}",
    "POST /declare/enrol?unit={number}",
    "GET /base-years/{employer}",
    "GET /base-years?region=610500",
    "POST /base-years/carry region=610500&confirmed=1",
    "POST /cases/{case}/proceed decision=next",
    "POST /counter/opening region=610500&employer_name=某单位&credit_code=91610500MA6Y0A0000",
)


def asked(browser, line: str, ids: dict) -> int:
    method, address, *form = line.format(**ids).split(" ")
    if method == "GET":
        return browser.get(address).status_code
    values = dict(each.split("=") for each in form[0].split("&")) if form else {}
    return browser.post(address, values).status_code


@pytest.mark.parametrize("who", ["weinan.auditor", "weinan.supervisor", "weinan.counter"])
def test_the_agency_opens_a_half_filled_form_only_to_mend_it(app, visit, theirs, who):
    """A draft is its employer's, unless something broke on it; then it is shown and not judged."""
    browser, address = visit(who), f"/cases/{theirs['case']}"
    assert browser.get(address).status_code == 404
    with app.app_context():
        (draft,) = rows(Declaration, reference=theirs["case"])
        with transaction() as session:
            broken = update(ProcessInstance).where(ProcessInstance.declaration_id == draft.id)
            session.execute(broken.values(status=INCIDENT))
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize(
    ("who", "lines"),
    [("huaian.admin", EMPLOYER), ("suzhou.supervisor", SUPERVISOR), ("nantong.counter", COUNTER)],
)
def test_nobody_reaches_the_rows_of_others(app, visit, theirs, who, lines):
    browser = visit(who)
    got = {line: asked(browser, line, theirs) for line in lines}
    assert {line: status for line, status in got.items() if status != 404} == {}
