"""Publishing another value of a region's parameters, as the agency does when it is announced late."""

import yaml

from app.definitions import current
from app.definitions.publish import publish
from app.services.service_tasks import SERVICES
from tests.domain.regions import document
from tests.fixtures.database import TEST_NOW

EVER = "9999-12"


def announce(region: str, first: str, last: str = EVER, **values: str) -> None:
    """Publish a region's file with other values for some months; a dot is written as two underscores."""
    path = f"bpmn/parameters/{region}.yaml"
    published = current.published().versions
    content = next(each.content for key, each in published.items() if key.path == path)
    found = yaml.safe_load(content)
    for name, value in values.items():
        key = name.replace("__", ".")
        series = found["parameters"].get(key) or document("common")["parameters"][key]
        found["parameters"][key] = list(_with(series, first, last, value))
    text = yaml.safe_dump(found, allow_unicode=True, sort_keys=False)
    publish(path, text.encode(), now=TEST_NOW, services=SERVICES)


def _with(series, first, last, value):
    """The series with one value in place of what it said of some months."""
    before, after = _month(first, -1), _month(last, 1) if last < EVER else None
    for row in series:
        end = row.get("to", EVER)
        if row["from"] < first:
            yield {**row, "to": min(end, before)}
    yield {**series[-1], "from": first, "value": value} | ({"to": last} if after else {})
    for row in series:
        end = row.get("to", EVER)
        if after and end > last:
            yield {**row, "from": max(row["from"], after)}


def _month(month: str, count: int) -> str:
    from app.domain.calendar import add_months

    return add_months(month, count)
