"""Guards, headers, sessions and the census of routes."""

import re
import time

import pytest
from flask import Flask

from app.domain.permission import all_permissions
from app.web import security
from app.web.menus import MENUS
from app.web.security import guard_of, safe_next
from tests.web.conftest import PASSWORD, post

# What anybody may open; a new public page must be added here on purpose.
PUBLIC = {
    "auth.index", "auth.login", "auth.login_post", "auth.code", "auth.code_post", "frame.preferences",
    "public.healthz", "public.readyz", "public.metrics", "static",
    # before the first sign-in; the list of messages is for demonstrations only
    "registration.regions", "registration.form", "registration.form_post", "registration.phone",
    "registration.phone_post", "registration.code", "registration.code_post", "registration.resend",
    "registration.password", "registration.password_post", "sms.listed",
}  # fmt: skip


class TestCensus:
    """Every route names its guard and its row scope."""

    def test_every_route_has_a_guard_and_a_scope(self, app: Flask):
        without = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if guard_of(app.view_functions[rule.endpoint]) is None
        ]
        assert without == []

    def test_public_pages_are_the_listed_ones(self, app: Flask):
        public = {name for name, view in app.view_functions.items() if guard_of(view).scope == "public"}
        assert public - {"public.verify"} == PUBLIC

    def test_permissions_exist(self, app: Flask):
        asked = {guard_of(view).permission for view in app.view_functions.values()} - {None}
        assert asked <= all_permissions()

    def test_menus_ask_for_permissions_that_exist(self):
        entries = [entry for groups in MENUS.values() for group in groups for entry in group.entries]
        assert {entry.permission for entry in entries} - {None} <= all_permissions()

    def test_every_permission_guard_has_a_side(self, app: Flask):
        for name, view in app.view_functions.items():
            assert guard_of(view).scope in {"public", *security._SIDES}, name

    def test_an_unguarded_view_is_never_opened(self, people):
        app = Flask("bare", static_folder=None)
        app.secret_key = "x" * 32
        app.config["SESSION_COOKIE_SECURE"] = False
        security.register(app)
        app.add_url_rule("/open", "open", lambda: "seen")
        app.testing = True
        with pytest.raises(security.UnguardedView):
            app.test_client().get("/open")


class TestGuards:
    """Who is let in, sent to sign in, or refused in words."""

    def test_signing_in_leads_back_to_the_page_asked_for(self, app: Flask, people):
        client = app.test_client()
        asked = client.get("/account?x=1")
        assert asked.location == "/login?next=/account?x%3D1" or "next=" in asked.location
        answer = post(client, asked.location, username="t.handler", password=PASSWORD)
        assert answer.location == "/account?x=1"

    def test_the_other_side_is_refused(self, sign_in):
        answer = sign_in("t.auditor").get("/hall")
        assert answer.status_code == 403
        assert 'data-error="403"' in answer.text

    def test_a_part_of_a_page_is_not_redirected(self, app: Flask, people):
        answer = app.test_client().get("/hall", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")

    @pytest.mark.parametrize(
        "target",
        ["https://evil.example/x", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb",
         "", None, "/\t/evil.example", "\\\\evil.example"],
    )  # fmt: skip
    def test_foreign_targets_are_not_followed(self, target):
        assert safe_next(target, "/hall") == "/hall"

    def test_own_targets_are_followed(self):
        assert safe_next("/cases/26?tab=lines", "/hall") == "/cases/26?tab=lines"


class TestHeaders:
    """What every answer tells the browser."""

    def test_pages_carry_the_strict_policy(self, app: Flask):
        headers = app.test_client().get("/login").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers

    def test_transport_security_over_tls_only(self, app: Flask):
        answer = app.test_client().get("/login", base_url="https://localhost")
        assert "max-age=" in answer.headers["Strict-Transport-Security"]
        assert "Secure" in answer.headers["Set-Cookie"]

    def test_session_cookies_are_hidden_from_scripts(self, app: Flask):
        cookie = app.test_client().get("/login").headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_no_page_holds_inline_scripts_or_styles(self, app: Flask, sign_in):
        client = sign_in("t.handler")
        for text in (
            app.test_client().get("/login").text,
            *(client.get(p).text for p in ("/hall", "/account")),
        ):
            assert not re.search(r"<script(?![^>]*\bsrc=)", text)
            assert "<style" not in text
            assert not re.search(r"\s(?:style|on\w+)=", text)


class TestForms:
    """Forms need their token."""

    def test_a_post_without_token_changes_nothing(self, sign_in, people):
        client = sign_in("t.handler")
        answer = client.post("/hall/employer", data={"employer_id": str(people.employers["second"])})
        assert answer.status_code == 400
        assert "登录状态已变化" in answer.text or "页面已过期" in answer.text
        assert "甲单位" in client.get("/hall").text


class TestSessions:
    """Limits of a session; the clock of a demonstration has no part in them."""

    def test_idle_sessions_end(self, sign_in, monkeypatch):
        client = sign_in("t.handler")
        later = time.time() + 31 * 60
        monkeypatch.setattr("app.web.auth.time.time", lambda: later)
        assert "/login" in client.get("/hall").location
        assert "登录已超时" in client.get("/login").text

    def test_a_session_in_use_ends_after_twelve_hours(self, sign_in, monkeypatch):
        client = sign_in("t.handler")
        start = time.time()
        for minute in range(0, 12 * 60, 25):
            monkeypatch.setattr("app.web.auth.time.time", lambda at=start + minute * 60: at)
            assert client.get("/account").status_code == 200
        monkeypatch.setattr("app.web.auth.time.time", lambda: start + 12 * 3600 + 60)
        assert client.get("/account").status_code == 302

    def test_a_session_planted_before_signing_in_is_dropped(self, app: Flask, people):
        client = app.test_client()
        with client.session_transaction() as session:
            session["planted"] = "yes"
        post(client, "/login", username="t.handler", password=PASSWORD)
        with client.session_transaction() as session:
            assert "planted" not in session
            assert session["_user_id"] == str(people.users["t.handler"])

    def test_one_statement_loads_the_account(self, sign_in, statement_counter):
        client = sign_in("t.handler")
        with statement_counter() as seen:
            client.get("/help")
        assert len([text for text in seen.reads if "user_account" in text]) == 1
        assert seen.total == 0
