"""Health, readiness and figures for the people who run the installation."""

from __future__ import annotations

import os
import time
from collections import Counter
from threading import Lock

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue

from app import queue
from app.store import sign_in as store
from app.web.security import guard

public = Blueprint("public", __name__)

_guard = Lock()
_requests: Counter[tuple[str, str, int]] = Counter()
_seconds: Counter[tuple[str, str]] = Counter()
_started = time.time()


def register(app: Flask) -> None:
    """Count requests and their time."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _count(answer: Response) -> Response:
        endpoint = request.endpoint or "none"
        spent = time.perf_counter() - g.get("began", time.perf_counter())
        with _guard:
            _requests[request.method, endpoint, answer.status_code] += 1
            _seconds[request.method, endpoint] += spent
        return answer


@public.get("/healthz")
@guard(None, scope="public")
def healthz() -> ResponseReturnValue:
    return {"status": "ok"}


@public.get("/readyz")
@guard(None, scope="public")
def readyz() -> ResponseReturnValue:
    checks = {"database": _database_answers(), "redis": queue.is_available()}
    ready = all(checks.values())
    parts = {name: "ok" if fine else "failed" for name, fine in checks.items()}
    return {"status": "ok" if ready else "failed", **parts}, 200 if ready else 503


@public.get("/metrics")
@guard(None, scope="public")
def metrics() -> ResponseReturnValue:
    """Prometheus text format; each web process counts for itself and names itself in `worker`."""
    worker = os.getpid()
    lines = [
        "# TYPE wangting_started_seconds gauge",
        f'wangting_started_seconds{{worker="{worker}"}} {_started:.0f}',
        "# TYPE wangting_requests_total counter",
    ]
    with _guard:
        for (method, endpoint, status), number in sorted(_requests.items()):
            labels = f'worker="{worker}",method="{method}",endpoint="{endpoint}",status="{status}"'
            lines.append(f"wangting_requests_total{{{labels}}} {number}")
        lines.append("# TYPE wangting_request_seconds_total counter")
        for (method, endpoint), seconds in sorted(_seconds.items()):
            labels = f'worker="{worker}",method="{method}",endpoint="{endpoint}"'
            lines.append(f"wangting_request_seconds_total{{{labels}}} {seconds:.6f}")
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _database_answers() -> bool:
    try:
        store.check_database()
    except Exception:  # noqa: BLE001  any failure of any driver means: not ready
        return False
    return True
