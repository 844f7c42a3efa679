"""Signing in and out, lock-outs, passwords, the second factor, and the employer acted for."""

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask

from app import clock
from app.services import passwords, second_factor, throttle
from app.services.accounts import ADDRESS_LIMIT
from app.store import accounts as store
from app.store.session import transaction
from tests.web.conftest import PASSWORD, post

NEW = "Quiet-river-42"


def change(app: Flask, user_id: int, **values: object) -> None:
    with app.app_context(), transaction():
        user = store.get_user(user_id)
        for name, value in values.items():
            setattr(user, name, value)


def look(app: Flask, user_id: int):
    with app.app_context():
        return store.get_user(user_id)


class TestSignIn:
    """The door."""

    def test_the_right_password_opens_the_hall(self, sign_in):
        page = sign_in("t.handler").get("/hall")
        assert page.status_code == 200
        assert "甲单位" in page.text

    def test_two_windows_opened_at_once_share_the_forms_token(self, app: Flask, people):
        """The answer to signing in brings it: no page has to come first."""
        client = app.test_client()
        post(client, "/login", username="t.handler", password=PASSWORD)
        with client.session_transaction() as kept:
            first = kept["csrf_token"]
        client.get("/hall")
        with client.session_transaction() as kept:
            assert kept["csrf_token"] == first

    @pytest.mark.parametrize("name", ["t.handler", "nobody", "t.gone"])
    def test_every_refusal_says_the_same(self, app: Flask, people, name):
        password = PASSWORD if name == "t.gone" else "wrong"
        answer = post(app.test_client(), "/login", username=name, password=password)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert "用户名或密码不正确" in answer.text
        assert f'value="{name}"' in answer.text

    def test_missing_fields_link_to_themselves(self, app: Flask, people):
        answer = post(app.test_client(), "/login", username="", password="")
        assert answer.status_code == 422
        assert 'href="#field-username"' in answer.text
        assert 'href="#field-password"' in answer.text

    def test_five_failures_lock_the_account(self, app: Flask, people):
        client = app.test_client()
        for _ in range(5):
            post(client, "/login", username="t.handler", password="wrong")
        assert post(client, "/login", username="t.handler", password=PASSWORD).status_code == 422
        locked = look(app, people.users["t.handler"]).locked_until_utc
        assert timedelta(minutes=14) < locked - clock.real_utcnow() <= timedelta(minutes=15)
        change(app, people.users["t.handler"], locked_until_utc=clock.real_utcnow())
        assert post(client, "/login", username="t.handler", password=PASSWORD).status_code == 302
        assert look(app, people.users["t.handler"]).failed_logins == 0

    def test_a_sixth_failure_locks_longer(self, app: Flask, people):
        user = people.users["t.handler"]
        change(app, user, failed_logins=5)
        post(app.test_client(), "/login", username="t.handler", password="wrong")
        assert look(app, user).locked_until_utc - clock.real_utcnow() > timedelta(minutes=29)

    def test_an_address_with_too_many_failures_waits(self, app: Flask, people):
        for _ in range(ADDRESS_LIMIT):
            throttle.add("address:127.0.0.1", 900)
        answer = post(app.test_client(), "/login", username="t.handler", password=PASSWORD)
        assert answer.status_code == 422
        assert "15 分钟后再试" in answer.text

    def test_old_hashes_are_renewed(self, app: Flask, people):
        weak = passwords.PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
        change(app, people.users["t.handler"], password_hash=weak)
        post(app.test_client(), "/login", username="t.handler", password=PASSWORD)
        renewed = look(app, people.users["t.handler"]).password_hash
        assert renewed != weak
        assert renewed.startswith("$argon2id$")
        assert passwords.verify_password(renewed, PASSWORD)

    def test_signing_out_ends_it(self, sign_in):
        client = sign_in("t.handler")
        assert post(client, "/logout", "/account").location == "/login"
        assert "/login" in client.get("/hall").location

    def test_a_raised_session_version_ends_older_sessions(self, app: Flask, sign_in, people):
        client = sign_in("t.handler")
        change(app, people.users["t.handler"], session_version=2)
        assert client.get("/hall").status_code == 302


class TestPassword:
    """Initial, expired and weak passwords."""

    def test_an_initial_password_must_be_changed_first(self, sign_in):
        client = sign_in("t.new")
        assert client.get("/hall").location == "/password"
        answer = post(
            client, "/password", "/password",
            current_password=PASSWORD, new_password=NEW, new_password_2=NEW,
        )  # fmt: skip
        assert answer.location == "/hall"
        assert client.get("/hall").status_code == 200

    def test_an_old_password_must_be_changed(self, app: Flask, sign_in, people):
        client = sign_in("t.handler")
        change(
            app, people.users["t.handler"], password_changed_at_utc=clock.real_utcnow() - timedelta(days=91)
        )
        assert client.get("/hall").location == "/password"

    def test_a_change_ends_other_sessions(self, sign_in):
        here, there = sign_in("t.handler"), sign_in("t.handler")
        post(
            here, "/password", "/password",
            current_password=PASSWORD, new_password=NEW, new_password_2=NEW,
        )  # fmt: skip
        assert here.get("/hall").status_code == 200
        assert there.get("/hall").status_code == 302

    @pytest.mark.parametrize(
        ("new", "words"),
        [
            ("Ab1-", "至少 8 位"),
            ("abcdefghij", "至少三类"),
            ("T.handler-9", "不能包含用户名"),
            ("Abc-123456", "常见组合"),
            (PASSWORD, "最近 5 次"),
        ],
    )
    def test_weak_passwords_are_refused_in_words(self, sign_in, new, words):
        answer = post(
            sign_in("t.handler"), "/password", "/password",
            current_password=PASSWORD, new_password=new, new_password_2=new,
        )  # fmt: skip
        assert answer.status_code == 422
        assert words in answer.text
        assert 'href="#field-new_password"' in answer.text

    def test_the_current_password_is_asked_for(self, sign_in):
        answer = post(
            sign_in("t.handler"), "/password", "/password",
            current_password="wrong", new_password=NEW, new_password_2=NEW + "x",
        )  # fmt: skip
        assert "当前密码不正确" in answer.text
        assert "两次输入的新密码不一致" in answer.text

    def test_the_office_needs_ten_characters(self):
        errors = passwords.check_new_password("Ab1-efgh9", side="agency", words_to_avoid=(), old_hashes=())
        assert [error.code for error in errors] == ["password.short_office"]


class TestSecondFactor:
    """Accounts of the office need a code as well, demonstration accounts do not."""

    def test_setting_up_and_using_an_authenticator(self, app: Flask, people):
        client = app.test_client()
        answer = post(client, "/login", username="t.office", password=PASSWORD)
        assert answer.location == "/login/code"
        assert client.get("/account").status_code == 302
        page = client.get("/login/code").text
        secret = re.search(r">([A-Z2-7]{32})<", page)[1]
        code = pyotp.TOTP(secret).at(clock.real_utcnow())
        assert post(client, "/login/code", code="000000").status_code == 422
        assert post(client, "/login/code", code=code).status_code == 302
        assert client.get("/account").status_code == 200
        stored = look(app, people.users["t.office"]).totp_cipher
        with app.app_context():
            assert second_factor.unseal(stored) == secret
        assert secret.encode() not in stored

    def test_a_code_is_used_once(self, app: Flask, people):
        with app.app_context():
            secret = second_factor.new_secret()
            code = pyotp.TOTP(secret).at(clock.real_utcnow())
            assert second_factor.accepts(secret, code, 1, clock.real_utcnow())
            assert not second_factor.accepts(secret, code, 1, clock.real_utcnow())
            assert second_factor.accepts(secret, code, 2, clock.real_utcnow())

    def test_the_code_page_needs_the_password_first(self, app: Flask, people):
        assert app.test_client().get("/login/code").location == "/login"

    def test_demonstration_accounts_are_exempt(self, sign_in):
        assert sign_in("t.auditor").get("/account").status_code == 200


class TestEmployer:
    """The employer that an operator acts for."""

    def test_switching(self, sign_in, people):
        client = sign_in("t.handler")
        answer = post(client, "/hall/employer", "/account", employer_id=str(people.employers["second"]))
        assert answer.location == "/hall"
        text = client.get("/account").text
        assert text.index("乙单位") < text.index("甲单位")

    @pytest.mark.parametrize("wanted", ["other", "missing", "nonsense"])
    def test_other_employers_do_not_exist(self, sign_in, people, wanted):
        number = {"other": str(people.employers["other"]), "missing": "12"}.get(wanted, "x")
        answer = post(sign_in("t.handler"), "/hall/employer", "/account", employer_id=number)
        assert answer.status_code == 404


class TestPreferences:
    """Text size, row height and language."""

    def test_a_choice_is_kept_in_this_browser_and_with_the_account(self, app: Flask, sign_in, people):
        client = sign_in("t.handler")
        post(client, "/preferences", "/account", text="larger", density="compact", next="/hall")
        assert 'data-text="larger"' in client.get("/account").text
        assert look(app, people.users["t.handler"]).preferences == {"text": "larger", "density": "compact"}
        assert 'data-text="larger"' in sign_in("t.handler").get("/account").text

    def test_unknown_choices_are_ignored(self, app: Flask):
        client = app.test_client()
        answer = post(client, "/preferences", text="huge", next="//evil.example")
        assert answer.location == "/"
        assert 'data-text="normal"' in client.get("/login").text

    def test_english(self, app: Flask):
        client = app.test_client()
        post(client, "/preferences", language="en", next="/login")
        text = client.get("/login").text
        assert 'lang="en"' in text
        assert "Sign in" in text
