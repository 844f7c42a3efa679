"""One retirement with a material and two audits, over HTTP, against the engine alone."""

from __future__ import annotations

from statistics import median

from app.config import DEMO_PASSWORD
from tests.bench.browser import Answer, Browser
from tests.bench.crowd import insure
from tests.bench.enrol import decide, moved
from tests.bench.floor import CaseFloor
from tests.bench.measure import Measure
from tests.bench.stage import Stage
from tests.documents.samples import picture

REGION, CITY = "320100", "nanjing"
EMPLOYER_NO = f"{REGION}00001"
RUNS, WARM_UP = 200, 20
LIMIT = 3.0
STEPS = ("file", "proceed", "audit", "second_audit")
# The upload is no step of the diagram: a document is looked at, sealed and kept. It is only reported.
UPLOAD = "upload"


def http_retirement_over_floor(stage: Stage) -> list[Measure]:
    """File, hand in the material, decide twice, against the same four steps of the floor, in turns."""
    times: dict[str, list[float]] = {f"{side}_{step}": [] for side in ("http", "floor") for step in STEPS}
    times[f"http_{UPLOAD}"] = []
    with stage.database("wt_bench_retirement") as url:
        with stage.application(url):
            people = insure(REGION, EMPLOYER_NO, RUNS + WARM_UP)
        with stage.web_server(url) as port, stage.connection(url) as connection:
            product = _Product(port)
            bare = CaseFloor(connection, "retirement", _facts(), _ANSWERS)
            for number in people:
                for side, steps in {"http": product.run(number), "floor": bare.run()}.items():
                    for step, seconds in steps.items():
                        times[f"{side}_{step}"].append(seconds)
            product.close()
            (approved,) = connection.execute(
                "SELECT count(*) FROM declaration WHERE kind = 'retirement' AND status = 'approved'"
            ).fetchone() or (0,)
            if approved != len(people):
                raise RuntimeError(f"{approved} of {len(people)} retirements were approved")
    middle = {name: 1000 * median(each[WARM_UP:]) for name, each in times.items()}
    product_ms, floor_ms = (sum(middle[f"{side}_{step}"] for step in STEPS) for side in ("http", "floor"))
    return [
        Measure("http_retirement_over_floor", product_ms / floor_ms, "times", LIMIT),
        *(Measure(f"retirement_{name}_ms", value, "ms") for name, value in middle.items()),
    ]


_ANSWERS: dict[str, dict[str, object]] = {
    "proceed": {"decision": "next"},
    "audit": {"decision": "approve"},
    "second_audit": {"decision": "approve"},
}


class _Product:
    """An operator and two auditors, each with a browser."""

    def __init__(self, port: int) -> None:
        self._people = [Browser(port) for _ in range(3)]
        for browser, role in zip(self._people, ("handler", "auditor", "senior"), strict=True):
            browser.sign_in(f"{CITY}.{role}", DEMO_PASSWORD)
        self._document = picture()

    def run(self, number: str) -> dict[str, float]:
        """Retire somebody; seconds of each act."""
        handler, auditor, senior = self._people
        filed = _file(handler, number)
        reference = moved(filed).split("/")[2]
        place = f"/cases/{reference}/materials"
        page = handler.get(place)
        sent = [("csrf_token", page.token), ("item", "pension_assessment")]
        uploaded = handler.upload(place, sent, "hedingbiao.jpg", self._document)
        going_on = [("csrf_token", page.token), ("decision", "next"), ("materials_confirmed", "1")]
        proceeded = handler.post(f"{place}/done", going_on)
        first = decide(auditor, reference)
        second = decide(senior, reference)
        acts = (filed, uploaded, proceeded, first, second)
        for answer in acts:
            moved(answer)
        return dict(
            zip(("file", UPLOAD, "proceed", "audit", "second_audit"), (a.seconds for a in acts), strict=True)
        )

    def close(self) -> None:
        for browser in self._people:
            browser.close()


def _file(handler: Browser, number: str) -> Answer:
    page = handler.get("/declare/retirement").form("id_number")
    return handler.post(
        "/declare/retirement",
        page.filled(
            id_number=number,
            # those of the crowd are too young for the usual one
            retirement_type="2",
            retirement_date="2026-10-31",
            retirement_wage_yuan="4321.50",
            total_months="360",
            paid_months="300",
            deemed_months="60",
            action="file",
        ),
    )


def _facts() -> dict[str, object]:
    return {
        "declaration_id": 1, "region": REGION, "kind": "retirement", "employer_id": 1, "channel": "03",
        "batch": False, "reason": "",
    }  # fmt: skip
