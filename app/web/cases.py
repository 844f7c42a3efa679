"""One case for both sides: status, history, content, amounts, diagram, and the employer's acts on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.definitions.current import Bundle, get_bundle, parameters
from app.domain.declaration import DRAFT, FINAL, IN_AUDIT, PENDING, SUBMITTED
from app.domain.identity import mask, mask_each
from app.engine.labels import relabelled
from app.errors import Conflict
from app.services import declarations as services
from app.services.actors import AGENCY, EMPLOYER
from app.services.forms import is_stepwise, is_verified
from app.services.material_needs import FORM as MATERIALS
from app.services.objects import MANY
from app.services.results import BulkResult, CaseView, Receipt
from app.web import counter, decisions, progress
from app.web.amounts import months_of, total_of_months
from app.web.frame import kind_words, notify, render_confirm
from app.web.i18n import language, translated_text
from app.web.reading import reading_sections
from app.web.security import actor, guard

_ONWARD = ("next", "submit")
TABS = ("content", "materials", "amounts", "diagram", "history")
cases = Blueprint("cases", __name__)


@cases.get("/cases/<reference>")
@guard("declaration.view", scope="case")
def page(reference: str) -> ResponseReturnValue:
    case = services.get_case(actor(), reference, clock.now())
    if actor().side == AGENCY and not counter.handles(case):
        return decisions.agency_case(reference)
    tab = request.args.get("tab", TABS[0])
    return render_template("cases/page.html", tab=tab if tab in TABS else TABS[0], **case_context(case))


@cases.get("/cases/<reference>/receipt")
@guard("declaration.view", scope="case")
def receipt(reference: str) -> ResponseReturnValue:
    """What was done and what happens next; the address stays good."""
    case = services.get_case(actor(), reference, clock.now())
    if case.status == DRAFT:
        return redirect(url_for("cases.page", reference=reference))
    return render_template("cases/receipt.html", words_now=_words_now(case), **case_context(case))


@cases.get("/cases/<reference>/opinion")
@guard("declaration.view", scope="case")
def opinion(reference: str) -> ResponseReturnValue:
    """审批信息: the conclusion and its reason, as a page or in a dialog."""
    case = services.get_case(actor(), reference, clock.now())
    return render_template("cases/opinion.html", **case_context(case))


@cases.get("/cases/<reference>/diagram")
@guard("declaration.view", scope="case")
def diagram(reference: str) -> ResponseReturnValue:
    """The case's diagrams with the marks that its events give, as JSON for the viewer."""
    case = services.get_case(actor(), reference, clock.now())
    bundle = get_bundle(case.bundle_id)
    found = progress.mark_containers(progress.marks(case), bundle)
    return {
        "processes": [
            {
                "id": process,
                "name": translated_text(progress.process_name(bundle, process)),
                "xml": _in_the_readers_language(bundle.diagram(process)).decode(),
                "marks": found.get(process, {}),
            }
            for process in progress.shown_processes(bundle, case)
        ]
    }


def _in_the_readers_language(drawing: bytes) -> bytes:
    return relabelled(drawing, translated_text) if language() == "en" else drawing


@cases.post("/cases/<reference>/submit")
@guard("declaration.submit", scope="case")
def submit(reference: str) -> ResponseReturnValue:
    services.get_case(actor(), reference, clock.now())
    result = services.submit(actor(), [reference], clock.now())
    if _refused(result):
        return _back(reference)
    return redirect(url_for("cases.receipt", reference=reference), 303)


@cases.post("/cases/<reference>/discard")
@guard("declaration.discard", scope="case")
def discard(reference: str) -> ResponseReturnValue:
    case = services.get_case(actor(), reference, clock.now())
    if not request.form.get("confirmed"):
        text = _(
            "将删除 %(name)s 的申报 %(reference)s，删除后不能恢复。", name=_named(case), reference=reference
        )
        return render_confirm(
            _("删除申报"), text, action=url_for("cases.discard", reference=reference), button=_("删除申报"),
            back=url_for("cases.page", reference=reference), danger=True,
        )  # fmt: skip
    if not _refused(services.discard(actor(), [reference], clock.now())):
        notify(_("申报 %(reference)s 已删除。", reference=reference), "good")
    return _back(reference)


@cases.post("/cases/<reference>/recall")
@guard("declaration.recall", scope="case")
def recall(reference: str) -> ResponseReturnValue:
    case = services.get_case(actor(), reference, clock.now())
    if not request.form.get("confirmed"):
        text = _(
            "将撤销 %(name)s 的申报 %(reference)s，撤销后不再审核。", name=_named(case), reference=reference
        )
        return render_confirm(
            _("撤销申报"), text, action=url_for("cases.recall", reference=reference), button=_("撤销申报"),
            back=url_for("cases.page", reference=reference), danger=True,
        )  # fmt: skip
    services.recall(actor(), reference, clock.now())
    notify(_("申报 %(reference)s 已撤销。", reference=reference), "good")
    return _back(reference)


@cases.post("/cases/<reference>/proceed")
@guard("declaration.file", scope="case")
def proceed(reference: str) -> ResponseReturnValue:
    """A step of a diagram that leads through steps: on, back, or submission."""
    decision = request.form.get("decision", "")
    try:
        done = services.proceed(actor(), reference, decision, clock.now())
    except Conflict:
        if not is_second_click(reference, decision):
            raise
        return redirect(url_for("cases.receipt", reference=reference), 303)
    return redirect(next_place(done), 303)


def is_second_click(reference: str, decision: str) -> bool:
    """Whether a step that submits was taken already: the first click's receipt is the answer to both."""
    case = services.get_case(actor(), reference, clock.now())
    return decision in _ONWARD and case.status in (SUBMITTED, IN_AUDIT)


def next_place(done: Receipt) -> str:
    """The page of the step that a case is at after one was taken, or the receipt."""
    reference = done.reference
    if done.status not in (DRAFT, PENDING):
        return url_for("cases.receipt", reference=reference)
    case = services.get_case(actor(), reference, clock.now())
    asked = {task.form for task in case.tasks}
    if case.kind in asked:
        return url_for("declarations.form", kind=case.kind, reference=reference)
    if MATERIALS in asked:
        return url_for("materials.page", reference=reference)
    told = done.status == PENDING and not is_stepwise(get_bundle(case.bundle_id))
    return url_for("cases.receipt" if told else "cases.page", reference=reference)


def case_context(case: CaseView) -> dict[str, Any]:
    """What the parts of a case's page need; the agency's workbench shows the same parts."""
    counter.stand_for(case)
    spoken, bundle = parameters(case.region), get_bundle(case.bundle_id)
    form = bundle.form(case.kind)
    policy = progress.policy_of(case, bundle)
    months = months_of(case.lines, spoken)
    masked = {
        field.name: mask(str(case.data[field.name]))
        for field in form.identities
        if case.data.get(field.name) and actor().side != EMPLOYER
    }
    if actor().side != EMPLOYER and case.data.get(MANY):
        masked[MANY] = mask_each(str(case.data[MANY]))
    return {
        "case": case,
        "form": form,
        "spoken": spoken,
        "policy": policy,
        "sentence": progress.sentence(case, spoken, clock.now()),
        "timeline_items": progress.timeline(case, bundle, policy),
        "sections": reading_sections(
            form, case.data, spoken, {*case.return_fields, *case.changed_fields}, masked
        ),
        "months": months,
        "total": total_of_months(months),
        "processes": progress.processes_of(case, bundle),
        "actions_words": progress.ACTIONS,
        "quiet_types": progress.QUIET_TYPES,
        "step_task": next((task for task in case.tasks if task.settings.get("decisions")), None),
        "wizard_step": _wizard_step(case, bundle),
        "wizard_verified": is_verified(bundle),
        "form_open": any(task.form == case.kind for task in case.tasks),
        "materials_open": any(task.form == MATERIALS for task in case.tasks),
    }


def _wizard_step(case: CaseView, bundle: Bundle) -> str:
    """Where a step-by-step declaration stands; nothing where there are no such steps."""
    if case.status not in (DRAFT, PENDING) or not is_stepwise(bundle):
        return ""
    if any(task.form == MATERIALS for task in case.tasks):
        return "materials"
    if case.status == PENDING:
        return "last"
    return "check" if is_verified(bundle) else "fill"


def _words_now(case: CaseView) -> str:
    """The region's own words for what was reached, as its manual prints them."""
    if case.status in FINAL:
        return case.message
    return parameters(case.region).messages.get(f"{case.kind}.{case.status}", "")


def _named(case: CaseView) -> str:
    return case.person_name or kind_words(case.kind)


def _refused(result: BulkResult) -> bool:
    for item in result.items:
        if not item.ok:
            notify(_("未能办理：%(why)s", why=translated_text(item.message)), "bad")
    return not result.items or result.failed > 0


def _back(reference: str) -> ResponseReturnValue:
    return redirect(url_for("cases.page", reference=reference), 303)
