"""Materials over HTTP: the step of the wizard without script, refusals in words, and safe downloads."""

import io
import re

import pytest
from PIL import Image, ImageOps

from app import clock
from app.config import DEMO_PASSWORD
from app.services import material_work
from app.store.models import Declaration, Enrolment, Material, Outbox
from app.web.materials import turned
from tests.documents.samples import HOSTILE, pdf, picture
from tests.services.conftest import citizen, rows
from tests.web.conftest import post, token

WEINAN = "610500"


@pytest.fixture
def browser(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username):
        client = app.test_client()
        assert post(client, "/login", username=username, password=DEMO_PASSWORD).status_code == 302
        return client

    return enter


@pytest.fixture
def handler(browser):
    return browser("weinan.handler")


@pytest.fixture
def reference(app, handler):
    """A case whose form was filed and confirmed: it waits for its materials."""
    with app.app_context():
        found = citizen(WEINAN, "unknown")
    form = {
        "id_type": "01", "id_number": found.id_number, "name": found.name, "ethnicity": "01",
        "nationality": "CHN", "phone": "13900000000", "first_work_date": "2020-01-01", "person_type": "1101",
        "start_month": "2026-11", "wage_yuan": "8000", "funds": ["310", "330", "510"], "action": "file",
    }  # fmt: skip
    answer = post(handler, "/declare/enrol", "/declare/enrol", **form)
    assert answer.status_code == 303, answer.text
    made = re.search(r"/cases/([^/?]+)", answer.location)[1]
    page = handler.get(f"/cases/{made}").text
    assert 'value="next"' in page
    assert "废弃" in page
    answer = post(handler, f"/cases/{made}/proceed", f"/cases/{made}", decision="next")
    assert answer.location == f"/cases/{made}/materials"
    return made


def send(client, reference, item, *files, **headers):
    data = {"csrf_token": token(client, f"/cases/{reference}/materials"), "item": item}
    data["file"] = [(io.BytesIO(content), name) for name, content in files]
    return client.post(
        f"/cases/{reference}/materials", data=data, content_type="multipart/form-data", headers=headers
    )


def work(app):
    with app.app_context():
        for row in rows(Outbox, topic="material"):
            material_work.prepare(row.id, clock.now())


def give_all(app, client, reference):
    for item in ("identity_card", "labour_contract"):
        assert send(client, reference, item, (f"{item}.jpg", picture(text=item))).status_code == 303
    work(app)
    with app.app_context():
        return [row.id for row in rows(Material)]


def test_the_whole_wizard_without_script(app, handler, browser, reference):
    place = f"/cases/{reference}/materials"
    page = handler.get(place).text
    assert "身份证复印件" in page
    assert page.count("必需") == 2
    answer = post(handler, f"{place}/done", place, decision="next")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'href="#field-material_identity_card"' in answer.text
    assert 'id="field-material_identity_card"' in answer.text
    give_all(app, handler, reference)
    assert post(handler, f"{place}/done", place, decision="next").status_code == 422  # not confirmed yet
    answer = post(handler, f"{place}/done", place, decision="next", materials_confirmed="1")
    assert answer.status_code == 303
    review = handler.get(f"/cases/{reference}").text
    assert 'data-status="pending"' in review
    assert "identity_card.jpg" in review
    answer = post(handler, f"/cases/{reference}/proceed", f"/cases/{reference}", decision="submit")
    assert answer.location == f"/cases/{reference}/receipt"
    assert "业务已经提交，等待中心审批" in handler.get(answer.location).text
    second = post(handler, f"/cases/{reference}/proceed", f"/cases/{reference}", decision="submit")
    assert second.location == f"/cases/{reference}/receipt"
    assert post(handler, f"/cases/{reference}/proceed", "/hall", decision="back").status_code == 409
    auditor = browser("weinan.auditor")
    seen = auditor.get(f"/cases/{reference}").text
    assert "identity_card.jpg" in seen
    assert "data-doc-viewer" in seen
    with app.app_context():
        assert rows(Declaration)[-1].status == "submitted"
        assert rows(Enrolment, declaration_id=rows(Declaration)[-1].id) == []


def test_back_and_discard(app, handler, reference):
    place = f"/cases/{reference}/materials"
    answer = post(handler, f"{place}/done", place, decision="back")
    assert answer.location == f"/cases/{reference}"
    assert "确认在职增员信息" in handler.get(answer.location).text
    asked = post(handler, f"/cases/{reference}/discard", f"/cases/{reference}")
    assert "confirmed" in asked.text
    assert (
        post(handler, f"/cases/{reference}/discard", f"/cases/{reference}", confirmed="1").status_code == 303
    )
    with app.app_context():
        assert rows(Declaration)[-1].status == "discarded"


@pytest.mark.parametrize("name", ["a page", "a picture with an archive behind", "a locked PDF"])
def test_a_hostile_file_is_refused_at_its_item(app, handler, reference, name):
    content, _ = HOSTILE[name]
    answer = send(handler, reference, "identity_card", ("good.pdf", content), ("fine.jpg", picture()))
    assert answer.status_code == 422
    assert 'href="#field-material_identity_card"' in answer.text
    assert "good.pdf：身份证复印件：" in answer.text
    with app.app_context():
        assert [row.file_name for row in rows(Material)] == ["fine.jpg"]


def test_nothing_chosen(handler, reference):
    answer = send(handler, reference, "identity_card")
    assert answer.status_code == 422
    assert "请先选择文件" in answer.text


def test_script_gets_the_list_alone(handler, reference):
    answer = send(handler, reference, "identity_card", ("a.jpg", picture()), **{"X-Upload": "1"})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="material-list"')
    assert "data-waiting" in answer.text
    refused = send(handler, reference, "identity_card", ("a.jpg", b"<html>"), **{"X-Upload": "1"})
    assert refused.status_code == 422
    assert "网页" in refused.text
    assert "data-waiting" in handler.get(f"/cases/{reference}/materials/list").text


def test_bytes_are_handed_out_harmless(app, handler, reference):
    contract = pdf(2)
    send(handler, reference, "labour_contract", ('合同"1".pdf', contract))
    work(app)
    with app.app_context():
        (number,) = [row.id for row in rows(Material)]
    base = f"/cases/{reference}/materials/{number}"
    whole = handler.get(f"{base}/file")
    assert whole.data == contract
    assert whole.headers["Content-Type"] == "application/pdf"
    assert whole.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%90%88")
    for address in ("file", "page-1.jpg", "thumbnail.jpg"):
        answer = handler.get(f"{base}/{address}")
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"] in ("application/pdf", "image/jpeg")
    for wrong in ("page-3.jpg", "file.jpg", "original.jpg", "..%2Fx.jpg"):
        assert handler.get(f"{base}/{wrong}").status_code == 404


def test_the_viewer_by_its_address(app, handler, reference):
    first, second = give_all(app, handler, reference)
    base = f"/cases/{reference}/materials/{first}"
    page = handler.get(f"{base}?angle=90&size=200&page=9").text
    assert "page-1.jpg?angle=90" in page
    assert "size-200" in page
    assert handler.get(f"{base}?angle=45&size=7&page=x").status_code == 200
    assert f"/materials/{second}" in page


@pytest.mark.parametrize(("angle", "size"), [(0, (80, 40)), (90, (40, 80)), (180, (80, 40)), (270, (40, 80))])
def test_a_picture_is_turned_by_a_mark(angle, size):
    found = Image.open(io.BytesIO(turned(picture(size=(80, 40)), angle)))
    assert ImageOps.exif_transpose(found).size == size


def test_only_who_may_see_the_case(app, handler, browser, reference):
    first, second = give_all(app, handler, reference)
    strangers = [browser("nantong.handler"), browser("nantong.auditor")]
    for client in strangers:
        for address in ("", "/list", f"/{first}", f"/{first}/file", f"/{first}/page-1.jpg"):
            assert client.get(f"/cases/{reference}/materials{address}").status_code == 404, address
    auditor = browser("weinan.auditor")
    assert auditor.get(f"/cases/{reference}/materials/{first}/file").status_code == 404
    place = f"/cases/{reference}/materials"
    assert post(handler, f"{place}/done", place, materials_confirmed="1").status_code == 303
    assert (
        post(handler, f"/cases/{reference}/proceed", f"/cases/{reference}", decision="submit").status_code
        == 303
    )
    assert auditor.get(f"/cases/{reference}/materials/{first}/file").status_code == 200
    assert auditor.get(f"/cases/{reference}/materials").status_code == 302
    answer = post(
        auditor, f"/cases/{reference}/materials/{first}/delete", f"/cases/{reference}", confirmed="1"
    )
    assert answer.status_code == 403
    other = post(strangers[0], f"/cases/{reference}/materials/{first}/delete", "/hall", confirmed="1")
    assert other.status_code == 404
    for client in (app.test_client(), browser("designer1")):
        assert client.get(f"/cases/{reference}/materials/{second}/file").status_code in (302, 403)


def test_delete_asks_first(app, handler, reference):
    first, _ = give_all(app, handler, reference)
    place = f"/cases/{reference}/materials"
    asked = post(handler, f"{place}/{first}/delete", place)
    assert "identity_card.jpg" in asked.text
    assert post(handler, f"{place}/{first}/delete", place, confirmed="1").status_code == 303
    assert "identity_card.jpg" not in handler.get(place).text
    assert post(handler, f"{place}/{first}/delete", place, confirmed="1").status_code == 404


def test_join(app, handler, reference):
    place = f"/cases/{reference}/materials"
    assert post(handler, f"{place}/join", place, item="identity_card").status_code == 422
    send(handler, reference, "identity_card", ("1.jpg", picture()), ("2.png", picture("PNG")))
    assert "合并为一个 PDF" in handler.get(place).text
    assert post(handler, f"{place}/join", place, item="identity_card").status_code == 303
    assert "正在合并" in handler.get(place).text
