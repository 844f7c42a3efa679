"""A stamped case is the case that a single filing makes."""

from dataclasses import asdict

import orjson
import pytest

from app.engine import prepared
from app.services import filing, stamping
from app.services.cases import write
from app.services.stamping import Stamper
from app.store.crypto import decrypt_json
from app.store.models import Declaration, Enrolment
from app.store.session import transaction
from tests.services.conftest import (
    HUAIAN,
    NANTONG,
    SUZHOU,
    citizen,
    huaian_form,
    nantong_form,
    rows,
    suzhou_form,
)

FORMS = {
    "suzhou": (SUZHOU, suzhou_form, ("unknown", "not_insured", "stopped", "flexible", "charged_fully")),
    "nantong": (NANTONG, nantong_form, ("not_insured", "flexible", "stopped")),
    "huaian": (HUAIAN, huaian_form, ("unknown", "not_insured", "resident")),
}
# made anew for each case, or the moment of it
_OWN = {
    "id", "reference", "declaration_id", "instance_id", "task_uid", "data_cipher", "state", "person_id",
    "person_no", "id_cipher", "phone_cipher", "detail_cipher",
}  # fmt: skip


def plain(rows_of_case):
    return [{k: v for k, v in asdict(each).items() if k not in _OWN} for each in rows_of_case]


def kept(rows_of_case):
    return [{k: v for k, v in each.items() if k not in _OWN} for each in rows_of_case]


def state_shape(state):
    """The state with ids in order of appearance, and without the wall clock that joins keep."""
    seen = {}
    document = orjson.loads(state)
    for flow in document["flows"]:
        for row in flow["tasks"]:
            extra = row[3] if len(row) > 3 else {}
            if "id" in extra:
                extra["id"] = seen.setdefault(extra["id"], f"id {len(seen)}")
            if row[2] != 16:
                extra.pop("c", None)
    return document


def picture(answer):
    if isinstance(answer, Exception):
        return [(each.field, each.code, each.message) for each in answer.errors]
    row = answer.declaration
    state = state_shape(answer.instance.state)
    return {
        "row": plain([row]),
        "data": decrypt_json(row.data_cipher),
        "tasks": plain(answer.opened),
        "events": plain(answer.events),
        "effects": plain(answer.effects),
        "people": kept(answer.people),
        "enrolments": kept(answer.enrolments),
        "lines": kept(answer.lines),
        "outbox": len(answer.outbox),
        "instance": plain([answer.instance]),
        "state": orjson.loads(orjson.dumps(state).replace(str(row.id).encode(), b"0")),
        "months": answer.months,
        "ended": answer.ended,
    }


@pytest.mark.parametrize("city", FORMS)
def test_stamped_and_single_cases_are_equal(city, person, now):
    region, make, kinds = FORMS[city]
    actor = person(f"{city}.handler")
    forms = [make(citizen(region, kind, place)) for kind in kinds for place in (0, 1)]
    target = filing.target_of(actor, "enrol", None)
    values = [filing.typed(target.bundle.form("enrol"), form, now) for form in forms]
    with transaction():
        single = filing.file_rows(actor, target, values, now, batch_id=9)
        stamper = Stamper(actor, target, now, 9)
        stamped = filing.file_rows(actor, target, values, now, one=stamper.file)
    assert stamper.shares
    for ours, theirs in zip(stamped, single, strict=True):
        assert picture(ours) == picture(theirs)
    assert any(isinstance(each, Exception) for each in stamped)


def test_one_run_serves_cases_that_get_the_same_answers(person, now, monkeypatch):
    runs = []
    real = prepared.prepare
    monkeypatch.setattr(stamping, "prepare", lambda *given: runs.append(1) or real(*given))
    actor = person("huaian.handler")
    target = filing.target_of(actor, "enrol", None)
    form = target.bundle.form("enrol")
    values = [filing.typed(form, huaian_form(citizen(HUAIAN, "unknown", place)), now) for place in range(20)]
    stamper = Stamper(actor, target, now, 9)
    with transaction():
        write(filing.file_rows(actor, target, values, now, one=stamper.file))
    assert len(runs) == 1
    found = rows(Declaration, batch_id=9)
    assert {row.status for row in found} == {"submitted"}
    assert len({row.reference for row in found}) == 20


def test_a_diagram_that_cannot_share_is_run_case_by_case(suzhou, now, monkeypatch):
    def refuse(*_given):
        raise prepared.NotPreparable("no")

    monkeypatch.setattr(stamping, "prepare", refuse)
    target = filing.target_of(suzhou, "enrol", None)
    form = target.bundle.form("enrol")
    values = [filing.typed(form, suzhou_form(citizen(SUZHOU, "unknown", place)), now) for place in range(3)]
    stamper = Stamper(suzhou, target, now, 9)
    with transaction():
        write(filing.file_rows(suzhou, target, values, now, one=stamper.file))
    assert not stamper.shares
    assert {row.status for row in rows(Declaration, batch_id=9)} == {"done"}
    assert len(rows(Enrolment, declaration_id=rows(Declaration, batch_id=9)[0].id)) == 6
