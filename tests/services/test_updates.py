"""Contact and bank data of people (NT-2.7, JS-3.5) and of the employer (NT-2.8, JS-3.4, SZ-5)."""

from base64 import b64decode

import pytest

from app.errors import NotFound, Rejected
from app.services import audits, declarations, materials, rosters
from app.services.forms import setting_of
from app.store import contacts
from app.store.crypto import decrypt_json
from app.store.models import Declaration, Effect, Employer, Person
from tests.documents.samples import picture
from tests.services.conftest import citizen, rows, task_of


@pytest.fixture
def employee(now):
    """Somebody of the actor's roster, as a form starts about this person."""

    def pick(actor, place: int = 0):
        found = rosters.search(actor, "person_update", "")[place]
        return found.person_id, rosters.picked(actor, "person_update", found.person_id)

    return pick


def codes(actor, kind, form, now):
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, kind, form, now)
    return [(error.field, error.code) for error in caught.value.errors]


def before_of(reference, kind):
    (case,) = rows(Declaration, reference=reference)
    (effect,) = rows(Effect, declaration_id=case.id, effect=f"{kind}.apply")
    return effect.result["changed"], decrypt_json(b64decode(effect.result["before"]))


class TestPerson:
    def test_nt_2_7_pending_audited_then_written(self, nantong, auditor, employee, now):
        person_id, start = employee(nantong)
        old = start["old_phone"]
        assert start["phone"] == old
        form = {**start, "phone": "13911112222", "home_postcode": "226000", "internal_no": "A-17"}
        filed = declarations.file(nantong, "person_update", form, now)
        assert filed.status == "pending"
        declarations.submit(nantong, [filed.reference], now)
        case = declarations.get_case(auditor, filed.reference, now)
        assert (case.data["old_phone"], case.data["phone"]) == (old, "13911112222")
        assert contacts.person_data(person_id)["phone"] == old
        done = audits.decide(auditor, task_of(filed.reference), "approve", "", [], now)
        assert (done.status, done.message) == ("approved", "修改成功，共修改3项。")
        known = contacts.person_data(person_id)
        assert (known["phone"], known["home_postcode"], known["internal_no"]) == (
            "13911112222", "226000", "A-17",
        )  # fmt: skip
        (row,) = rows(Person, id=person_id)
        assert row.phone_last4 == "2222"
        assert before_of(filed.reference, "person_update") == (
            ["home_postcode", "internal_no", "phone"],
            {"home_postcode": "", "internal_no": "", "phone": old},
        )

    def test_refused_leaves_everything_as_it_was(self, nantong, auditor, employee, now):
        person_id, start = employee(nantong, 1)
        form = {**start, "phone": "13911112222"}
        filed = declarations.file(nantong, "person_update", form, now, submit_now=True)
        assert codes(nantong, "person_update", form, now) == [("id_number", "enrol.one_open")]
        audits.decide(auditor, task_of(filed.reference), "reject", "材料与事实不符", [], now)
        assert contacts.person_data(person_id)["phone"] == start["old_phone"]

    def test_js_3_5_bank_and_recall(self, person, employee, now):
        handler = person("huaian.handler")
        person_id, start = employee(handler)
        assert (start["insured_status"], start["insured_type"]) == ("active", "1101")
        assert len(start["first_month"]) == len("2020-01")
        bank = {
            "bank_name": "示例银行",
            "bank_account_name": start["name"],
            "bank_account": "6222000011112222",
        }
        form = {**start, **bank, "marriage": "20", "phone": start["old_phone"]}
        assert codes(handler, "person_update", {**form, "bank_account": ""}, now)[0][0] == "bank_account"
        filed = declarations.file(handler, "person_update", form, now)
        assert filed.status == "submitted"
        assert declarations.recall(handler, filed.reference, now).status == "recalled"
        filed = declarations.file(handler, "person_update", form, now)
        audits.decide(person("huaian.auditor"), task_of(filed.reference), "approve", "", [], now)
        known = contacts.person_data(person_id)
        assert {name: known[name] for name in bank} == bank
        (row,) = rows(Person, id=person_id)
        assert row.details["marriage"] == "20"
        assert "bank_account" not in row.details
        assert "6222000011112222" not in str(row.details)
        assert "insured_status" not in row.details

    @pytest.mark.parametrize("city", ["suzhou", "nanjing"])
    def test_at_once_where_nobody_audits(self, person, employee, now, city):
        handler = person(f"{city}.handler")
        person_id, start = employee(handler)
        form = {**start, "home_address": "示例路1号", "old_phone": "13000000000", "name": "别人"}
        done = declarations.file(handler, "person_update", form, now)
        assert (done.status, done.message_code) == ("done", "person_update.accepted")
        assert contacts.person_data(person_id)["home_address"] == "示例路1号"
        case = declarations.get_case(handler, done.reference, now)
        # what is fixed comes from the registry, whatever was posted
        assert (case.data["old_phone"], case.data["name"]) == (start["old_phone"], start["name"])
        # an empty field keeps what was there
        declarations.file(handler, "person_update", {**form, "home_address": "", "email": "a@b.cn"}, now)
        known = contacts.person_data(person_id)
        assert (known["home_address"], known["email"]) == ("示例路1号", "a@b.cn")

    def test_only_of_the_own_employer_and_only_a_change(self, suzhou, employee, now):
        _, start = employee(suzhou)
        assert codes(suzhou, "person_update", start, now) == [("", "person_update.nothing_changed")]
        stranger = {"id_number": citizen("320500", "not_insured").id_number, "email": "a@b.cn"}
        assert codes(suzhou, "person_update", stranger, now) == [
            ("id_number", "person_update.not_of_employer")
        ]
        check = declarations.check(suzhou, "person_update", stranger, now)
        assert not [name for name in check.data if name.startswith("old_")]
        unknown = {**stranger, "id_number": citizen("320500", "unknown").id_number}
        assert codes(suzhou, "person_update", unknown, now) == [("id_number", "person_update.unknown")]
        bad = {**start, "phone": "1", "home_postcode": "12"}
        assert {field for field, _ in codes(suzhou, "person_update", bad, now)} == {"phone", "home_postcode"}

    def test_weinan_offers_it_at_the_counter_only(self, person, now):
        with pytest.raises(NotFound):
            declarations.file(person("weinan.handler"), "person_update", {}, now)


class TestEmployer:
    def start(self, actor, now):
        return setting_of(actor, "employer_update", now).defaults(now)

    def test_nt_2_8_one_open_for_the_employer(self, nantong, auditor, now):
        start = self.start(nantong, now)
        assert start["old_contact_name"] == start["contact_name"] == "张敏"
        form = {**start, "contact_name": "王芳", "contact_mobile": "13911112222"}
        filed = declarations.file(nantong, "employer_update", form, now)
        assert filed.status == "pending"
        assert codes(nantong, "employer_update", form, now) == [("", "employer_update.one_open")]
        declarations.submit(nantong, [filed.reference], now)
        case = declarations.get_case(auditor, filed.reference, now)
        assert (case.data["old_contact_name"], case.data["contact_name"]) == ("张敏", "王芳")
        assert (case.person_id, case.person_name) == (None, "")
        audits.decide(auditor, task_of(filed.reference), "approve", "", [], now)
        (row,) = rows(Employer, id=nantong.employer_id)
        assert (row.details["contact_name"], row.details["contact_mobile"]) == ("王芳", "13911112222")
        assert row.details["legal_person"] == "李强"
        assert before_of(filed.reference, "employer_update")[1] == {
            "contact_name": "张敏", "contact_mobile": "",
        }  # fmt: skip

    def test_js_3_4_bank_account_is_sealed(self, person, now):
        handler = person("huaian.handler")
        form = {**self.start(handler, now), "bank_account": "6222999988887777", "employer_name": "别的单位"}
        filed = declarations.file(handler, "employer_update", form, now)
        assert filed.status == "submitted"
        audits.decide(person("huaian.auditor"), task_of(filed.reference), "approve", "", [], now)
        known = contacts.employer_data(handler.employer_id)
        assert known["bank_account"] == "6222999988887777"
        assert known["employer_name"] != "别的单位"
        (row,) = rows(Employer, id=handler.employer_id)
        assert "bank_account" not in row.details

    @pytest.mark.parametrize("city", ["suzhou", "nanjing"])
    def test_at_once_where_nobody_audits(self, person, now, city):
        handler = person(f"{city}.handler")
        start = self.start(handler, now)
        assert codes(handler, "employer_update", start, now) == [("", "employer_update.nothing_changed")]
        done = declarations.file(handler, "employer_update", {**start, "address": "示例路99号"}, now)
        assert (done.status, done.message) == ("done", "修改成功，共修改1项。")
        assert contacts.employer_data(handler.employer_id)["address"] == "示例路99号"

    def test_weinan_asks_for_proof(self, person, now):
        handler = person("weinan.handler")
        form = {**self.start(handler, now), "address": "示例路99号"}
        made = declarations.file(handler, "employer_update", form, now).reference
        with pytest.raises(Rejected):
            declarations.proceed(handler, made, "next", now)
        materials.upload(handler, made, "business_licence", "a.jpg", picture(), now)
        assert declarations.proceed(handler, made, "next", now).status == "submitted"
        audits.decide(person("weinan.auditor"), task_of(made), "approve", "", [], now)
        assert contacts.employer_data(handler.employer_id)["address"] == "示例路99号"
