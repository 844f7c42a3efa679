"""Approving many at once over HTTP, without script: asked first, then done, case by case."""

import re

import pytest

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.services import accounts, declarations
from app.store.accounts import find_user
from app.store.models import Declaration, HumanTask
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import NANTONG, citizen, nantong_form, rows
from tests.web.conftest import post

LIST = "/inbox?kind=enrol&step=first_audit"


@pytest.fixture
def tasks(app):
    """Three enrolments that wait for the first audit."""
    with app.app_context():
        handler = accounts.load_account(find_user("nantong.handler").id, to_utc(TEST_NOW)).actor
        for place in range(3):
            form = nantong_form(citizen(NANTONG, "not_insured", place))
            declarations.file(handler, "enrol", form, TEST_NOW, submit_now=True)
        return [str(row.id) for row in rows(HumanTask)]


def statuses(app):
    with app.app_context():
        return sorted(row.status for row in rows(Declaration))


def hidden(text):
    """The hidden fields of the page's confirmation."""
    found = re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)">', text.split('class="confirm"')[1]
    )
    fields: dict[str, list[str]] = {}
    for name, value in found:
        fields.setdefault(name, []).append(value)
    return fields


def test_ticked_tasks(app, sign_in, tasks):
    auditor = sign_in("nantong.auditor", DEMO_PASSWORD)
    assert "批量通过" in auditor.get(LIST).text
    asked = post(auditor, "/inbox/approve", LIST, task=tasks[:2])
    assert "将通过 2 件职工增加申报（初审）" in asked.text
    assert statuses(app) == ["submitted"] * 3
    answer = auditor.post("/inbox/approve", data=hidden(asked.text))
    assert answer.status_code == 303
    assert statuses(app) == ["approved", "approved", "submitted"]
    assert "已通过 2 件" in auditor.get(answer.location).text
    assert post(auditor, "/inbox/approve", LIST).status_code == 422


def test_all_that_a_filter_finds(app, sign_in, tasks):
    auditor = sign_in("nantong.auditor", DEMO_PASSWORD)
    assert "全部通过" not in auditor.get("/inbox").text
    asked = post(auditor, "/inbox/approve/all", LIST, kind="enrol", step="first_audit")
    assert "将通过 3 件" in asked.text
    answer = auditor.post("/inbox/approve/all", data=hidden(asked.text))
    assert (answer.status_code, statuses(app)) == (303, ["approved"] * 3)


def test_not_for_others(app, sign_in, tasks):
    handler = sign_in("nantong.handler", DEMO_PASSWORD)
    assert post(handler, "/inbox/approve", "/hall", task=tasks, confirmed="1").status_code == 403
    stranger = sign_in("suzhou.auditor", DEMO_PASSWORD)
    assert post(stranger, "/inbox/approve", "/inbox", task=tasks, confirmed="1").status_code == 422
    assert statuses(app) == ["submitted"] * 3
