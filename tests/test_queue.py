"""Jobs are enqueued by name with ids, in JSON; a missing Redis is a named error."""

import json
import zlib

import pytest

from app import queue
from tests.fixtures.redis import NO_REDIS

pytestmark = pytest.mark.usefixtures("real_queue")


def test_a_job_carries_its_name_and_ids_as_json():
    job = queue.enqueue("jobs.notices.deliver", queue_name="notices", outbox_id=12345678901234567, region="x")
    data = queue.connection().hget(f"rq:job:{job.id}", "data")
    assert json.loads(zlib.decompress(data)) == [
        "jobs.notices.deliver", None, [], {"outbox_id": 12345678901234567, "region": "x"},
    ]  # fmt: skip
    assert queue.queue("notices").job_ids == [job.id]
    assert job.timeout == queue.JOB_TIMEOUT_SECONDS
    assert queue.is_available()


def test_only_jobs_and_only_ids():
    with pytest.raises(ValueError, match="not a job"):
        queue.enqueue("os.system")
    for value in ({"a": 1}, [1], 1.5, None, True):
        with pytest.raises(TypeError, match="ids only"):
            queue.enqueue("jobs.notices.deliver", outbox_id=value)
    with pytest.raises(ValueError, match="no queue"):
        queue.queue("elsewhere")


def test_a_missing_redis_is_said_so():
    queue.configure(NO_REDIS)
    assert not queue.is_available()
    with pytest.raises(queue.QueueError):
        queue.enqueue("jobs.notices.deliver", outbox_id=1)
