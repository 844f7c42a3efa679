"""Jobs for materials: by id, twice without harm, lost and found again by the sweeper."""

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import clock as region_clock
from app import queue
from app.services import declarations, outbox
from app.services import materials as services
from app.store.models import Material, Outbox
from jobs import context, materials
from tests.documents.samples import picture
from tests.services.conftest import citizen, huaian_form, rows

WEINAN = "610500"


@pytest.fixture(autouse=True)
def _own_application(app):
    context.use(app)
    yield
    context.use(None)


@pytest.fixture
def handler(person):
    return person("weinan.handler")


@pytest.fixture
def reference(handler, now):
    given = {**huaian_form(citizen(WEINAN, "unknown")), "start_month": "2026-11"}
    elsewhere = ("bank_name", "bank_account_name", "bank_account", "start_date")
    form = {name: value for name, value in given.items() if name not in elsewhere}
    made = declarations.file(handler, "enrol", form, now).reference
    declarations.proceed(handler, made, "next", now)
    return made


def work():
    waiting = queue.queue("materials")
    SimpleWorker([waiting], connection=queue.connection(), serializer=JSONSerializer).work(
        burst=True, logging_level="ERROR"
    )


def states():
    return [(row.file_name, row.state) for row in rows(Material)]


def test_twice(handler, reference, now):
    services.upload(handler, reference, "identity_card", "a.jpg", picture(), now)
    (row,) = rows(Outbox, topic="material")
    materials.prepare(outbox_id=row.id)
    materials.prepare(outbox_id=row.id)
    assert states() == [("a.jpg", "ready")]


def test_joined_twice(handler, reference, now):
    for name in ("a.jpg", "b.jpg"):
        services.upload(handler, reference, "identity_card", name, picture(text=name), now)
    services.join(handler, reference, "identity_card", now)
    (row,) = rows(Outbox, topic="material_join")
    materials.join(outbox_id=row.id)
    materials.join(outbox_id=row.id)
    assert states() == [("a.jpg", "removed"), ("b.jpg", "removed"), ("身份证复印件.pdf", "ready")]


def test_the_queue_runs_it(handler, reference, now, real_queue):
    services.upload(handler, reference, "identity_card", "a.jpg", picture(), now)
    work()
    assert states() == [("a.jpg", "ready")]


def test_what_redis_lost_is_found_again(handler, reference, now, real_queue, monkeypatch):
    services.upload(handler, reference, "identity_card", "a.jpg", picture(), now)
    real_queue.flushall()
    work()
    assert states() == [("a.jpg", "received")]
    later = region_clock.real_utcnow() + outbox.timedelta(seconds=outbox.FIRST_SWEEP_SECONDS + 1)
    monkeypatch.setattr(outbox.clock, "real_utcnow", lambda: later)
    assert outbox.sweep() == 1
    work()
    assert states() == [("a.jpg", "ready")]
    assert outbox.sweep() == 0
