"""What leaves the database leaves after the commit, and is swept up where it was lost."""

from datetime import timedelta

import pytest

from app import clock, queue
from app.services import incidents, notices, outbox
from app.store.models import Incident, Notice, Outbox
from app.store.outbox import add_outbox
from app.store.session import transaction
from tests.fixtures.redis import NO_REDIS
from tests.services.conftest import rows


@pytest.fixture
def sooner(monkeypatch):
    """Let the machine's clock be later."""
    real = clock.real_utcnow

    def later(**by):
        monkeypatch.setattr(clock, "real_utcnow", lambda: real() + timedelta(**by))

    return later


def queued() -> list[int]:
    return [job.kwargs["outbox_id"] for job in queue.queue("notices").get_jobs()]


def test_a_return_is_told_once(returned, real_queue, now):
    returned()
    (row,) = rows(Outbox)
    assert queued() == [row.id]
    assert notices.deliver(row.id, now) is True
    assert notices.deliver(row.id, now) is False
    (notice,) = rows(Notice)
    assert (notice.outbox_id, notice.title) == (row.id, "申报需要补正")
    assert "工资与劳动合同不符" in notice.body
    assert rows(Outbox)[0].done_at_utc is not None


def test_without_redis_the_action_stands_and_the_sweeper_enqueues(returned, redis_url, sooner, now):
    assert returned().status == "returned"
    (row,) = rows(Outbox)
    assert outbox.sweep() == 0
    queue.configure(redis_url)
    try:
        sooner(minutes=1)
        assert outbox.sweep() == 1
        assert queued() == [row.id]
        # a second sweeper leaves it alone for a while
        assert outbox.sweep() == 0
    finally:
        queue.queue("notices").empty()
        queue.configure(NO_REDIS)


def test_what_redis_lost_comes_back(returned, real_queue, sooner, now):
    returned()
    real_queue.flushall()
    assert queued() == []
    sooner(minutes=1)
    assert outbox.sweep() == 1
    assert notices.deliver(queued()[0], now) is True
    sooner(minutes=60)
    assert outbox.sweep() == 0


def test_three_failures_become_an_incident(returned, person, monkeypatch, now):
    returned()
    (row,) = rows(Outbox)
    monkeypatch.setattr(notices, "TEMPLATES", {})
    for _ in range(3):
        with pytest.raises(KeyError):
            notices.deliver(row.id, now)
    (failed,) = rows(Outbox)
    assert (failed.attempts, failed.done_at_utc) == (3, None)
    (incident,) = rows(Incident)
    assert (incident.action, incident.status) == ("notice", "open")
    monkeypatch.undo()
    assert incidents.retry(person("sysadmin"), incident.id, now) is True
    assert len(rows(Notice)) == 1
    assert rows(Incident)[0].status == "resolved"


def test_a_rolled_back_action_sends_nothing(real_queue, now):
    with pytest.raises(RuntimeError, match="changed my mind"), transaction():
        add_outbox([outbox.new_row("notice", {"declaration_id": 1, "template": "returned"}, now)])
        raise RuntimeError("changed my mind")
    assert queued() == []
    assert rows(Outbox) == []


def test_unknown_topics_are_refused(now):
    with pytest.raises(outbox.UnknownTopicError):
        outbox.new_row("gossip", {}, now)
