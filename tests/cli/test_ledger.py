"""`flask ledger`: counts, notices, payments, and how it ends."""

import json

import pytest

from app.domain.money import format_yuan, from_fen
from app.extensions import db
from tests.services.test_posting import refund_half

EMPLOYER, MONTH = "32050000003", "2026-11"


@pytest.fixture
def run(app):
    def call(*words, code=0):
        answer = app.test_cli_runner().invoke(args=["ledger", *words])
        assert answer.exit_code == code, answer.output
        return answer

    return call


def read(answer):
    return json.loads(answer.stdout)


def test_assess_notice_and_pay(run):
    done = read(run("assess", "--month", MONTH, "--employer", EMPLOYER, "--json"))
    assert (done["month"], done["employers"]) == (MONTH, 1)
    assert done["added"] == {"people": done["people"], "lines": done["lines"]}
    assert set(done["totals"]) == {"employer", "employee", "allocation"}
    (head,) = done["notices"]
    again = read(run("assess", "--month", MONTH, "--employer", EMPLOYER, "--json"))
    assert again["added"] == {"people": 0, "lines": 0}
    assert {**again, "added": done["added"]} == done

    notice = read(run("notice", head["number"], "--json"))
    assert read(run("notice", EMPLOYER, "--json"))["number"] == head["number"]
    cents = sum(int(line["amount"].replace(".", "")) for line in notice["lines"])
    assert notice["totals"]["amount"].replace(".", "") == str(cents)
    assert notice["totals"]["employee"] == done["totals"]["employee"]
    assert notice["totals"]["employer"] == done["totals"]["employer"]
    assert notice["uppercase"].endswith(("整", "分"))
    assert {line["due_type_name"] for line in notice["lines"]} == {"正常应缴"}
    assert notice["uppercase"] in run("notice", head["number"]).stdout

    paid = read(run("pay", head["number"], "--on", "2026-11-17", "--json"))
    assert (paid["state"], paid["amount"]) == ("paid", notice["totals"]["amount"])
    assert read(run("pay", head["number"], "--on", "2026-11-17", "--json"))["repeated"]
    assert read(run("notice", head["number"], "--json"))["state"] == "paid"


def test_all_at_once_in_words(run):
    text = run("assess", "--month", MONTH).stdout
    assert "lines added" in text
    assert "0 people and 0 lines added" in run("assess", "--month", MONTH).stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("assess", "--month", "2027-05"), 1),
        (("assess", "--month", "x"), 2),
        (("assess", "--month", "202611"), 2),
        (("assess", "--month", "2026-13"), 2),
        (("assess", "--month", MONTH, "--region", "999999"), 2),
        (("assess", "--month", MONTH, "--employer", "no"), 1),
        (("assess",), 2),
        (("notice", "no"), 1),
        (("notice",), 2),
        (("pay", "no", "--on", "2026-11-17"), 1),
        (("pay", "no"), 2),
        (("pay", "no", "--on", "x"), 2),
        (("pay", "no", "--on", "2026-11-17", "--amount", "-1"), 2),
        (("pay", "no", "--on", "2026-11-17", "--amount", "x"), 2),
        (("pay", "no", "--on", "2026-11-17", "--amount", "NaN"), 2),
        (("pay", "no", "--on", "2026-11-17", "--amount", "1.234"), 2),
        (("pay-order", "no", "--on", "2026-11-17"), 1),
        (("refund", "no"), 1),
        (("order-refund", "no"), 1),
        (("cancel-order", "no"), 1),
    ],
)
def test_how_it_ends(run, words, code):
    assert run(*words, code=code).stderr


def test_what_is_due_back_is_ordered_paid_and_made_void(app, run):
    head = read(run("assess", "--month", MONTH, "--employer", EMPLOYER, "--json"))["notices"][0]
    run("pay", head["number"], "--on", "2026-11-17")
    assert read(run("refund", EMPLOYER, "--json"))["amount"] == "0.00"
    assert run("order-refund", EMPLOYER, code=1).stderr
    with app.app_context():
        paid = refund_half(head["number"])
        db.session.remove()
    found = read(run("refund", EMPLOYER, "--json"))
    assert found["amount"] == format_yuan(from_fen(paid))
    assert found["account"] == "**** 0003"
    assert found["amount"] in run("refund", EMPLOYER).stdout
    order = read(run("order-refund", EMPLOYER, "--json"))
    assert (order["amount"], order["state"]) == (found["amount"], "issued")
    assert not read(run("cancel-order", order["number"], "--json"))["repeated"]
    assert read(run("cancel-order", order["number"], "--json"))["repeated"]
    again = read(run("order-refund", EMPLOYER, "--json"))
    assert not read(run("pay-order", again["number"], "--on", "2026-11-18", "--json"))["repeated"]
    assert read(run("pay-order", again["number"], "--on", "2026-11-18", "--json"))["repeated"]
    states = {each["number"]: each["state"] for each in read(run("refund", EMPLOYER, "--json"))["orders"]}
    assert states == {order["number"]: "cancelled", again["number"]: "paid"}
    assert run("cancel-order", again["number"], code=1).stderr
