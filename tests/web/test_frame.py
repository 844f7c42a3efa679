"""Templates, macros, assets and words of the frame."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_login import login_user
from sqlalchemy.exc import OperationalError

from app import clock
from app.domain.declaration import STATUSES
from app.errors import Busy, Conflict, FieldError, ServiceFailure
from app.formspec.fields import KINDS
from app.formspec.form import Form
from app.services import accounts
from app.web import frame
from app.web.auth import Visitor
from app.web.menus import MENUS, STATUS_MARKS, TONE_ICONS
from app.web.security import guard

WEB = Path(frame.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
FORMS = (
    '{% from "macros/forms.html" import form_field, form_sections, error_summary, controls with context %}'
)


def form(**properties: dict) -> Form:
    schema = {"type": "object", "title": "表", "properties": properties}
    return Form.from_documents("t", schema, {}, {})


@pytest.fixture
def render(app: Flask, people):
    """Render a piece of a template as the operator sees it."""

    def show(source: str, **values: object) -> str:
        with app.test_request_context("/hall"):
            login_user(Visitor(accounts.load_account(people.users["t.handler"], clock.real_utcnow())))
            return render_template_string(source, **values)

    return show


class TestTemplates:
    """What all templates keep to."""

    def test_gettext_is_called_with_literals_only(self):
        # What `_()` returns counts as safe HTML: texts from published files go through the `tr` filter.
        found = {
            str(path): calls
            for path in TEMPLATES
            if (calls := re.findall(r"(?<![\w.])_\((?!['\"])[^)]*\)", path.read_text()))
        }
        assert found == {}

    def test_every_icon_is_in_the_sprite(self):
        names = set(json.loads((WEB / "assets" / "icons.json").read_text()))
        used = {name for path in TEMPLATES for name in re.findall(r"icon\('([a-z0-9-]+)'", path.read_text())}
        used |= {entry.icon for groups in MENUS.values() for group in groups for entry in group.entries}
        used |= {mark for mark, _ in STATUS_MARKS.values()} | set(TONE_ICONS.values())
        assert used - names == set()

    def test_every_post_form_carries_a_token(self):
        for path in TEMPLATES:
            text = path.read_text()
            forms = len(re.findall(r'<form[^>]*method="post"', text))
            assert text.count("csrf_token()") + text.count("csrf()") >= forms, path

    def test_every_status_has_a_mark(self):
        assert set(STATUS_MARKS) == set(STATUSES)


class TestForms:
    """One literal map from a field's kind to its control."""

    def test_every_kind_has_a_control(self, render):
        names = render(FORMS + "{{ controls|list|join(',') }}").split(",")
        assert set(names) == set(KINDS)

    def test_a_refused_field_says_why_and_keeps_the_value(self, render):
        fields = form(name={"type": "string", "title": "姓名", "description": "同证件"})
        text = render(
            FORMS + "{{ error_summary(errors) }}{{ form_field(field, '<张>', errors) }}",
            field=fields.by_name["name"],
            errors=[FieldError("name", "x", "请填写姓名")],
        )
        assert 'href="#field-name"' in text
        assert 'id="field-name"' in text
        assert 'role="alert"' in text
        assert 'aria-invalid="true"' in text
        assert 'value="&lt;张&gt;"' in text
        assert "help-name error-name" in text

    def test_words_of_a_schema_are_escaped(self, render):
        fields = form(name={"type": "string", "title": "<b>8%</b>"})
        text = render(FORMS + "{{ form_field(field) }}", field=fields.by_name["name"])
        assert "&lt;b&gt;8%&lt;/b&gt;" in text

    def test_locked_boxes_are_sent_although_disabled(self, render):
        fields = form(funds={"type": "array", "items": {"type": "string"}, "x-options-from": "funds"})
        shown = fields.by_name["funds"].with_options([("310", "甲"), ("320", "乙")])
        text = render(FORMS + "{{ form_field(field, ['320'], (), ['310']) }}", field=shown)
        assert '<input type="hidden" name="funds" value="310">' in text
        assert re.search(r'value="310" checked disabled', text)
        assert re.search(r'value="320" checked>', text)

    def test_a_frozen_choice_shows_its_words(self, render):
        fields = form(sex={"type": "string", "enum": ["1", "2"], "x-labels": {"1": "男", "2": "女"}})
        text = render(FORMS + "{{ form_field(field, '2', (), (), '', True) }}", field=fields.by_name["sex"])
        assert 'value="女" readonly' in text
        assert '<input type="hidden" name="sex" value="2">' in text


class TestValues:
    """How values look."""

    @pytest.mark.parametrize(
        ("source", "shown"),
        [
            ("{{ 173423630|fen }}", "1,734,236.30"),
            ("{{ '9805'|yuan }}", "9,805.00"),
            ("{{ 1234567|number }}", "1,234,567"),
            ("{{ '320500199001010515'|masked }}", "3205*****0515"),
            ("{{ '3205*****0515'|masked }}", "3205*****0515"),
            ("{{ capped(1000) }}", "999+"),
            ("{{ count_words(12) }}", "共 12 条"),
            ("{{ count_words(1000) }}", "共 999+ 条"),
        ],
    )
    def test_formats(self, render, source, shown):
        assert render(source) == shown


class TestFrame:
    """The frame of pages."""

    def test_title_and_menu_are_the_regions_own(self, app: Flask, sign_in):
        with app.app_context():
            words = frame.definitions.parameters("320500")
        text = sign_in("t.handler").get("/hall").text
        assert words.title in text
        assert 'data-side="employer"' in text

    def test_the_agency_has_another_accent(self, sign_in):
        assert 'data-side="agency"' in sign_in("t.auditor").get("/account").text

    def test_the_demonstration_clock_is_shown(self, app: Flask):
        text = app.test_client().get("/login").text
        assert "演示环境" in text
        assert "2026-11-18 10:00" in text

    def test_assets_are_hashed_and_kept(self, app: Flask):
        client = app.test_client()
        address = re.search(r'href="([^"]+/app-[0-9a-f]{10}\.css)"', client.get("/login").text)[1]
        with client.get(address) as answer:
            assert "immutable" in answer.headers["Cache-Control"]


class TestErrors:
    """People read words, never traces."""

    @pytest.fixture
    def broken(self, app: Flask, sign_in):
        """A browser at pages that fail."""
        app.config["PROPAGATE_EXCEPTIONS"] = False
        kept = dict(app.view_functions)

        def at(error: Exception, **headers: str):
            @guard(None, scope="own")
            def fail(**_args):
                raise error

            app.view_functions["auth.account"] = fail
            return client.get("/account", headers=headers)

        client = sign_in("t.handler")
        yield at
        app.view_functions.update(kept)
        app.config["PROPAGATE_EXCEPTIONS"] = None

    def test_a_conflict_says_who(self, broken):
        answer = broken(Conflict("已被陈某认领"))
        assert answer.status_code == 409
        assert "已被陈某认领" in answer.text

    def test_a_failure_has_a_number_and_no_trace(self, broken):
        answer = broken(ServiceFailure("enrolment.apply", "sql exploded"))
        assert answer.status_code == 500
        assert re.search(r'data-incident="\w+"', answer.text)
        assert "sql exploded" not in answer.text

    def test_an_unexpected_error_too(self, broken):
        answer = broken(RuntimeError("secret detail"))
        assert answer.status_code == 500
        assert "secret detail" not in answer.text

    @pytest.mark.parametrize(
        "error", [OperationalError("select 1", {}, Exception("gone")), Busy("系统繁忙，请稍后再试")]
    )
    def test_a_database_that_is_away_is_said_so_with_a_time(self, broken, error):
        answer = broken(error)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "10"
        assert "稍等片刻" in answer.text
        assert "select" not in answer.text

    def test_a_part_of_a_page_gets_a_part(self, broken):
        answer = broken(Conflict("已被陈某认领"), **{"HX-Request": "true"})
        assert "<html" not in answer.text
        assert 'role="alert"' in answer.text

    def test_programs_get_json(self, broken):
        answer = broken(Conflict("已被陈某认领"), Accept="application/json")
        assert answer.get_json()["message"] == "已被陈某认领"

    def test_unknown_pages(self, app: Flask):
        answer = app.test_client().get("/nowhere")
        assert answer.status_code == 404
        assert "没有找到" in answer.text


class TestPublic:
    """What a watchdog reads."""

    def test_health(self, app: Flask):
        assert app.test_client().get("/healthz").get_json() == {"status": "ok"}

    def test_readiness_names_what_is_missing(self, app: Flask):
        answer = app.test_client().get("/readyz")
        assert answer.status_code == 503
        assert answer.get_json() == {"status": "failed", "database": "ok", "redis": "failed"}

    def test_figures(self, app: Flask):
        client = app.test_client()
        client.get("/healthz")
        text = client.get("/metrics").text
        assert re.search(r'wangting_requests_total\{.*endpoint="public.healthz",status="200"\} \d+', text)
