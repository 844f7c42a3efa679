"""What is forgotten when its time is over, and what stays."""

from datetime import UTC, datetime, timedelta

import pytest

from app import clock, queue
from app.clock import to_utc
from app.services import batch_documents, batch_steps, batch_submission, retention
from app.store import retention as store
from app.store.codes import add_code
from app.store.files import file_store
from app.store.ids import new_id
from app.store.models import AccountEvent, Event, Material, OneTimeCode, Outbox, SmsMessage
from app.store.outbox import OutboxRow, add_outbox
from app.store.session import transaction
from app.store.sms import LocalGateway, TextMessage
from tests.services.conftest import rows
from tests.services.test_batch_materials import (  # noqa: F401 - fixtures
    batch,
    handler,
    number,
    people,
    provide,
    take,
    work,
)
from tests.services.test_imports import run  # noqa: F401 - a fixture
from tests.services.test_stop import handlers  # noqa: F401 - a fixture

REAL = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def real_time(monkeypatch):
    monkeypatch.setattr(clock, "real_utcnow", lambda: REAL)
    return REAL


def code(age_days):
    made = REAL - timedelta(days=age_days)
    with transaction():
        add_code(
            code_id=new_id(), subject=f"user:{age_days}", purpose="reset", code="123456",
            now_utc=made, expires_at_utc=made + timedelta(minutes=10),
        )  # fmt: skip


def message(now, age_days, *, sent=True):
    made = to_utc(now) - timedelta(days=age_days)
    with transaction():
        row = OutboxRow(new_id(), "sms", made, made, {}, done_at_utc=made if sent else None)
        add_outbox([row])
        LocalGateway().send(TextMessage(row.id, "13900000000", "words", made))


class TestRows:
    def test_codes_by_the_machines_clock(self, now, real_time):
        for age in (0, 6, 8, 400):
            code(age)
        assert retention.forget(now, daily=False)["codes"] == 2
        assert {row.subject for row in rows(OneTimeCode)} == {"user:0", "user:6"}
        assert retention.forget(now, daily=False)["codes"] == 0

    def test_messages_and_outbox_rows_that_were_sent(self, now, monkeypatch):
        monkeypatch.setattr(retention, "CHUNK", 1)
        for age in (0, 29, 31, 400):
            message(now, age)
        message(now, 500, sent=False)
        done = retention.forget(now, daily=False)
        assert (done["messages"], done["outbox"]) == (2, 2)
        assert len(rows(SmsMessage)) == 3
        # what was never sent stays, however old, with what keeps it from going out twice
        assert [row.done_at_utc for row in rows(Outbox)].count(None) == 1
        done = retention.forget(now, daily=False)
        assert (done["messages"], done["outbox"]) == (0, 0)

    def test_an_installation_says_for_how_long(self, now, monkeypatch):
        message(now, 3)
        monkeypatch.setattr(store, "_days", store.Days(messages=2, outbox=2))
        done = retention.forget(now, daily=False)
        assert (done["messages"], done["outbox"]) == (1, 1)


class TestDocuments:
    def keys(self):
        return {key for key, _ in file_store().list_keys("materials")}

    def drawn(self, handler, batch, people, now):  # noqa: F811
        take(handler, batch, now, *(f"{each.id_number}身份证.jpg" for each in people))
        work(now)
        assert {row.state for row in rows(Material)} == {"ready"}

    def test_of_cases_that_nobody_submitted(self, handler, batch, people, now, monkeypatch):  # noqa: F811
        self.drawn(handler, batch, people, now)
        before = self.keys()
        batch_steps.run_slice("discard", handler, batch.id, 0, now)
        assert retention.forget(now + timedelta(days=29), daily=True)["materials"] == 0
        monkeypatch.setattr(retention, "CHUNK", 3)
        later = now + timedelta(days=31)
        assert retention.forget(later, daily=True)["materials"] == 4
        assert rows(Material) == []
        gone = before - self.keys()
        assert any(key.endswith("thumbnail") for key in gone)
        assert not any(f"/{batch.id}/" in key for key in self.keys())
        # the history says that there was something, and everything before it
        told = rows(Event, action="materials_forgotten")
        assert [(row.actor_name, row.detail) for row in told] == [("系统", {"count": 1})] * 4
        assert len(rows(Event, action="material_added")) == 4
        assert retention.forget(later, daily=True)["materials"] == 0
        assert len(rows(Event, action="materials_forgotten")) == 4

    def test_what_was_submitted_stays(self, handler, batch, people, now):  # noqa: F811
        provide(handler, batch, people, now)
        batch_submission.start(handler, batch.id, now)
        count = len(rows(Material))
        assert retention.forget(now + timedelta(days=4000), daily=True)["materials"] == 0
        assert len(rows(Material)) == count

    def test_a_document_of_several_goes_with_the_last(self, handler, batch, people, now):  # noqa: F811
        batch_documents.take_files(
            handler, batch.id, [("工资表.jpg", number("all"))], now, item="identity_card", everybody=True
        )
        from app.services import declarations
        from app.store.models import Declaration

        first = rows(Declaration, batch_id=batch.id)[0]
        declarations.discard(handler, [first.reference], now)
        assert retention.forget(now + timedelta(days=31), daily=True)["materials"] == 1
        (key,) = {row.file_key for row in rows(Material)}
        assert file_store().exists(key)

    def test_files_that_no_row_names(self, handler, batch, people, now):  # noqa: F811
        self.drawn(handler, batch, people, now)
        before = self.keys()
        file_store().put("materials/1/2/original", b"x")
        file_store().put("materials/1/2/page-1", b"x")
        file_store().put("imports/202601/1.sealed", b"x")
        # young: its transaction may not have committed
        assert retention.sweep_files(datetime.now(UTC)) == 0
        assert retention.sweep_files(datetime.now(UTC) + timedelta(hours=25)) >= 3
        assert self.keys() & {"materials/1/2/original", "materials/1/2/page-1"} == set()
        assert not file_store().exists("imports/202601/1.sealed")
        own = {row.file_key for row in rows(Material)}
        assert own <= self.keys()
        assert {key for key in before if key.rpartition("/")[0] + "/original" in own} <= self.keys()
        assert file_store().exists(batch.file_key)

    def test_killed_between_row_and_file(self, handler, batch, people, now, monkeypatch):  # noqa: F811
        self.drawn(handler, batch, people, now)
        keys = {row.file_key for row in rows(Material)}
        batch_steps.run_slice("discard", handler, batch.id, 0, now)

        def killed(_row):
            raise KeyboardInterrupt

        monkeypatch.setattr(retention, "delete_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            retention.forget(now + timedelta(days=31), daily=True)
        assert rows(Material) == []
        assert all(file_store().exists(key) for key in keys)
        retention.sweep_files(datetime.now(UTC) + timedelta(hours=25))
        assert not any(file_store().exists(key) for key in keys)


def test_the_scheduler_asks_once_an_hour(monkeypatch):
    asked = []
    monkeypatch.setattr(queue, "enqueue", lambda *given, **named: asked.append((given, named["daily"])))
    assert retention.due()
    assert not retention.due()
    assert asked == [(("jobs.retention.forget",), "1")]
    later = clock.real_utcnow() + timedelta(hours=2)
    monkeypatch.setattr(clock, "real_utcnow", lambda: later)
    assert retention.due()
    # documents and files once a day
    assert [daily for _, daily in asked] == ["1", ""]


def test_the_record_of_accounts_is_not_touched(now):
    count = len(rows(AccountEvent))
    retention.forget(now + timedelta(days=4000), daily=True)
    assert len(rows(AccountEvent)) == count
