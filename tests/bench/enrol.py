"""One enrolment with a pending stage and an audit, over HTTP, against the engine alone."""

from __future__ import annotations

from statistics import median

from app.config import DEMO_PASSWORD
from tests.bench import floor
from tests.bench.browser import Answer, Browser
from tests.bench.crowd import register
from tests.bench.measure import Measure
from tests.bench.stage import Stage

REGION, CITY = "320600", "nantong"
RUNS, WARM_UP = 300, 30
LIMIT = 3.0


def http_enrol_over_floor(stage: Stage) -> list[Measure]:
    """File and decide over a keep-alive connection, against the same two steps of the floor."""
    with stage.database("wt_bench_enrol") as url:
        with stage.application(url):
            people = register(REGION, RUNS + WARM_UP)
        with stage.web_server(url) as port:
            times = _over_http(port, people)
        with stage.connection(url) as connection:
            bare = floor.enrol_times(connection, _facts(), RUNS + WARM_UP)
    http = {name: 1000 * median(each[WARM_UP:]) for name, each in times.items()}
    low = {name: 1000 * median(each[WARM_UP:]) for name, each in bare.items()}
    ratio = (http["file"] + http["decide"]) / (low["file"] + low["decide"])
    return [
        Measure("http_enrol_over_floor", ratio, "times", LIMIT),
        *(Measure(f"http_{name}_ms", value, "ms") for name, value in http.items()),
        *(Measure(f"floor_{name}_ms", value, "ms") for name, value in low.items()),
    ]


def _over_http(port: int, people: list[str]) -> dict[str, list[float]]:
    handler, auditor = Browser(port), Browser(port)
    handler.sign_in(f"{CITY}.handler", DEMO_PASSWORD)
    auditor.sign_in(f"{CITY}.auditor", DEMO_PASSWORD)
    times: dict[str, list[float]] = {"file": [], "submit": [], "decide": []}
    for number in people:
        filed = _file(handler, number)
        reference = _moved(filed).rstrip("/").split("/")[2]
        submitted = _submit(handler, reference)
        decided = _decide(auditor, reference)
        for step, answer in zip(times, (filed, submitted, decided), strict=True):
            _moved(answer)
            times[step].append(answer.seconds)
    last = auditor.get(f"/cases/{reference}")
    if last.mark("data-status")[:1] != ["approved"]:
        raise RuntimeError(f"the enrolment was not approved: {last.mark('data-status')}")
    handler.close()
    auditor.close()
    return times


def _file(handler: Browser, number: str) -> Answer:
    page = handler.get("/declare/enrol").form("id_number")
    return handler.post(
        "/declare/enrol",
        page.filled(
            id_number=number, post="01", education="21", start_month="2026-11", wage_yuan="8000", action="file"
        ),
    )


def _submit(handler: Browser, reference: str) -> Answer:
    page = handler.get(f"/cases/{reference}")
    return handler.post(f"/cases/{reference}/submit", [("csrf_token", page.token)])


def _decide(auditor: Browser, reference: str) -> Answer:
    form = auditor.get(f"/cases/{reference}").form("decision")
    return auditor.post(form.action, form.filled(decision="approve", opinion="同意"))


def _moved(answer: Answer) -> str:
    if answer.status not in (302, 303):
        raise RuntimeError(f"an act was refused: {answer.status}\n{answer.text[:3000]}")
    return answer.location


def _facts() -> dict[str, object]:
    return {
        "declaration_id": 1, "region": REGION, "kind": "enrol", "employer_id": 1, "channel": "03",
        "batch": False, "reason": "",
    }  # fmt: skip
