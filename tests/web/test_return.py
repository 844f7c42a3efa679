"""Returned for correction, on screen and in every kind: the named field opens with the auditor's words beside
it, and the auditor sees what changed since."""

import html
import re
from dataclasses import replace

import pytest

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.definitions import current
from app.domain.declaration import KINDS
from app.domain.parameters import COUNTER
from app.extensions import db
from app.services import accounts, audits
from app.services.forms import setting_of
from app.store.models import Declaration, User
from tests.fixtures.database import TEST_NOW
from tests.services.any_form import another, take_anything
from tests.services.conftest import rows, task_of
from tests.services.test_every_kind import APART, Desk
from tests.web.conftest import post
from tests.web.visits import token

WORDS = "请按原件核对后重新填写"


def actor_of(username):
    user = db.session.scalars(db.select(User.id).where(User.username == username)).one()
    return accounts.load_account(user, to_utc(TEST_NOW)).actor


@pytest.fixture
def browser(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username):
        client = app.test_client()
        assert post(client, "/login", username=username, password=DEMO_PASSWORD).status_code == 302
        return client

    return enter


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(APART)))
def test_at_the_counter(app, browser, monkeypatch, kind):
    take_anything(monkeypatch)
    with app.app_context():
        region = next(
            (code for code, _ in current.regions() if kind in current.kinds(code)
             and current.parameters(code).offers(kind, COUNTER)), None,
        )  # fmt: skip
        assert region is not None, kind
        desk = Desk(actor_of, region, COUNTER, TEST_NOW)
        reference = desk.file(kind).reference
        form = setting_of(desk.actor, kind, TEST_NOW).form
        name, other = _field(form, desk, reference)
        auditor = replace(actor_of(f"{_city(region)}.auditor"), roles=frozenset({"auditor", "senior"}))
        audits.decide(auditor, task_of(reference), "return", WORDS, [name], TEST_NOW)
        title = form.by_name[name].title
        others = [
            each.name for each in form.fields if each.name not in (name, "id_type") and each.kind != "hidden"
        ]
    clerk = browser(f"{_city(region)}.counter")
    place = f"/declare/{kind}?reference={reference}"
    page = clerk.get(place).text
    assert f'href="#field-{name}"' in page
    assert re.search(rf'id="help-{name}"[^>]*>[^<]*需要补正：{WORDS}', page), name
    assert not _fixed(page, name)
    for each in others:
        assert _fixed(page, each), each
    typed = {**_posted(page), name: other}
    typed |= {"csrf_token": token(clerk, place), "action": "file", "reference": reference}
    done = clerk.post(place, data=typed)
    assert done.status_code == 303, done.text
    with app.app_context():
        (case,) = rows(Declaration, reference=reference)
        assert case.status == "submitted"
        assert name in case.facts["changed_fields"]
    seen = browser(f"{_city(region)}.auditor").get(f"/cases/{reference}").text
    part = re.search(rf'data-field="{name}">.*?</dd>', seen, re.S)
    assert part, (name, title)
    assert "原 " in part[0]
    assert "上次要求补正" in part[0]


def _city(region):
    from tests.services.test_every_kind import CITIES

    return CITIES[region]


def _field(form, desk, reference):
    from app.services import declarations

    data = declarations.get_case(desk.actor, reference, TEST_NOW).data
    for field in form.fields:
        if field.readonly or field.kind in ("identity", "check", "hidden") or field.options_from:
            continue
        if field.name in ("id_type", "people", "new_id_type") or field.derive:
            continue
        other = another(form, field.name, data.get(field.name))
        if other is not None:
            return field.name, other
    raise AssertionError(f"{form.name}: nothing can be corrected")


def _fixed(page, name) -> bool:
    """Whether a field is shown without being open: read-only, or only its hidden values."""
    control = re.search(rf'<(?:input|textarea|select)[^>]*id="field-{name}"[^>]*>', page)
    if control is not None:
        return " readonly" in control[0] or " disabled" in control[0]
    group = re.search(rf'<fieldset[^>]*id="field-{name}".*?</fieldset>', page, re.S)
    assert group, name
    return all(" disabled" in box for box in re.findall(r'<input type="(?:checkbox|radio)"[^>]*>', group[0]))


def _posted(page) -> dict:
    """What a browser would send of the form as it stands."""
    form = re.search(r'<form id="declare-form".*?</form>', page, re.S)[0]
    found: dict = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        kind = re.search(r' type="([^"]*)"', tag)
        if name is None or name[1] == "csrf_token" or " disabled" in tag:
            continue
        if kind and kind[1] in ("checkbox", "radio") and " checked" not in tag:
            continue
        text = html.unescape(value[1]) if value else ""
        held = found.get(name[1])
        found[name[1]] = text if held is None else [*(held if isinstance(held, list) else [held]), text]
    for name, body in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(body)
    for name, body in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return {name: value for name, value in found.items() if name not in ("token", "reference", "action")}
