"""A kind that the product has never seen, in a region that it has never seen: files alone, over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import select

from app import clock
from app.config import ROOT
from app.definitions import seeds
from app.definitions.gather import check_paths
from app.domain.declaration import KINDS
from app.extensions import db
from app.services import throttle
from app.services.kinds import HANDLINGS
from app.services.service_tasks import SERVICES
from app.store import accounts
from app.store.ids import new_id
from app.store.models import Declaration, Effect, Employer, HumanTask
from app.store.session import insert_rows, transaction
from tests.definitions.conftest import SEVENTH
from tests.fixtures.database import TEST_NOW
from tests.web.conftest import HASH, PASSWORD
from tests.web.visits import Visitor, hidden, token

KIND = "seal_record"
SIDES = {"handler": "employer", "auditor": "agency", "senior": "agency"}
FORM = {
    "title": "印章备案",
    "type": "object",
    "x-messages": {
        "seal_record.pending": "备案已保存到待提交。",
        "seal_record.submitted": "备案已提交，等待审核。",
        "seal_record.accepted": "印章备案已办结。",
        "seal_record.rejected": "印章备案未通过。",
        "seal_record.too_many": "单位（{employer_name}）一次最多备案3枚，现为{form_count}枚。",
        "seal_record.future": "启用日期晚于今天，请核对。",
    },
    "x-sections": [{"id": "seal", "title": "印章"}],
    "properties": {
        "count": {"title": "枚数", "type": "integer", "minimum": 1, "x-section": "seal"},
        "used_from": {
            "title": "启用日期", "type": "string", "format": "date",
            "pattern": r"^(19|20)\d{2}-\d{2}-\d{2}$", "x-section": "seal",
        },
    },
    "required": ["count", "used_from"],
    "additionalProperties": False,
}  # fmt: skip
# column: fact, type; row: cells, code, field, severity
COLUMNS = (("form_count", "integer"), ("form_used_from_days", "integer"))
ROWS = (
    (("> 3", ""), ("seal_record.too_many", "count", "refuse")),
    (("", "< 0"), ("seal_record.future", "used_from", "warn")),
)


def rules(columns=COLUMNS, rows=ROWS, policy: str = "COLLECT") -> str:
    """A rule table of the kind."""
    text = [
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="r" namespace="n">',
        f'<decision id="{KIND}_rules" name="规则"><decisionTable id="t" hitPolicy="{policy}">',
    ]
    for number, (fact, kind) in enumerate(columns):
        text.append(
            f'<input id="i{number}" label="{fact}"><inputExpression id="e{number}" typeRef="{kind}">'
            f"<text>{fact}</text></inputExpression></input>"
        )
    text += [
        f'<output id="o_{name}" name="{name}" typeRef="string"/>' for name in ("code", "field", "severity")
    ]
    for number, (cells, answers) in enumerate(rows):
        text.append(f'<rule id="r{number}">')
        for place, cell in enumerate(cells):
            cell = cell.replace("<", "&lt;")
            text.append(f'<inputEntry id="r{number}i{place}"><text>{cell}</text></inputEntry>')
        for place, answer in enumerate(answers):
            text.append(f'<outputEntry id="r{number}o{place}"><text>"{answer}"</text></outputEntry>')
        text.append("</rule>")
    return "".join([*text, "</decisionTable></decision></definitions>"])


@pytest.fixture
def new_kind(seventh: Path) -> Path:
    """The seventh region's folder with the files of the kind: diagram, form, rules, an entry to offer it."""
    (seventh / "bpmn" / "processes").mkdir()
    (seventh / "forms").mkdir()
    diagram = (ROOT / "bpmn" / "processes" / "nursing_allowance.bpmn").read_text("utf-8")
    diagram = diagram.replace("nursing_allowance", KIND)
    diagram = diagram.replace("child_birth_date,leave_start_date,leave_end_date", "count,used_from")
    (seventh / "bpmn" / "processes" / f"{KIND}.bpmn").write_text(diagram, "utf-8")
    (seventh / "bpmn" / "decisions" / f"{KIND}_rules.dmn").write_text(rules(), "utf-8")
    (seventh / "forms" / f"{KIND}.json").write_text(json.dumps(FORM, ensure_ascii=False), "utf-8")
    path = seventh / "bpmn" / "parameters" / f"{SEVENTH}.yaml"
    offered = yaml.safe_load(path.read_text("utf-8"))
    offered["kinds"][KIND] = "online"
    offered["menu"] = [
        {"title": "本地业务", "entries": [KIND, "enrol", {"text": "单位年报"}]},
        {"title": "其他业务", "gathers": ["declare", "manage", "query"]},
        {"title": "社会救助"},
    ]
    path.write_text(yaml.safe_dump(offered, allow_unicode=True), "utf-8")
    return seventh


def add_people() -> None:
    """An employer of the new region, its operator, and two people of its agency."""
    employer_id = new_id()
    employer = {
        "id": employer_id, "region": SEVENTH, "employer_no": f"{SEVENTH}00001", "name": "示例单位",
        "credit_code": "91320500MA1NAAAA1A", "unit_type": "企业", "details": {},
    }  # fmt: skip
    users = [
        {
            "id": new_id(), "username": f"seventh.{role}", "name": role, "side": side, "status": "active",
            "password_hash": HASH, "password_history": [], "must_change_password": False,
            "password_changed_at_utc": clock.real_utcnow(), "preferences": {}, "demo": side == "agency",
        }
        for role, side in SIDES.items()
    ]  # fmt: skip
    roles = [
        {"user_id": user["id"], "role": role, "region": SEVENTH}
        for user, role in zip(users, SIDES, strict=True)
    ]
    with transaction():
        insert_rows(Employer, [employer])
        accounts.add_users(users, roles, [{"user_id": users[0]["id"], "employer_id": employer_id}])


@pytest.fixture
def visit(app: Flask, folder: Path, new_kind: Path) -> Callable[[str], Visitor]:
    """`visit("handler")` signs somebody of the new region in, with everything published."""
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    with app.app_context():
        seeds.sync([folder, new_kind], now=TEST_NOW)
        add_people()

    def enter(role: str) -> Visitor:
        throttle._local.clear()
        client = app.test_client()
        form = {"csrf_token": token(client, "/login"), "username": f"seventh.{role}", "password": PASSWORD}
        assert client.post("/login", data=form).status_code == 302
        return Visitor(client)

    return enter


def one(app: Flask, model: type, **values: object) -> Any:
    with app.app_context():
        found = db.session.scalars(select(model).filter_by(**values)).one()
        db.session.expunge_all()
        db.session.remove()
        return found


def test_no_code_knows_the_kind() -> None:
    assert KIND not in KINDS
    assert KIND not in HANDLINGS


def test_its_files_pass_the_checks(new_kind: Path) -> None:
    assert check_paths([new_kind], SERVICES) == []


def test_it_is_filed_audited_twice_and_approved(visit: Callable[[str], Visitor], app: Flask) -> None:
    handler = visit("handler")
    menu = handler.get("/hall").text
    side = menu[menu.index('class="side-in"') :]
    titles = re.findall(r'class="side-title">([^<]+)<', side)
    assert titles[:3] == ["本地业务", "其他业务", "社会救助"]
    assert side.index("印章备案") < side.index("参保人员增员申报")
    assert re.search(r"<span data-closed>.*?单位年报.*?未开通", side, re.DOTALL)

    good = {"count": "2", "used_from": "2026-11-01", "action": "file"}
    page = handler.get(f"/declare/{KIND}").text
    refused = handler.post(f"/declare/{KIND}", {**good, "count": "4", "token": hidden(page, "token")})
    assert refused.status_code == 422
    assert "单位（示例单位）一次最多备案3枚，现为4枚。" in refused.text

    answer = handler.post(f"/declare/{KIND}", {**good, "token": hidden(page, "token")})
    assert answer.status_code == 303, answer.text
    reference = answer.location.split("/")[2]
    assert "备案已保存到待提交。" in handler.get(answer.location).text
    second = handler.post(f"/declare/{KIND}", good)
    assert (second.status_code, "还有未办结的同类申报" in second.text) == (422, True)
    handler.post("/pending/submit", {"one": reference, "kind": KIND})
    for role in ("auditor", "senior"):
        task = one(app, HumanTask, reference=reference)
        assert task.role == role
        auditor = visit(role)
        assert "印章备案" in auditor.get("/inbox").text
        auditor.post("/inbox/claim", {"one": str(task.id)})
        decided = auditor.post(f"/inbox/{task.id}/decide", {"decision": "approve", "opinion": ""})
        assert decided.status_code in (200, 303), decided.text
    shown = handler.get(f"/cases/{reference}").text
    assert 'data-status="approved"' in shown
    assert "印章备案已办结。" in shown
    case = one(app, Declaration, reference=reference)
    assert one(app, Effect, declaration_id=case.id).effect == "form.accept"
    # accepted is kept, not open: the next one is free
    third = handler.post(f"/declare/{KIND}", {**good, "used_from": "2026-12-01"})
    assert third.status_code == 303


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"columns": (("form_colour", "string"), COLUMNS[1])}, "fact_unknown"),
        ({"rows": ((("> 3", ""), ("seal_record.unsaid", "count", "refuse")),)}, "text_missing"),
        ({"rows": ((("> 3", ""), ("seal_record.too_many", "colour", "refuse")),)}, "rules_field"),
        ({"rows": ((("> 3", ""), ("seal_record.too_many", "count", "perhaps")),)}, "rules_severity"),
        ({"rows": ((("> 3", ""), ("too many", "count", "refuse")),)}, "rules_code"),
        ({"policy": "UNIQUE"}, "rules_policy"),
        (
            {
                "columns": (("employer_status", "string"), COLUMNS[1]),
                "rows": ((('"closed"', ""), ("seal_record.too_many", "count", "refuse")),),
            },
            "fact_value",
        ),
    ],
)
def test_a_table_that_cannot_work_is_refused(new_kind: Path, change: dict, code: str) -> None:
    path = new_kind / "bpmn" / "decisions" / f"{KIND}_rules.dmn"
    path.write_text(rules(**change), "utf-8")
    assert code in {problem.code for problem in check_paths([new_kind], SERVICES)}


def test_words_that_are_missing_or_foreign_are_refused(new_kind: Path) -> None:
    path = new_kind / "forms" / f"{KIND}.json"
    messages = {**FORM["x-messages"], "enrol.accepted": "别的事项"}
    del messages["seal_record.rejected"]
    messages["seal_record.future"] = "晚于{tomorrow}"
    path.write_text(json.dumps({**FORM, "x-messages": messages}, ensure_ascii=False), "utf-8")
    found = {(problem.code, problem.message) for problem in check_paths([new_kind], SERVICES)}
    assert {code for code, _ in found} == {"text_missing", "text_code", "fact_unknown"}
    assert any("seal_record.rejected" in message for _, message in found)


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (["unheard_of"], "menu_kind"),
        (["withdrawal"], "menu_kind"),
        ([f"{KIND}.batch"], "menu_text"),
        ([{"colour": "red"}], "parameter"),
    ],
)
def test_a_menu_that_names_what_is_not_there_is_refused(new_kind: Path, entries: list, code: str) -> None:
    path = new_kind / "bpmn" / "parameters" / f"{SEVENTH}.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    document["menu"] = [{"title": "本地业务", "entries": entries}]
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    assert code in {problem.code for problem in check_paths([new_kind], SERVICES)}
