"""What people see while a part is away: words, and never for longer than the part is."""

import time
from contextlib import nullcontext

import pytest

from tests.faults.ground import HANDLER, Ground
from tests.faults.people import declared, enrolment_form

ON_POSTGRESQL = pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
# a person waits this long at most for an answer that needs the missing part in no way
SOON_S = 15


@ON_POSTGRESQL
@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_without_redis_people_file_as_ever(ground: Ground, how: str) -> None:
    installation = ground.installation
    handler = ground.visitor(HANDLER)
    (number,) = ground.take(1)
    workers = {each.pid for each in installation.processes("worker")}
    away = installation.frozen("redis") if how == "hanging" else nullcontext()
    with installation.frozen("supervisor"), away:
        if how == "killed":
            assert installation.kill("redis")
        began = time.monotonic()
        fields = enrolment_form(handler, number)
        filed = handler.once("POST", "/declare/enrol", fields)
        assert filed is not None
        assert filed.status == 303
        page = handler.once("GET", filed.location)
        assert page is not None
        assert page.status == 200
        stranger = ground.visitor("nantong.reviewer")
        assert stranger.once("GET", "/hall").status == 200
        assert time.monotonic() - began < SOON_S
        assert installation.ready() == 503
    assert [case.status for case in declared(ground, number)] == ["pending"]
    installation.wait_for_parts()
    installation.wait_until(lambda: installation.ready() == 200, "Redis does not come back")
    # workers wait for it; if each loss ended them, the supervisor would soon end everything
    assert {each.pid for each in installation.processes("worker")} == workers


@ON_POSTGRESQL
def test_while_postgresql_is_away_pages_say_later(ground: Ground) -> None:
    handler = ground.visitor(HANDLER)
    (number,) = ground.take(1)
    fields = enrolment_form(handler, number)
    assert ground.server is not None
    with ground.database_away():
        for method, path in (("GET", "/hall"), ("POST", "/declare/enrol"), ("GET", "/submitted")):
            answer = handler.once(method, path, fields)
            assert answer is not None
            assert answer.status == 503
            assert answer.headers["Retry-After"].isdigit()
            assert "稍" in answer.text
        part = handler.once("GET", "/imports/enrol/progress")
        assert part is not None
        assert part.status == 503
        assert ground.installation.ready() == 503
        assert handler.get("/healthz").status == 200
    # the very same form, sent again
    filed = handler.send("/declare/enrol", fields)
    assert filed.status == 303
    assert len(declared(ground, number)) == 1
