"""Discard, recall, return, resubmit and copy work in every process, online and at the counter."""

from dataclasses import replace

import pytest

from app.definitions import current
from app.definitions.current import current_bundle
from app.domain.declaration import DRAFT, PENDING, RETURNED, SUBMITTED
from app.domain.parameters import COUNTER, ONLINE
from app.errors import Conflict
from app.services import audits, declarations, materials
from app.services.forms import setting_of
from app.store.materials import list_materials
from app.store.models import Declaration
from tests.documents.samples import picture
from tests.services.any_form import another, filled, take_anything
from tests.services.conftest import citizen, rows, task_of

CITIES = {
    "320100": "nanjing", "320500": "suzhou", "320600": "nantong", "320700": "lianyungang",
    "320800": "huaian", "610500": "weinan",
}  # fmt: skip
# An employer that has no account yet and the accounts themselves go through a door of their own.
APART = ("employer_registration", "employer_opening", "employer_link")


class Desk:
    """Somebody who files in a region by one channel, and whoever decides there."""

    def __init__(self, person, region, channel, now):
        city = CITIES[region]
        handler = person(f"{city}.handler")
        clerk = replace(person(f"{city}.counter"), employer_id=handler.employer_id)
        self.actor = handler if channel == ONLINE else clerk
        self.auditors = [
            replace(person(f"{city}.{role}"), roles=frozenset({"auditor", "senior"}))
            for role in ("auditor", "senior")
        ]
        self.now, self.region = now, region

    def form(self, kind):
        return setting_of(self.actor, kind, self.now).form

    def file(self, kind, place=0, **more):
        found = citizen(self.region, "not_insured", place)
        typed = {**filled(self.form(kind), found.id_number, found.name), **more}
        return self.onward(declarations.file(self.actor, kind, typed, self.now).reference)

    def onward(self, reference):
        """Through materials and the steps before the submission."""
        for _ in range(6):
            (case,) = rows(Declaration, reference=reference)
            if case.status == PENDING and not self._steps(reference):
                assert declarations.submit(self.actor, [reference], self.now).done == 1
                continue
            if case.status not in (DRAFT, PENDING):
                return case
            for item, _required in case.facts.get("materials", ()):
                if not any(each.item == item for each, _ in list_materials(case.id)):
                    materials.upload(self.actor, reference, item, "a.jpg", picture(), self.now)
            steps = self._steps(reference)
            declarations.proceed(self.actor, reference, "submit" if "submit" in steps else "next", self.now)
        raise AssertionError(case.status)

    def _steps(self, reference):
        case = declarations.get_case(self.actor, reference, self.now)
        return next((t.settings["decisions"] for t in case.tasks if t.settings.get("decisions")), "")

    def decide(self, case, decision, fields=()):
        task = task_of(case.reference)
        for auditor in self.auditors:
            try:
                return audits.decide(auditor, task, decision, "请核对", list(fields), self.now)
            except Exception as error:  # noqa: BLE001 - the other one may
                last = error
        raise last


def offered(region, channel):
    """What a filer hands in one by one: accounts have pages of their own, some kinds come by file alone."""
    rules = current.parameters(region)
    found = [kind for kind in current.kinds(region) if rules.offers(kind, channel) and kind not in APART]
    alone = channel == ONLINE
    return [kind for kind in found if not (alone and current_bundle(kind, region).form(kind).batch_only)]


@pytest.fixture(params=sorted(CITIES))
def region(request):
    return request.param


@pytest.fixture(params=[ONLINE, COUNTER])
def desk(person, region, request, now, monkeypatch):
    take_anything(monkeypatch)
    found = Desk(person, region, request.param, now)
    found.kinds = offered(region, request.param)
    return found


def test_a_draft_is_discarded_and_copied(desk, now):
    for kind in desk.kinds:
        saved = declarations.save_draft(desk.actor, kind, {}, now)
        assert saved.status == DRAFT, kind
        gone = declarations.discard(desk.actor, [saved.reference], now)
        assert gone.done == 1, (kind, gone)
        assert isinstance(declarations.copy(desk.actor, saved.reference, now), dict)
        assert rows(Declaration, reference=saved.reference)[0].status == "discarded"


def test_what_was_submitted_is_recalled_where_the_policy_allows_it(desk, now):
    for kind in desk.kinds:
        case = desk.file(kind)
        if case.status != SUBMITTED:
            assert case.status == "done", (kind, case.status)
            continue
        if case.channel == "02":
            _end(desk)
            continue
        if case.facts.get("recall"):
            assert declarations.recall(desk.actor, case.reference, now).status == "recalled", kind
            copied = declarations.copy(desk.actor, case.reference, now)
            assert copied, kind
            again = declarations.file(desk.actor, kind, copied, now, copied_from=case.reference)
            assert rows(Declaration, reference=again.reference)[0].copied_from_id == case.id
        else:
            with pytest.raises(Conflict):
                declarations.recall(desk.actor, case.reference, now)
        _end(desk)


def test_returned_corrected_returned_again_and_discarded(desk, now):
    for kind in desk.kinds:
        case = desk.file(kind)
        if case.status != SUBMITTED:
            continue
        form = desk.form(kind)
        name, value = _correctable(form, case.reference, desk)
        assert desk.decide(case, "return", [name]).status == RETURNED, kind
        before = declarations.get_case(desk.actor, case.reference, now).data
        done = declarations.file(desk.actor, kind, {**before, name: value}, now, reference=case.reference)
        assert done.status == SUBMITTED, (kind, done)
        case = rows(Declaration, reference=case.reference)[0]
        assert name in case.facts["changed_fields"], kind
        assert desk.decide(case, "return", [name]).status == RETURNED, kind
        assert declarations.discard(desk.actor, [case.reference], now).done == 1, kind
        assert rows(Declaration, reference=case.reference)[0].status == "discarded"
        assert declarations.copy(desk.actor, case.reference, now)
        _end(desk)


def test_refused_copied_and_approved(desk, now):
    for kind in desk.kinds:
        case = desk.file(kind)
        if case.status != SUBMITTED:
            continue
        assert desk.decide(case, "reject").status == "rejected", kind
        copied = declarations.copy(desk.actor, case.reference, now)
        again = declarations.file(desk.actor, kind, copied, now, copied_from=case.reference)
        case = desk.onward(again.reference)
        assert case.copied_from_id is not None
        while case.status == SUBMITTED:
            desk.decide(case, "approve")
            case = rows(Declaration, reference=case.reference)[0]
        assert case.status == "approved", (kind, case.status)
        _end(desk)


def _correctable(form, reference, desk):
    """A field of the case that takes another value."""
    data = declarations.get_case(desk.actor, reference, desk.now).data
    for field in form.fields:
        if (
            field.readonly
            or field.kind in ("identity", "hidden")
            or field.name in ("id_type", "people", "new_id_type")
        ):
            continue
        other = another(form, field.name, data.get(field.name))
        if other is not None:
            return field.name, other
    raise AssertionError(f"{form.name}: nothing can be corrected")


def _end(desk):
    """Let the next kind find nobody's open case."""
    for case in rows(Declaration, region=desk.region):
        if case.status in ("submitted", "in_audit"):
            desk.decide(case, "reject")
        elif case.status in (DRAFT, PENDING, RETURNED):
            declarations.discard(desk.actor, [case.reference], desk.now)
