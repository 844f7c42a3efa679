"""Materials of a case: taken, refused, listed, removed, joined, opened by those who may see the case."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select

from app.documents import scanner
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.extensions import db
from app.services import audits, declarations, incidents, material_files, material_work, materials
from app.services.doctor import CHECKS
from app.store.files import file_store
from app.store.models import Declaration, Event, Incident, Material, Outbox
from tests.documents.samples import HOSTILE, pdf, picture
from tests.services.conftest import citizen, huaian_form, nantong_form, rows, task_of

WEINAN, NANTONG = "610500", "320600"
ITEMS = ("identity_card", "labour_contract")


@pytest.fixture
def handler(person):
    return person("weinan.handler")


@pytest.fixture
def auditor(person):
    return person("weinan.auditor")


@pytest.fixture
def form():
    given = {**huaian_form(citizen(WEINAN, "unknown")), "start_month": "2026-11"}
    elsewhere = ("bank_name", "bank_account_name", "bank_account", "start_date")
    return {name: value for name, value in given.items() if name not in elsewhere}


@pytest.fixture
def reference(handler, form, now):
    """A case that waits for its materials."""
    made = declarations.file(handler, "enrol", form, now).reference
    declarations.proceed(handler, made, "next", now)
    return made


@pytest.fixture
def submitted(handler, reference, now):
    """A case that was handed over with its materials, which are ready."""
    for item in ITEMS:
        materials.upload(handler, reference, item, f"{item}.jpg", picture(text=item), now)
    work(now)
    declarations.proceed(handler, reference, "next", now)
    assert declarations.submit(handler, [reference], now).done == 1
    return reference


def work(now):
    """Do what waits in the outbox for materials, as the worker would."""
    acts = {"material": material_work.prepare, "material_join": material_work.join}
    for row in [row for row in rows(Outbox) if row.done_at_utc is None and row.topic in acts]:
        acts[row.topic](row.id, now)
    db.session.rollback()


def kept_files():
    return sorted(file_store()._root.glob("materials/**/original"))


def names(handler, reference, now, item=ITEMS[0]):
    listed = materials.list_items(handler, reference, now)
    return [(file.file_name, file.state) for file in listed.files if file.item == item]


def test_what_is_asked_for(handler, auditor, reference, now):
    listed = materials.list_items(handler, reference, now)
    assert [(each.need.code, each.need.name, each.need.required) for each in listed.items] == [
        ("identity_card", "身份证复印件", True),
        ("labour_contract", "劳动合同", True),
    ]
    assert listed.changeable
    assert listed.at_step
    assert [error.field for error in listed.errors] == ["material_identity_card", "material_labour_contract"]
    # nothing of it is the agency's yet
    with pytest.raises(NotFound):
        materials.list_items(auditor, reference, now)


def test_a_picture_and_a_pdf(handler, auditor, reference, now):
    first = materials.upload(handler, reference, ITEMS[0], "C:\\scans\\..\\身份证.exe", picture(), now)
    contract = pdf(3)
    second = materials.upload(handler, reference, ITEMS[1], "合同.PDF", contract, now)
    assert (first.file_name, first.media_type, first.state) == ("身份证.exe.jpg", "image/jpeg", "received")
    assert (second.file_name, second.media_type) == ("合同.pdf", "application/pdf")
    with pytest.raises(NotFound):
        materials.open_file(handler, reference, first.id)
    work(now)
    listed = materials.list_items(handler, reference, now)
    assert [(file.state, file.pages) for file in listed.files] == [("ready", 1), ("ready", 3)]
    assert listed.errors == []
    with pytest.raises(NotFound):
        materials.open_file(auditor, reference, second.id)
    opened = materials.open_file(handler, reference, second.id)
    assert (opened.content, opened.media_type, opened.file_name) == (contract, "application/pdf", "合同.pdf")
    for part in ("thumbnail", "page-1", "page-3"):
        shown = materials.open_file(handler, reference, second.id, part)
        assert shown.media_type == "image/jpeg"
        Image.open(io.BytesIO(shown.content)).load()
    for part in ("page-4", "page-0", "original", "../x"):
        with pytest.raises(NotFound):
            materials.open_file(handler, reference, second.id, part)


def test_bytes_are_sealed(handler, reference, now):
    made = materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    work(now)
    (row,) = rows(Material)
    for key in (row.file_key, row.thumbnail_key):
        assert b"JFIF" not in file_store().get(key)
    assert materials.open_file(handler, reference, made.id).content == picture()


@pytest.mark.parametrize("name", ["a page", "a broken picture", "a PDF with a script", "a picture bomb"])
def test_refused_in_words_and_nothing_is_kept(handler, reference, now, name):
    content, code = HOSTILE[name]
    with pytest.raises(Rejected) as refused:
        materials.upload(handler, reference, ITEMS[0], "good.pdf", content, now)
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("material_identity_card", f"material.{code}")
    assert error.message.startswith("身份证复印件：")
    assert rows(Material) == []
    assert [row for row in rows(Outbox) if row.topic == "material"] == []


def test_limits_of_size_and_number(handler, reference, now, monkeypatch):
    before = kept_files()
    with pytest.raises(Rejected, match="10M"):
        materials.upload(handler, reference, ITEMS[0], "a.pdf", b"%PDF-" + bytes(10 << 20), now)
    assert kept_files() == before
    materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    before = kept_files()
    (listed,) = materials.store.list_materials(rows(Declaration, reference=reference)[0].id)
    monkeypatch.setattr(materials.store, "list_materials", lambda _: [listed] * 20)
    with pytest.raises(Rejected, match="20个文件"):
        materials.upload(handler, reference, ITEMS[0], "b.jpg", picture(text="b"), now)
    assert kept_files() == before


def test_the_same_file_twice(handler, reference, now):
    materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    with pytest.raises(Rejected, match="相同的文件"):
        materials.upload(handler, reference, ITEMS[0], "b.jpg", picture(), now)
    materials.upload(handler, reference, ITEMS[1], "b.jpg", picture(), now)
    assert names(handler, reference, now) == [("a.jpg", "received")]


def test_bytes_that_were_never_kept(handler, reference, now):
    materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    file_store().delete(rows(Material)[0].file_key)
    work(now)
    assert names(handler, reference, now) == [("a.jpg", "refused")]


def test_who_may_touch_them(handler, auditor, person, reference, now, nantong):
    made = materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    work(now)
    stranger, other_auditor = nantong, person("nantong.auditor")
    for actor in (stranger, other_auditor):
        with pytest.raises(NotFound):
            materials.list_items(actor, reference, now)
        with pytest.raises(NotFound):
            materials.open_file(actor, reference, made.id)
    with pytest.raises(NotFound):
        materials.upload(stranger, reference, ITEMS[0], "a.jpg", picture(), now)
    with pytest.raises(NotFound):
        materials.remove(stranger, reference, made.id, now)
    with pytest.raises(Forbidden):
        materials.upload(auditor, reference, ITEMS[0], "a.jpg", picture(), now)
    with pytest.raises(NotFound):
        materials.open_file(handler, "261118-0000000000", made.id)
    with pytest.raises(NotFound):
        materials.upload(handler, reference, "payroll", "a.jpg", picture(), now)


def test_removed_before_submission_is_gone(handler, reference, now):
    made = materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    work(now)
    (row,) = rows(Material)
    keys = (row.file_key, row.thumbnail_key)
    materials.remove(handler, reference, made.id, now)
    assert rows(Material) == []
    assert not any(file_store().exists(key) for key in keys)
    with pytest.raises(NotFound):
        materials.remove(handler, reference, made.id, now)
    assert [event.action for event in rows(Event) if event.action.startswith("material")] == [
        "material_added",
        "material_removed",
    ]


def test_removed_after_a_return_stays_as_evidence(handler, auditor, submitted, form, now):
    audits.decide(auditor, task_of(submitted), "return", "合同不清晰", ["remark"], now)
    listed = materials.list_items(handler, submitted, now)
    assert listed.changeable
    old = listed.items[1].files[0]
    materials.remove(handler, submitted, old.id, now)
    with pytest.raises(Rejected) as refused:
        declarations.file(handler, "enrol", form, now, reference=submitted)
    assert refused.value.errors[0].field == "material_labour_contract"
    materials.upload(handler, submitted, ITEMS[1], "again.jpg", picture(), now)
    assert declarations.file(handler, "enrol", form, now, reference=submitted).status == "submitted"
    kept = db.session.get(Material, old.id)
    assert kept.state == "removed"
    assert file_store().exists(kept.file_key)
    assert names(handler, submitted, now, ITEMS[1]) == [("again.jpg", "received")]


def test_nothing_changes_once_it_is_handed_over(handler, submitted, now):
    listed = materials.list_items(handler, submitted, now)
    assert not listed.changeable
    with pytest.raises(Conflict):
        materials.upload(handler, submitted, ITEMS[0], "a.jpg", picture(), now)
    with pytest.raises(Conflict):
        materials.remove(handler, submitted, listed.files[0].id, now)
    with pytest.raises(Conflict):
        materials.join(handler, submitted, ITEMS[0], now)


def test_no_materials_no_step(handler, reference, now):
    with pytest.raises(Rejected) as refused:
        declarations.proceed(handler, reference, "next", now)
    assert [error.message for error in refused.value.errors] == ["请上传身份证复印件", "请上传劳动合同"]


def test_a_kind_without_materials(nantong, now):
    receipt = declarations.file(
        nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured")), now, submit_now=True
    )
    assert materials.list_items(nantong, receipt.reference, now).items == []


def test_pictures_become_one_pdf(handler, reference, now):
    for text in ("one", "two", "three"):
        materials.upload(handler, reference, ITEMS[0], f"{text}.jpg", picture(text=text), now)
    assert materials.list_items(handler, reference, now).items[0].joinable
    materials.join(handler, reference, ITEMS[0], now)
    with pytest.raises(Rejected):
        materials.join(handler, reference, ITEMS[0], now)
    assert names(handler, reference, now)[-1] == ("身份证复印件.pdf", "joining")
    work(now)
    assert names(handler, reference, now) == [("身份证复印件.pdf", "ready")]
    (made,) = materials.list_items(handler, reference, now).files
    assert (made.pages, made.media_type) == (3, "application/pdf")
    content = materials.open_file(handler, reference, made.id).content
    assert len(PdfReader(io.BytesIO(content)).pages) == 3
    with pytest.raises(Rejected):
        materials.join(handler, reference, ITEMS[0], now)


def test_jobs_twice_and_documents_that_went(handler, reference, now):
    made = materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    (row,) = [row for row in rows(Outbox) if row.topic == "material"]
    assert material_work.prepare(row.id, now) is True
    assert material_work.prepare(row.id, now) is False
    assert names(handler, reference, now) == [("a.jpg", "ready")]
    other = materials.upload(handler, reference, ITEMS[0], "b.jpg", picture(text="b"), now)
    materials.remove(handler, reference, other.id, now)
    work(now)
    assert [file.id for file in materials.list_items(handler, reference, now).files] == [made.id]
    assert all(row.done_at_utc for row in rows(Outbox) if row.topic == "material")


def test_a_job_that_is_killed_half_way_is_done_again(handler, reference, now, monkeypatch):
    materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    (row,) = [row for row in rows(Outbox) if row.topic == "material"]

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(material_work, "_draw", die)
        with pytest.raises(KeyboardInterrupt):
            material_work.prepare(row.id, now)
    assert names(handler, reference, now) == [("a.jpg", "received")]
    work(now)
    assert names(handler, reference, now) == [("a.jpg", "ready")]


def test_infected(handler, reference, now, monkeypatch):
    monkeypatch.setattr(scanner, "is_configured", lambda: True)
    monkeypatch.setattr(scanner, "find_threat", lambda content: "Eicar-Test-Signature")
    materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    work(now)
    (row,) = rows(Material)
    assert (row.state, row.scan) == ("refused", "infected")
    assert "Eicar-Test-Signature" in row.message
    assert not file_store().exists(row.file_key)
    with pytest.raises(Rejected, match="未通过检查"):
        declarations.proceed(handler, reference, "next", now)
    materials.remove(handler, reference, row.id, now)
    assert rows(Material) == []


def test_a_scanner_that_is_away_is_asked_again(handler, reference, now, monkeypatch, person):
    monkeypatch.setattr(scanner, "is_configured", lambda: True)

    def away(_content):
        raise scanner.ScannerAway("clamd does not answer")

    made = materials.upload(handler, reference, ITEMS[0], "a.jpg", picture(), now)
    (row,) = [row for row in rows(Outbox) if row.topic == "material"]
    monkeypatch.setattr(scanner, "find_threat", away)
    for _ in range(3):
        with pytest.raises(scanner.ScannerAway):
            material_work.prepare(row.id, now)
    with pytest.raises(NotFound):
        materials.open_file(handler, reference, made.id)
    (incident,) = rows(Incident)
    assert incident.action == "material"
    monkeypatch.setattr(scanner, "find_threat", lambda content: None)
    incidents.retry(person("sysadmin"), incident.id, now)
    assert db.session.scalars(select(Material.scan)).one() == "clean"
    assert names(handler, reference, now) == [("a.jpg", "ready")]


def test_the_doctor_says_whether_files_are_scanned(monkeypatch):
    (found,) = CHECKS["scanner"]()
    assert (found.level, "CLAMD_ADDRESS" in found.message) == ("warning", True)
    monkeypatch.setattr(scanner, "is_configured", lambda: True)
    monkeypatch.setattr(scanner, "version", lambda: "ClamAV 1.4.2")
    assert CHECKS["scanner"]()[0].message == "ClamAV 1.4.2"


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("合同\u202efdp.exe", "合同fdp.exe.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "abSet-Cookie x.pdf"),
        ("...", "材料.pdf"),
        ("x" * 300 + ".PDF", "x" * 80 + ".pdf"),
    ],
)
def test_names_are_safe(given, safe):
    assert material_files.safe_name(given, ".pdf") == safe
