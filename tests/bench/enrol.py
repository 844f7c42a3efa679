"""One enrolment with a pending stage and an audit, over HTTP, against the engine alone."""

from __future__ import annotations

from statistics import median

from app.config import DEMO_PASSWORD
from tests.bench.browser import Answer, Browser
from tests.bench.crowd import register
from tests.bench.floor import CaseFloor
from tests.bench.measure import Measure
from tests.bench.stage import Stage

REGION, CITY = "320600", "nantong"
RUNS, WARM_UP = 300, 30
LIMIT = 3.0
STEPS = ("file", "submit", "decide")


def http_enrol_over_floor(stage: Stage) -> list[Measure]:
    """File and decide over a keep-alive connection, against the same two steps of the floor.

    Both take turns, so that a busy moment of the machine hits both.
    """
    times: dict[str, list[float]] = {f"{side}_{step}": [] for side in ("http", "floor") for step in STEPS}
    with stage.database("wt_bench_enrol") as url:
        with stage.application(url):
            people = register(REGION, RUNS + WARM_UP)
        with stage.web_server(url) as port, stage.connection(url) as connection:
            product = _Product(port)
            bare = CaseFloor(connection, "enrol", _facts(), {"submit": {}, "decide": {"decision": "approve"}})
            for number in people:
                taken = {"http": product.run(number), "floor": bare.run()}
                for side, steps in taken.items():
                    for step, seconds in steps.items():
                        times[f"{side}_{step}"].append(seconds)
            product.close()
            (approved,) = connection.execute(
                "SELECT count(*) FROM declaration WHERE status = 'approved'"
            ).fetchone() or (0,)
            if approved != len(people):
                raise RuntimeError(f"{approved} of {len(people)} enrolments were approved")
    middle = {name: 1000 * median(each[WARM_UP:]) for name, each in times.items()}
    ratio = (middle["http_file"] + middle["http_decide"]) / (middle["floor_file"] + middle["floor_decide"])
    return [
        Measure("http_enrol_over_floor", ratio, "times", LIMIT),
        *(Measure(f"{name}_ms", value, "ms") for name, value in middle.items()),
    ]


class _Product:
    """An operator and an auditor, each with a browser."""

    def __init__(self, port: int) -> None:
        self._handler, self._auditor = Browser(port), Browser(port)
        self._handler.sign_in(f"{CITY}.handler", DEMO_PASSWORD)
        self._auditor.sign_in(f"{CITY}.auditor", DEMO_PASSWORD)
        self._token = self._handler.get("/account").token

    def run(self, number: str) -> dict[str, float]:
        """Enrol somebody; seconds of each of the three posts."""
        filed = _file(self._handler, number)
        reference = moved(filed).split("/")[2]
        submitted = self._handler.post(f"/cases/{reference}/submit", [("csrf_token", self._token)])
        decided = decide(self._auditor, reference)
        for answer in (submitted, decided):
            moved(answer)
        return {"file": filed.seconds, "submit": submitted.seconds, "decide": decided.seconds}

    def close(self) -> None:
        self._handler.close()
        self._auditor.close()


def _file(handler: Browser, number: str) -> Answer:
    page = handler.get("/declare/enrol").form("id_number")
    return handler.post(
        "/declare/enrol",
        page.filled(
            id_number=number,
            post="01",
            education="21",
            start_month="2026-11",
            wage_yuan="8000",
            action="file",
        ),
    )


def decide(auditor: Browser, reference: str) -> Answer:
    """Open a case and approve it."""
    form = auditor.get(f"/cases/{reference}").form("decision")
    return auditor.post(form.action, form.filled(decision="approve", opinion="同意"))


def moved(answer: Answer) -> str:
    """Where an act led to. Raises: RuntimeError where it was refused."""
    if answer.status not in (302, 303):
        raise RuntimeError(f"an act was refused: {answer.status}\n{answer.text[:3000]}")
    return answer.location


def _facts() -> dict[str, object]:
    return {
        "declaration_id": 1, "region": REGION, "kind": "enrol", "employer_id": 1, "channel": "03",
        "batch": False, "reason": "",
    }  # fmt: skip
