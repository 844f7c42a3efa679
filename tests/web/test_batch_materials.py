"""The pages of a batch's materials without script: guards, files, refusals, the second confirmation."""

import re
from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.services import accounts, batch_run, imports
from app.store.accounts import find_user
from app.store.models import BatchFile, Declaration, Material
from app.store.session import end_read
from tests.documents.samples import HOSTILE, picture
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import filled
from tests.services.conftest import rows
from tests.services.test_stop import employee
from tests.services.test_stop_batches import cells_of
from tests.web.conftest import post


@pytest.fixture
def client(app, sign_in):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    return sign_in("weinan.handler", DEMO_PASSWORD)


@pytest.fixture
def people(app):
    with app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        found = [employee(actor, place) for place in range(3)]
        end_read()
    return found


@pytest.fixture
def place(app, people):
    """The address of the materials of an accepted file."""
    with app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        cells = [cells_of(each, stop_month="202611", stop_reason="02-解除或终止劳动合同") for each in people]
        made = imports.upload(
            actor, "stop", "减员.xlsx", filled(actor, "stop", cells), {}, TEST_NOW, queued=False
        )
        batch_run.run(made.batch.id)
        end_read()
        return f"/imports/stop/{made.batch.id}/materials"


def send(client, place, *files, **fields):
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(place).text)[1]
    parts = [("csrf_token", token), *fields.items()]
    body = {**dict(parts), "file": [FileStorage(BytesIO(content), name, "file") for name, content in files]}
    boundary, data = encode_multipart(body)
    return client.post(place, data=data, content_type=f"multipart/form-data; boundary={boundary}")


def named(people, *words):
    return [
        (f"{found.id_number}{word}.jpg", picture(text=found.id_number + word))
        for found in people
        for word in words
    ]


def test_from_the_progress_table_to_the_submission(app, client, place, people):
    assert f'href="{place}"' in client.get("/imports/stop").text
    page = client.get(place).text
    assert page.count('data-materials="missing"') == 3
    early = client.get(f"{place}/review")
    assert early.status_code == 422
    assert f"第4行 {people[0].name}：缺少身份证复印件" in early.text
    assert 'href="#field-person_4"' in early.text
    answer = send(client, place, *named(people, "身份证"), ("谁.jpg", picture(text="?")))
    assert answer.status_code == 200
    assert "已对应 3 个，待指定 1 个，未接收 0 个" in answer.text
    with app.app_context():
        (held,) = [row.id for row in rows(BatchFile)]
        end_read()
    file = client.get(f"{place}/files/{held}")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert client.get(f"{place}/review").status_code == 422
    gone = post(client, f"{place}/files/{held}/delete", place)
    assert gone.status_code == 303
    review = client.get(f"{place}/review")
    assert review.status_code == 200
    assert all(found.name in review.text for found in people)
    assert "解除或终止劳动合同" in review.text
    # first what the step asks to be confirmed, then the second confirmation
    assert post(client, f"{place}/submit", place).status_code == 422
    asked = post(client, f"{place}/submit", place, materials_confirmed="1")
    assert "将为 3 人提交批量在职减员" in asked.text
    with app.app_context():
        assert {row.status for row in rows(Declaration, kind="stop", batch_id=batch_of(place))} == {"draft"}
        end_read()
    # the second confirmation carries the first one with it
    assert post(client, f"{place}/submit", place, confirmed="1", total="3").status_code == 422
    assert 'name="materials_confirmed" value="1"' in asked.text
    done = post(client, f"{place}/submit", place, confirmed="1", total="3", materials_confirmed="1")
    assert done.status_code == 303
    assert "业务已经提交，等待中心审批" in client.get(done.location).text
    with app.app_context():
        cases = rows(Declaration, batch_id=batch_of(place))
        assert {row.status for row in cases} == {"submitted"}
        end_read()


def batch_of(place):
    return int(place.split("/")[3])


def test_refusals_say_why_and_keep_the_others(app, client, place, people):
    answer = send(client, place, *named(people[:1], "身份证"), ("坏.pdf", HOSTILE["a page"][0]))
    assert answer.status_code == 422
    assert "已对应 1 个，待指定 0 个，未接收 1 个" in answer.text
    assert "坏.pdf：" in answer.text
    assert send(client, place).status_code == 422
    with app.app_context():
        assert len(rows(Material)) == 1
        end_read()


def test_assigned_by_a_list_or_by_typing(app, client, place, people):
    send(client, place, ("a.jpg", picture(text="a")), ("b.jpg", picture(text="b")), item="identity_card")
    with app.app_context():
        first, second = [row.id for row in rows(BatchFile)]
        end_read()
    assert post(client, f"{place}/assign", place).status_code == 422
    fields = {f"who-{first}": people[0].id_number, f"who-{second}": "", f"choice-{second}": "all"}
    answer = post(client, f"{place}/assign", place, **fields)
    assert answer.status_code == 200
    assert "已对应 2 个" in answer.text
    with app.app_context():
        assert len(rows(Material)) == 4
        end_read()


def test_filtered_and_polled(client, place, people):
    send(client, place, *named(people[:1], "身份证"))
    text = client.get(f"{place}?state=complete").text
    assert text.count("data-materials=") == 1
    assert people[0].name in text
    part = client.get(f"{place}/people?q={people[1].name}").text
    assert part.count("data-materials=") == 1
    assert "<html" not in part
    assert "hx-trigger" in client.get(place).text


def test_discarded_after_asking(app, client, place):
    asked = post(client, f"{place}/discard", place)
    assert "3 人的申报和已上传的材料" in asked.text
    done = post(client, f"{place}/discard", place, confirmed="1", total="3")
    assert done.status_code == 303
    with app.app_context():
        assert {row.status for row in rows(Declaration, batch_id=batch_of(place))} == {"discarded"}
        end_read()


def test_who_may_not(app, place, sign_in, people):
    other = sign_in("suzhou.handler", DEMO_PASSWORD)
    assert other.get(place).status_code == 404
    auditor = sign_in("weinan.auditor", DEMO_PASSWORD)
    assert auditor.get(place).status_code == 403
    reader = sign_in("weinan.reviewer", DEMO_PASSWORD)
    assert "data-batch-files" not in reader.get(place).text
    wrong = place.replace("/stop/", "/stop_retiree/")
    assert sign_in("weinan.handler", DEMO_PASSWORD).get(wrong).status_code == 404


def test_wn_2_4_the_month_is_confirmed_between_import_and_materials(app, client, clock):
    clock.set("2026-06-16T10:00:00")
    june = TEST_NOW.replace(month=6, day=16)
    assert 'name="declared_month"' not in client.get("/imports/base_annual").text
    with app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        found = [employee(actor, place) for place in range(2)]
        cells = [{"id_number": each.id_number, "name": each.name, "wage_yuan": "8000"} for each in found]
        content = filled(actor, "base_annual", cells)
        settings = {"staff_group": ["active"]}
        made = imports.upload(actor, "base_annual", "基数.xlsx", content, settings, june, queued=False)
        batch_run.run(made.batch.id)
        end_read()
    here = f"/imports/base_annual/{made.batch.id}"
    assert client.get(f"{here}/materials").location == f"{here}/confirmation"
    page = client.get(f"{here}/confirmation")
    assert page.status_code == 200
    assert 'data-confirmation="waiting"' in page.text
    assert "确认申请年月" in page.text
    assert 'value="2026-06"' in page.text
    wrong = post(client, f"{here}/confirmation", f"{here}/confirmation", declared_month="2026-05")
    assert wrong.status_code == 422
    assert "申请年月应为当月（2026-06）" in wrong.text
    assert 'value="2026-05"' in wrong.text
    done = post(client, f"{here}/confirmation", f"{here}/confirmation", declared_month="2026-06")
    assert (done.status_code, done.location) == (303, f"{here}/materials")
    materials = client.get(f"{here}/materials")
    assert materials.status_code == 200
    assert f'href="{here}/confirmation"' in materials.text
    assert 'data-confirmation="confirmed"' in client.get(f"{here}/confirmation").text


def test_a_kind_that_asks_for_nothing_has_no_such_step(client, place):
    assert client.get(f"{place.removesuffix('/materials')}/confirmation").status_code == 404


def test_a_refused_whole_is_told_person_by_person(app, client, place, people, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("app.web.batch_materials._ready", lambda *_given: None)
        patch.setattr(
            "app.services.batch_steps.check_ready", lambda actor, number: imports.get_batch(actor, number)
        )
        done = post(client, f"{place}/submit", place, confirmed="1", total="3", materials_confirmed="1")
    assert done.status_code == 303
    page = client.get(done.location)
    assert 'data-state="failed"' in page.text
    assert "有3人不能提交，本批没有提交" in page.text
    assert f"第4行 {people[0].name}：" in page.text
    with app.app_context():
        assert {row.status for row in rows(Declaration, batch_id=batch_of(place))} == {"draft"}
        end_read()
    assert client.get(f"{place}/submission/1").status_code == 404


def test_a_large_submission_is_watched_and_stopped(app, client, place, people, monkeypatch):
    send(client, place, *named(people, "身份证"))
    monkeypatch.setattr("app.services.batch_submission.AT_ONCE", 1)
    done = post(client, f"{place}/submit", place, confirmed="1", total="3", materials_confirmed="1")
    page = client.get(done.location)
    assert 'data-state="queued"' in page.text
    assert "正在核对 0 / 3 人" in page.text
    assert done.location in client.get(place).text
    stopped = post(client, f"{done.location}/stop", done.location)
    assert stopped.status_code == 303
    assert 'data-state="stopped"' in client.get(done.location).text
    with app.app_context():
        assert {row.status for row in rows(Declaration, batch_id=batch_of(place))} == {"draft"}
        end_read()
