"""One case for the agency: the system's check, differences, amounts, the person's file, marks, incidents."""

import re

import pytest

from app.definitions import publish
from app.extensions import db
from app.services import service_tasks
from app.store.models import Incident
from tests.fixtures.database import TEST_NOW
from tests.fixtures.server import ROOT
from tests.web.agency import Agency, decide
from tests.web.conftest import post


@pytest.fixture
def agency(app) -> Agency:
    return Agency(app)


def field(text: str, name: str) -> str:
    """One field of the form as the page shows it, without tags."""
    part = re.search(rf'data-field="{name}".*?</div>', text, re.S)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", part.partition(">")[2]).split())


def marks(text: str) -> dict[str, str]:
    """Diagram elements with their marks."""
    return dict(re.findall(r'data-element="(\w+)" data-mark="(\w*)"', text))


def test_the_check_passes_or_hints(agency):
    auditor = agency.browser("nantong.auditor")
    plain = auditor.get(f"/cases/{agency.file(0)}").text
    assert 'data-precheck="passed"' in plain
    assert "通过 8 项" in plain
    person = agency.citizen(0, "past_age_male")
    hinted = auditor.get(f"/cases/{agency.file(id_number=person.id_number)}").text
    assert 'data-precheck="hint"' in hinted
    assert "提示 1 项" in hinted
    assert "法定退休年月" in hinted


def test_what_a_correction_changed(agency):
    reference = agency.file(0)
    auditor = agency.browser("nantong.auditor")
    task = agency.task(reference)
    answer = decide(auditor, task, "return", opinion="请核对", return_fields=["wage_yuan", "post"])
    assert answer.status_code == 303
    page = auditor.get(f"/cases/{reference}").text
    assert 'name="decision"' not in page
    agency.file(0, reference=reference, wage_yuan="9000")
    page = auditor.get(f"/cases/{reference}").text
    assert field(page, "wage_yuan") == "缴费工资 9,000.00 元 原 8,000.00 元 上次要求补正"
    assert "原" not in field(page, "post")
    assert "上次要求补正" in field(page, "post")
    assert "初审：退回补正" in page


def test_amounts_and_the_persons_file(agency):
    auditor = agency.browser("nantong.auditor")
    person = agency.citizen(0, "active_elsewhere_region")
    page = auditor.get(f"/cases/{agency.file(id_number=person.id_number, start_month='2026-09')}").text
    assert set(re.findall(r'data-line data-accrual="([^"]+)"', page)) == {"2026-09", "2026-10"}
    assert "试算" in page
    assert "职工参保" in page
    assert "正常参保" in page
    # nobody is shown a code
    assert "employee" not in re.sub(r"<[^>]+>", " ", page)


def test_a_renamed_task_moves_the_mark(agency):
    before = agency.file(0)
    path = ROOT / "bpmn" / "processes" / "audit.bpmn"
    renamed = path.read_text("utf-8").replace("first_audit", "first_look")
    with agency.app.app_context():
        publish.publish("bpmn/processes/audit.bpmn", renamed.encode(), now=TEST_NOW)
        db.session.remove()
    after = agency.file(1)
    auditor, handler = agency.browser("nantong.auditor"), agency.browser("nantong.handler")
    old, new = (marks(auditor.get(f"/cases/{each}").text) for each in (before, after))
    assert (old["first_audit"], old.get("first_look")) == ("current", None)
    assert (new["first_look"], new.get("first_audit")) == ("current", None)
    assert (new["fill"], new["confirm"], new["audit"]) == ("done", "done", "current")
    drawn = handler.get(f"/cases/{after}/diagram").json["processes"]
    assert next(each["marks"] for each in drawn if each["id"] == "audit")["first_look"] == "current"

    decide(auditor, agency.task(after), "approve")
    ended = marks(auditor.get(f"/cases/{after}").text)
    assert (ended["first_look"], ended["apply"], ended["correct"]) == ("done", "done", "")


def test_incidents_are_seen_and_retried(agency, monkeypatch):
    reference = agency.file(0)
    task = agency.task(reference)
    real = service_tasks.SERVICES["enrolment.apply"]

    def fail(context, **given):
        real(context, **given)
        raise RuntimeError("the registry is on fire")

    monkeypatch.setattr(service_tasks, "SERVICES", {**service_tasks.SERVICES, "enrolment.apply": fail})
    auditor = agency.browser("nantong.auditor")
    answer = decide(auditor, task, "approve")
    assert answer.status_code == 500
    assert "on fire" not in answer.text
    with agency.app.app_context():
        number = db.session.execute(db.select(Incident.id)).scalar_one()
        db.session.remove()
    assert auditor.get("/incidents").status_code == 403
    assert str(number) not in agency.browser("suzhou.supervisor").get("/incidents").text
    assert agency.browser("suzhou.supervisor").get(f"/incidents/{number}").status_code == 404
    assert str(number) in agency.browser("sysadmin").get("/incidents").text

    supervisor = agency.browser("nantong.supervisor")
    assert f'data-incident="{number}"' in supervisor.get("/incidents").text
    page = supervisor.get(f"/incidents/{number}").text
    assert reference in page
    assert "审核" in page
    again = post(supervisor, f"/incidents/{number}/retry", "/incidents")
    assert again.location.endswith(f"/incidents/{number}")
    assert "重试仍然失败" in supervisor.get(again.location).text
    monkeypatch.undo()
    done = post(supervisor, f"/incidents/{number}/retry", "/incidents")
    assert "重试成功" in supervisor.get(done.location).text
    assert 'data-status="approved"' in auditor.get(f"/cases/{reference}").text
