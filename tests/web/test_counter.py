"""The counter's pages: an employer of the region is chosen, its case is filed, somebody else decides."""

import re

import pytest
from flask.testing import FlaskClient

from app.config import DEMO_PASSWORD
from app.store.models import Declaration
from tests.services.conftest import NANTONG, citizen, nantong_form, rows
from tests.web.conftest import post

UNIT = f"{NANTONG}00001"
FORM = f"/declare/enrol?unit={UNIT}"


@pytest.fixture
def browser(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username) -> FlaskClient:
        client = app.test_client()
        assert post(client, "/login", username=username, password=DEMO_PASSWORD).status_code == 302
        return client

    return enter


@pytest.fixture
def clerk(browser):
    return browser("nantong.counter")


@pytest.fixture
def typed(app):
    with app.app_context():
        return nantong_form(citizen(NANTONG, "not_insured"))


@pytest.fixture
def filed(app, clerk, typed):
    """One enrolment filed at the counter: its reference."""

    def make(**more) -> str:
        answer = post(clerk, FORM, FORM, action="check", **{**typed, **more})
        assert answer.status_code == 303, answer.text
        check = answer.location
        reference = check.split("?")[0].rsplit("/", 1)[-1]
        done = post(
            clerk, FORM, check, action="file", reference=reference, replay="1", ask="1", confirmed="1",
            **{**typed, **more},
        )  # fmt: skip
        assert done.status_code == 303, done.text
        return reference

    return make


class TestChoosing:
    def test_nt_2_1_the_clerk_begins_at_the_counter(self, clerk):
        assert clerk.get("/").location == "/counter"
        page = clerk.get("/counter").text
        assert UNIT in page
        assert "柜面受理" in page
        assert "32050000001" not in page

    @pytest.mark.parametrize("text", [UNIT[:9], "南通"])
    def test_an_employer_is_found_by_a_part(self, clerk, text):
        page = clerk.get("/counter", query_string={"q": text})
        assert page.status_code == 200
        assert f'data-unit="{UNIT}"' in page.text

    def test_a_whole_number_leads_on_at_once(self, clerk):
        assert clerk.get(f"/counter?q={UNIT}").location == f"/counter/units/{UNIT}"
        assert clerk.get(f"/counter?q={UNIT}&kind=enrol").location == FORM

    def test_nothing_found_says_so(self, clerk):
        assert "没有符合条件的单位" in clerk.get("/counter?q=不存在的单位").text

    def test_all_kinds_of_the_region_with_what_is_only_here(self, clerk):
        page = clerk.get(f"/counter/units/{UNIT}").text
        for kind in ("enrol", "stop", "collection", "person_record", "retirement", "identity_correction"):
            assert f'data-kind="{kind}"' in page
        assert "仅柜面" in page
        assert "单位网厅首页" not in page

    def test_a_form_without_an_employer_asks_for_one(self, clerk):
        assert clerk.get("/declare/enrol").location == "/counter?kind=enrol"

    @pytest.mark.parametrize("place", ["/counter/units/32050000001", "/declare/enrol?unit=32050000001"])
    def test_an_employer_of_another_region_does_not_exist(self, clerk, place):
        assert clerk.get(place).status_code == 404

    @pytest.mark.parametrize("who", ["nantong.handler", "nantong.auditor"])
    @pytest.mark.parametrize("place", ["/counter", f"/counter/units/{UNIT}", "/counter/cases/drafts"])
    def test_the_counter_is_for_clerks(self, browser, who, place):
        assert browser(who).get(place).status_code == 403

    def test_an_auditor_files_nothing(self, browser):
        assert browser("nantong.auditor").get(FORM).status_code == 403


class TestFiling:
    def test_people_are_looked_up_for_the_chosen_employer(self, clerk):
        page = clerk.get(f"/declare/stop?unit={UNIT}").text
        assert re.search(
            rf'action="/declare/stop/people[^>]*>\s*<input type="hidden" name="unit" value="{UNIT}">', page
        )
        people = clerk.get(f"/declare/stop/people?unit={UNIT}&q=320601").text
        assert f'<input type="hidden" name="unit" value="{UNIT}">' in people
        first = re.search(r'href="(/declare/stop\?[^"]*person=[^"]*)"', people)
        if first:
            assert f"unit={UNIT}" in first[1]
            assert clerk.get(first[1].replace("&amp;", "&")).status_code == 200

    def test_the_form_says_for_whom(self, clerk):
        page = clerk.get(FORM)
        assert page.status_code == 200
        assert f'data-counter-unit="{UNIT}"' in page.text
        assert re.search(rf'action="/declare/enrol\?unit={UNIT}"', page.text)

    def test_a_case_says_that_the_counter_took_it_and_who(self, app, clerk, browser, filed):
        reference = filed()
        with app.app_context():
            (case,) = rows(Declaration, reference=reference)
            assert (case.channel, case.status) == ("02", "submitted")
        receipt = clerk.get(f"/cases/{reference}/receipt")
        assert f"/declare/enrol?unit={UNIT}" in receipt.text
        own = clerk.get(f"/cases/{reference}").text
        assert "柜面受理" in own
        assert 'name="decision"' not in own
        seen = browser("nantong.auditor").get(f"/cases/{reference}").text
        assert 'data-channel="02"' in seen
        assert 'name="decision"' in seen

    def test_the_employer_follows_it_and_changes_nothing(self, browser, filed):
        reference = filed()
        handler = browser("nantong.handler")
        assert 'data-channel="02"' in handler.get("/submitted").text
        assert reference not in handler.get("/pending").text
        page = handler.get(f"/cases/{reference}").text
        assert "由经办机构柜面受理" in page
        assert f"/cases/{reference}/discard" not in page
        for act in ("submit", "discard", "recall"):
            answer = post(handler, f"/cases/{reference}/{act}", "/hall", confirmed="1")
            assert answer.status_code in (302, 303, 403, 409)
        assert "待审核" in handler.get(f"/cases/{reference}").text or "未处理" in page

    def test_drafts_are_the_counters_own(self, app, browser, clerk, typed):
        saved = post(clerk, FORM, FORM, action="save", **typed)
        assert saved.status_code == 303
        reference = re.search(r"reference=([^&]+)", saved.location)[1]
        assert reference in clerk.get("/counter/cases/drafts").text
        handler = browser("nantong.handler")
        assert reference not in handler.get("/drafts").text
        again = clerk.get(f"/declare/enrol?reference={reference}")
        assert again.status_code == 200
        assert f'data-counter-unit="{UNIT}"' in again.text
        gone = post(clerk, f"/cases/{reference}/discard", "/counter", confirmed="1")
        assert gone.status_code == 303
        clerk.get("/counter")  # shows the message that names it
        assert reference not in clerk.get("/counter/cases/drafts").text

    def test_a_refused_form_keeps_what_was_typed(self, clerk, typed):
        answer = post(clerk, FORM, FORM, action="check", **{**typed, "wage_yuan": "1"})
        assert answer.status_code == 422
        assert f'data-counter-unit="{UNIT}"' in answer.text
        assert 'role="alert"' in answer.text

    def test_correct_after_return_and_copy_after_refusal(self, app, browser, clerk, filed, typed):
        reference = filed()
        auditor = browser("nantong.auditor")
        _decide(app, auditor, reference, "return", ["wage_yuan"])
        listed = clerk.get("/counter/cases/submitted").text
        assert reference in listed
        assert "请核对工资" in listed
        place = f"/declare/enrol?reference={reference}&unit={UNIT}"
        assert "请核对工资" in clerk.get(place).text
        done = post(clerk, FORM, place, action="file", reference=reference, **{**typed, "wage_yuan": "8200"})
        assert done.status_code == 303, done.text
        assert "8,200" in auditor.get(f"/cases/{reference}").text
        _decide(app, auditor, reference, "reject")
        page = clerk.get(f"/cases/{reference}").text
        copy = re.search(r'href="(/declare/enrol\?[^"]*copy=[^"]+)"', page)[1].replace("&amp;", "&")
        assert f"unit={UNIT}" in copy
        assert "8200" in clerk.get(copy).text

    def test_a_list_of_all_windows_and_its_filters(self, clerk, filed):
        reference = filed()
        for query in ("", "?who=all", "?kind=enrol", f"?q={reference}", f"?q={UNIT}"):
            assert reference in clerk.get(f"/counter/cases/submitted{query}").text
        assert reference not in clerk.get("/counter/cases/submitted?kind=stop").text
        assert clerk.get("/counter/cases/elsewhere").status_code == 404


def _decide(app, auditor, reference, decision, fields=()):
    from tests.services.conftest import task_of

    with app.app_context():
        task = task_of(reference)
    answer = auditor.post(
        f"/inbox/{task}/decide",
        data={
            "csrf_token": re.search(
                r'name="csrf_token" value="([^"]+)"', auditor.get(f"/cases/{reference}").text
            )[1],
            "decision": decision,
            "opinion": "请核对工资",
            "return_fields": list(fields),
            "origin": "case",
            "reference": reference,
        },
    )
    assert answer.status_code == 303, answer.text
