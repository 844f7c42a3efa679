"""One open declaration for each object, by the database: every kind of every region, the check asleep."""

from dataclasses import replace

import pytest

from app.definitions import current
from app.domain.declaration import KINDS, OPEN
from app.domain.parameters import COUNTER, ONLINE
from app.errors import Rejected
from app.services import declarations, filing, subjects
from app.services.forms import setting_of
from app.store.models import Declaration, DeclarationObject
from tests.services.any_form import filled, take_anything
from tests.services.conftest import HUAIAN, NANTONG, citizen, huaian_form, nantong_form, rows
from tests.services.test_every_kind import CITIES, Desk, offered
from tests.services.test_races import at_once  # noqa: F401 - a fixture

# where a region lets one declaration of a kind be open, these count as one kind
TOGETHER = (
    {
        "stop", "stop_retiree", "retirement", "withdrawal", "employer_transfer", "person_type_change",
        "account_correction",
    },
    {"employer_closing", "employer_pausing", "employer_funds"},
    {"employer_update", "employer_correction"},
)  # fmt: skip
# in Nantong everything about one object counts together
ALL_KINDS = {NANTONG}


@pytest.fixture(params=sorted(CITIES))
def city(person, request, now, monkeypatch):
    """The kinds of a region with the desk that files each: any form passes the rules, and no check looks for
    open declarations, so that only the database can refuse."""
    take_anything(monkeypatch)
    monkeypatch.setattr(subjects, "with_open_case", lambda case, verdict, code="": verdict)
    for module in (declarations, filing):
        monkeypatch.setattr(module, "refuse_incomplete", lambda case: None)
    desks = {channel: Desk(person, request.param, channel, now) for channel in (COUNTER, ONLINE)}
    return {kind: desks[channel] for channel in desks for kind in offered(request.param, channel)}


def hand_over(desk, kind):
    """File about the same object as ever, and go on until somebody else has to act; gives the reference."""
    found = citizen(desk.region, "not_insured")
    form = filled(desk.form(kind), found.id_number, found.name)
    made = declarations.file(desk.actor, kind, form, desk.now, submit_now=True).reference
    for _ in range(4):
        if rows(Declaration, reference=made)[0].status not in ("draft", "pending"):
            break
        case = declarations.get_case(desk.actor, made, desk.now)
        offers = "".join(task.settings.get("decisions", "") for task in case.tasks)
        if case.status == "pending" and not offers:
            declarations.submit(desk.actor, [made], desk.now)
            continue
        word = "submit" if "submit" in offers else "next"
        declarations.proceed(desk.actor, made, word, desk.now)
    return made


def attempt(desk, kind):
    """What was filed, or why it was refused."""
    try:
        return hand_over(desk, kind), None
    except Rejected as refused:
        return "", refused


def clear(city):
    """Let the next kind find nobody's open case."""
    for row in rows(Declaration):
        desk = city[row.kind]
        if row.status in ("submitted", "in_audit"):
            desk.decide(row, "reject")
        elif row.status in OPEN:
            declarations.discard(desk.actor, [row.reference], desk.now)


def limited(desk, kind):
    return not desk.form(kind).schema.get("x-several")


def open_cases():
    return [row for row in rows(Declaration) if row.status in OPEN and row.status != "draft"]


def test_a_second_open_declaration_of_any_kind_is_refused_by_the_database(city, now):
    tried = 0
    for kind, desk in city.items():
        first = hand_over(desk, kind)
        if rows(Declaration, reference=first)[0].status not in OPEN or not limited(desk, kind):
            clear(city)
            continue
        with pytest.raises(Rejected) as caught:
            hand_over(desk, kind)
        (error,) = caught.value.errors
        assert error.code.endswith("one_open"), (kind, error)
        label = current.parameters(desk.region).kind_label(kind)
        assert (error.open_case.reference, error.open_case.kind) == (first, label), kind
        assert label in str(caught.value)
        assert first in str(caught.value)
        assert [row.reference for row in open_cases()] == [first], kind
        clear(city)
        tried += 1
    assert tried >= 8


def test_two_at_once_of_any_kind_leave_one(city, at_once, now):  # noqa: F811
    for kind, desk in city.items():
        good, refused = at_once(*[lambda kind=kind, desk=desk: hand_over(desk, kind)] * 2)
        waiting = [row for row in rows(Declaration, kind=kind) if row.status in OPEN]
        if limited(desk, kind) and any(row.status != "draft" for row in waiting):
            assert (len(good), len(refused)) == (1, 1), kind
            assert refused[0].errors[0].open_case.reference == good[0], kind
        clear(city)


def test_kinds_that_collide_keep_each_other_out(city, now):
    region = next(iter(city.values())).region
    about = {kind: "employer" if KINDS[kind][1] == "employer" else "person" for kind in city if kind in KINDS}
    chosen = ["enrol", "person_update", "employer_update"] + [
        kind for group in TOGETHER for kind in sorted(group)
    ]
    chosen = [kind for kind in chosen if kind in about]
    for kind in chosen:
        first = hand_over(city[kind], kind)
        if rows(Declaration, reference=first)[0].status not in OPEN:
            continue
        for other in chosen:
            if other == kind:
                continue
            together = any({kind, other} <= group for group in TOGETHER)
            collide = about[kind] == about[other] and (together or region in ALL_KINDS)
            second, refused = attempt(city[other], other)
            if refused is not None:
                assert collide, (kind, other, str(refused))
                assert refused.errors[0].open_case.reference == first, (kind, other)
                continue
            # a kind that is decided at once meets nobody: it waits for nothing
            (row,) = rows(Declaration, reference=second)
            assert row.status not in OPEN or not collide, (kind, other)
            if row.status in OPEN:
                city[other].decide(row, "reject")
        clear(city)
    assert not rows(DeclarationObject, person_hash=None)


def test_the_check_names_the_case_too(nantong, now):
    found = citizen(NANTONG, "not_insured")
    first = declarations.file(nantong, "enrol", nantong_form(found), now).reference
    with pytest.raises(Rejected) as caught:
        declarations.file(nantong, "enrol", nantong_form(found), now)
    (error,) = caught.value.errors
    # the manual's own words, and the case apart from them
    assert error.message == "同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报"
    assert (error.open_case.reference, error.open_case.kind) == (first, "职工增加申报")
    result = declarations.check(nantong, "enrol", nantong_form(found), now)
    assert [each.open_case.reference for each in result.errors] == [first]


def test_another_employers_case_is_not_named(nantong, now):
    found = citizen(NANTONG, "not_insured")
    declarations.file(nantong, "enrol", nantong_form(found), now)
    other = next(iter(nantong.employer_ids - {nantong.employer_id}))
    with pytest.raises(Rejected) as caught:
        declarations.file(nantong, "enrol", nantong_form(found), now, employer_id=other)
    assert caught.value.errors[0].open_case is None
    assert str(caught.value) == caught.value.errors[0].message


def test_a_kind_that_waits_for_all_others_names_the_first(person, now):
    """An identity is corrected once nothing else of the person is open."""
    handler = person("huaian.handler")
    clerk = replace(person("huaian.counter"), employer_id=handler.employer_id)
    found = citizen(HUAIAN, "not_insured")
    first = declarations.file(handler, "enrol", huaian_form(found), now).reference
    setting = setting_of(clerk, "identity_correction", now)
    form = {**filled(setting.form, found.id_number, found.name), "new_name": "新姓名"}
    with pytest.raises(Rejected) as caught:
        declarations.file(clerk, "identity_correction", form, now)
    (error,) = [each for each in caught.value.errors if each.code == "identity_correction.open_case"]
    assert error.open_case.reference == first
