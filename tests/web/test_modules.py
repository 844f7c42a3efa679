"""The browser modules on a page of their own, in a real browser under the strict content policy."""

import re
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, make_response, render_template_string, request
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from app.extensions import csrf, login_manager
from app.formspec.form import Form
from app.web import auth, frame, i18n, security
from app.web.security import guard

SCHEMA = {
    "type": "object",
    "title": "表",
    "properties": {
        "id_type": {
            "type": "string", "title": "证件类型", "enum": ["01", "99"],
            "x-labels": {"01": "身份证", "99": "其他"},
        },
        "id_number": {
            "type": "string", "title": "证件号码", "format": "identity",
            "x-derive": {"birth_date": "birth_date", "sex": "sex", "nationality": "nationality"},
        },
        "birth_date": {"type": "string", "title": "出生日期", "format": "date"},
        "sex": {"type": "string", "title": "性别", "enum": ["1", "2"], "x-labels": {"1": "男", "2": "女"}},
        "nationality": {
            "type": "string", "title": "国籍", "enum": ["CHN", *(f"X{n:02}" for n in range(20))],
            "x-labels": {"CHN": "中国", **{f"X{n:02}": f"外国{n}" for n in range(20)}},
        },
        "start_month": {"type": "string", "title": "参保月份", "format": "month"},
    },
}  # fmt: skip
PAGE = """{% extends "plain.html" %}
{% from "macros/forms.html" import form_sections, error_summary, csrf with context %}
{% block content %}
{{ error_summary(errors) }}
<form method="post" data-leave>
  {{ csrf() }}{{ form_sections(form, {'id_type': '01'}) }}<button id="send" name="go" value="1">提交</button>
</form>
<a id="ask" href="/ask" data-dialog>废弃</a>
<ul>{% for n in (1, 2) %}<li data-row><a href="/page?{{ n }}">{{ n }}</a></li>{% endfor %}</ul>
<input data-search>
{% endblock %}"""


@pytest.fixture
def site() -> Iterator[tuple[str, list[dict]]]:
    """A small site of the frame's own templates: its address, and the forms it has received."""
    app = _site(received := [])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/page", received
    server.shutdown()
    thread.join()
    server.server_close()


def _site(received: list[dict]) -> Flask:
    app = Flask("app", root_path=str(frame.DIST.parents[2]), static_folder=None)
    app.config.update(SECRET_KEY="x" * 40, SESSION_COOKIE_SECURE=False, BABEL_DEFAULT_LOCALE="zh_Hans_CN")
    app.template_folder, app.static_folder = "web/templates", "web/static"
    app.extensions["wangting"] = type("Settings", (), {"demo": False})
    csrf.init_app(app)
    login_manager.init_app(app)
    security.register(app)
    auth.register(app)
    app.register_blueprint(auth.auth)
    i18n.register(app)
    frame.register(app)
    form = Form.from_documents("t", SCHEMA, {}, {})

    @app.route("/page", methods=["GET", "POST"])
    @guard(None, scope="public")
    def show():
        if request.method == "POST":
            received.append(request.form.to_dict())
        errors = [frame.FieldError("sex", "x", "请选择性别")] if request.args.get("errors") else []
        return render_template_string(PAGE, form=form, errors=errors)

    @app.get("/ask")
    @guard(None, scope="public")
    def ask():
        return frame.render_confirm(
            "废弃申报", "将废弃 1 条", action="/page", button="废弃", back="/page", danger=True
        )

    @app.get("/favicon.ico")
    @guard(None, scope="public")
    def picture():
        return make_response("", 204)

    return app


def test_a_card_number_fills_what_follows_from_it(site, page: Page):
    page.goto(site[0])
    page.fill("[name=id_number]", " 11010519491231002x ")
    page.press("[name=id_number]", "Tab")
    expect(page.locator("[name=id_number]")).to_have_value("11010519491231002X")
    expect(page.locator("[name=birth_date]")).to_have_value("1949-12-31")
    expect(page.locator("[name=sex]")).to_have_value("2")
    expect(page.locator("[name=nationality]")).to_have_value("CHN")


@pytest.mark.parametrize("number", ["110105194912310021", "110105194913310020", "11010519491231002"])
def test_a_wrong_number_fills_nothing(site, page: Page, number):
    page.goto(site[0])
    page.fill("[name=id_number]", number)
    page.press("[name=id_number]", "Tab")
    expect(page.locator("[name=birth_date]")).to_have_value("")


def test_other_documents_fill_nothing(site, page: Page):
    page.goto(site[0])
    page.select_option("[name=id_type]", "99")
    page.fill("[name=id_number]", "11010519491231002X")
    page.press("[name=id_number]", "Tab")
    expect(page.locator("[name=birth_date]")).to_have_value("")


def test_a_long_list_is_searched_by_typing(site, page: Page):
    page.goto(site[0])
    box = page.get_by_role("combobox", name="国籍")
    box.click()
    box.fill("外国1")
    expect(page.locator(".combo-list [role=option]")).to_have_count(11)
    box.press("ArrowDown")
    box.press("Enter")
    expect(page.locator("[name=nationality]")).to_have_value("X10")
    expect(box).to_have_value("外国10")
    page.select_option("[name=nationality]", "CHN")
    expect(box).to_have_value("中国")


def test_typed_dates_get_their_dashes(site, page: Page):
    page.goto(site[0])
    for typed, kept in (("20260801", "2026-08-01"), ("2026/8/1", "2026-08-01"), ("八月", "八月")):
        page.fill("[name=birth_date]", typed)
        page.press("[name=birth_date]", "Tab")
        expect(page.locator("[name=birth_date]")).to_have_value(kept)
    page.fill("[name=start_month]", "202608")
    page.press("[name=start_month]", "Tab")
    expect(page.locator("[name=start_month]")).to_have_value("2026-08")


def test_a_double_click_sends_once(site, page: Page):
    address, received = site
    page.goto(address)
    page.evaluate("() => { const b = document.getElementById('send'); b.click(); b.click(); }")
    page.wait_for_load_state("networkidle")
    assert len(received) == 1
    assert received[0]["go"] == "1"


def test_leaving_a_changed_form_asks(site, page: Page):
    page.goto(site[0])
    page.fill("[name=id_number]", "1")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(site[0] + "?other")
    assert asked == ["beforeunload"]


def test_a_confirmation_opens_over_the_page_and_closes_with_escape(site, page: Page):
    page.goto(site[0])
    page.click("#ask")
    dialog = page.get_by_role("dialog", name="废弃申报")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.click("#ask")
    with page.expect_navigation():
        dialog.get_by_role("button", name="废弃").click()
    assert site[1][-1]["confirmed"] == "1"


def test_the_confirmation_is_a_part_only_for_the_dialog(site):
    client = _site([]).test_client()
    assert "<html" not in client.get("/ask", headers={"X-Dialog": "1"}).text


def test_refusals_take_the_focus_and_lead_to_the_field(site, page: Page):
    page.goto(site[0] + "?errors=1")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="请选择性别").click()
    expect(page.locator("[name=sex]")).to_be_focused()


def test_text_size_changes_at_once_and_is_kept(site, page: Page):
    page.goto(site[0])
    with page.expect_response(re.compile("/preferences")):
        page.get_by_role("button", name="特大字号").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "18.5px"
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-text", "larger")


def test_keys_move_through_lists_and_to_the_search_box(site, page: Page):
    page.goto(site[0])
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="2", exact=True)).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="1", exact=True)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()


def test_forms_work_without_script(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site[0])
    page.fill("[name=id_number]", "12")
    page.select_option("[name=nationality]", "CHN")
    page.click("#send")
    assert site[1][-1]["nationality"] == "CHN"
    page.get_by_role("button", name="大字号", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-text", "large")
