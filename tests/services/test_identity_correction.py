"""Correcting who a person is, at the counter: PRACTICE 3, identity_correction."""

from base64 import b64decode

import pytest

from app.errors import NotFound, Rejected
from app.services import audits, declarations, materials
from app.store import identities
from app.store.business import finished_business
from app.store.crypto import blind, decrypt_json
from app.store.models import Declaration, Effect, IdentityChange, Person
from app.store.people import find_people
from tests.documents.samples import picture
from tests.services.conftest import NANTONG, citizen, nantong_form, rows, task_of

KIND = "identity_correction"
# valid numbers of the same day of birth, another day, and another sex
REASON = "登记时录入有误，已核对身份证原件"


def number_of(born: str, sequence: str = "051") -> str:
    from app.domain.identity import identity_check_digit

    first = f"320601{born}{sequence}"
    return first + identity_check_digit(first)


@pytest.fixture
def clerk(person):
    from dataclasses import replace

    return replace(person("nantong.counter"), employer_id=person("nantong.handler").employer_id)


@pytest.fixture
def found():
    return citizen(NANTONG, "not_insured")


def form(found, **new):
    return {"id_type": "01", "id_number": found.id_number, "correction_reason": REASON, **new}


@pytest.fixture
def filed(clerk, now):
    """A correction with its material, handed to the auditor: its reference."""

    def make(typed) -> str:
        made = declarations.file(clerk, KIND, typed, now)
        assert made.status == "draft"
        materials.upload(clerk, made.reference, "identity_proof", "card.jpg", picture(), now)
        done = declarations.proceed(clerk, made.reference, "next", now)
        assert done.status == "submitted", done
        return made.reference

    return make


def refusals(clerk, typed, now):
    with pytest.raises(Rejected) as caught:
        declarations.file(clerk, KIND, typed, now)
    return [(error.field, error.code) for error in caught.value.errors]


def test_number_name_and_birth_date_change_and_the_old_ones_stay_on_record(clerk, auditor, found, filed, now):
    new = number_of("19900101")
    reference = filed(form(found, new_id_number=new.lower(), new_name="更正后"))
    case = declarations.get_case(auditor, reference, now)
    assert (case.data["name"], case.data["new_name"]) == (found.name, "更正后")
    assert case.data["birth_date"] != case.data["new_birth_date"] == "1990-01-01"
    months = case.data["retirement_month"], case.data["new_retirement_month"]
    assert months[0] != months[1]
    assert {each.code for each in case.warnings} >= {"identity_correction.retirement_month"}
    (row,) = rows(Person, id=case.person_id)
    assert row.name == found.name
    done = audits.decide(auditor, task_of(reference), "approve", "", [], now)
    assert done.status == "approved"
    assert done.message.endswith(f"法定退休年月：{months[0]} → {months[1]}。")
    (row,) = rows(Person, id=case.person_id)
    assert (row.name, row.birth_date.isoformat(), row.id_masked) == (
        "更正后", "1990-01-01", f"{new[:4]}*****{new[-4:]}",
    )  # fmt: skip
    assert row.id_hash == blind(new)
    assert identities.identity_of(row.id)["id_number"] == new
    (kept,) = identities.former_identities(row.id)
    assert kept.before["id_number"] == found.id_number
    assert kept.after["name"] == "更正后"
    assert kept.changed == ["id_number", "name", "birth_date"]
    (sealed,) = rows(IdentityChange, person_id=row.id)
    assert sealed.declaration_id == rows(Declaration, reference=reference)[0].id
    for column in (sealed.before_cipher, sealed.after_cipher):
        assert found.id_number.encode() not in column
        assert new.encode() not in column
    (effect,) = rows(Effect, effect="identity_correction.apply")
    assert decrypt_json(b64decode(effect.result["before"]))["name"] == found.name
    assert found.id_number not in str(effect.result)


def test_the_persons_business_is_found_by_the_new_number(clerk, nantong, auditor, found, filed, now):
    enrolled = declarations.file(nantong, "enrol", nantong_form(found), now, submit_now=True)
    audits.decide(auditor, task_of(enrolled.reference), "approve", "", [], now)
    new = number_of("19911212")
    reference = filed(form(found, new_id_number=new))
    audits.decide(auditor, task_of(reference), "approve", "", [], now)
    assert not find_people(NANTONG, [blind(found.id_number)])
    known = {each.reference for each in finished_business(blind(new), NANTONG)}
    assert {enrolled.reference, reference} <= known
    with pytest.raises(Rejected) as caught:
        declarations.file(nantong, "enrol", {**nantong_form(found), "id_number": new}, now)
    assert caught.value.errors[0].code == "enrol.active_at_employer"


def test_only_a_name(clerk, auditor, found, filed, now):
    reference = filed(form(found, new_name="改名 后"))
    case = declarations.get_case(auditor, reference, now)
    assert case.data["retirement_month"] == case.data["new_retirement_month"]
    done = audits.decide(auditor, task_of(reference), "approve", "", [], now)
    assert done.message == "更正成功，共更正1项，法定退休年月不变。"
    (row,) = rows(Person, id=case.person_id)
    assert (row.name, row.id_hash) == ("改名 后", blind(found.id_number))


def test_refused_changes_nothing(clerk, auditor, found, filed, now):
    reference = filed(form(found, new_name="别的名"))
    audits.decide(auditor, task_of(reference), "reject", "材料不符", [], now)
    assert not rows(IdentityChange)


def test_a_number_of_somebody_else_leads_to_the_merge(clerk, found, now):
    other = citizen(NANTONG, "not_insured", 1)
    with pytest.raises(Rejected) as caught:
        declarations.file(clerk, KIND, form(found, new_id_number=other.id_number), now)
    (error,) = [each for each in caught.value.errors if each.code == "identity_correction.collision"]
    assert "人员合并" in error.message
    assert error.field == "new_id_number"


def test_what_is_refused(clerk, found, now):
    assert refusals(clerk, form(found), now) == [("", "identity_correction.nothing_changed")]
    unknown = form(citizen(NANTONG, "unknown"), new_name="新名")
    assert refusals(clerk, unknown, now) == [("id_number", "identity_correction.unknown")]
    wrong = form(found, new_birth_date="1980-02-02")
    assert refusals(clerk, wrong, now) == [("new_birth_date", "enrol.birth_date_differs")]
    short = form(found, new_id_number=number_of("19900101")[:-1])
    assert refusals(clerk, short, now)[0][0] == "new_id_number"


def test_open_business_comes_first(clerk, nantong, found, now):
    declarations.file(nantong, "enrol", nantong_form(found), now)
    codes = [code for _, code in refusals(clerk, form(found, new_name="新名"), now)]
    assert "identity_correction.open_case" in codes


def test_a_changed_record_is_not_overwritten(clerk, auditor, found, filed, now):
    reference = filed(form(found, new_name="甲"))
    from app.store.identities import IdentityRow, correct_people
    from app.store.session import transaction

    case = declarations.get_case(auditor, reference, now)
    old = identities.identity_of(case.person_id)
    new = {**old, "id_number": number_of("19900101"), "birth_date": "1990-01-01"}
    with transaction():
        row = rows(Declaration, reference=reference)[0]
        correct_people(
            [IdentityRow(case.person_id, NANTONG, row.id, row.created_at_utc, ["id_number"], old, new)]
        )
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task_of(reference), "approve", "", [], now)
    assert caught.value.errors[0].code == "identity_correction.unknown"


def test_another_document_with_typed_birth_date_and_sex(clerk, auditor, found, filed, now):
    reference = filed(form(found, new_id_type="08", new_id_number="E12345678"))
    audits.decide(auditor, task_of(reference), "approve", "", [], now)
    (row,) = rows(Person, id_hash=blind("E12345678"))
    assert (row.id_type, row.name) == ("08", found.name)


def test_employers_cannot_file_it(nantong, found, now):
    with pytest.raises(NotFound):
        declarations.file(nantong, KIND, form(found, new_name="新名"), now)
