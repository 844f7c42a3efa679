"""A declaration from the blank form to the filed case: everything comes from the kind's form and diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.domain.declaration import DRAFT, RETURNED
from app.domain.parameters import ParameterMissing
from app.domain.record_update import refreshed
from app.errors import Conflict, FieldError, Rejected
from app.services import declarations as services
from app.services import rosters
from app.services.actors import EMPLOYER
from app.services.forms import FormSetting, known_person, setting_of
from app.services.results import Amounts, CaseView, CheckResult, Receipt
from app.services.seasons import closed_words
from app.services.updating import OLD, SHOWN
from app.web.amounts import months_of, total_of_months
from app.web.cases import next_place
from app.web.frame import notify, translated
from app.web.i18n import translated_text
from app.web.paging import row_id
from app.web.reading import reading_sections
from app.web.security import actor, guard

# what a form posts beside its fields
CONTROLS = frozenset(
    {"csrf_token", "action", "token", "reference", "employer_id", "copied_from", "ask", "confirmed", "replay"}
)
declarations = Blueprint("declarations", __name__)


@declarations.get("/declare/<kind>")
@guard("declaration.file", scope="filing")
def form(kind: str) -> ResponseReturnValue:
    """A blank form (`person` picked from the roster), a draft or a returned case (`reference`), or a copy
    (`copy`)."""
    now = clock.now()
    reference = request.args.get("reference", "")
    if reference:
        case = services.get_case(actor(), reference, now)
        if not _has_form(case, kind):
            return redirect(url_for("cases.page", reference=reference))
        setting = setting_of(actor(), kind, now, case.employer_id, case.bundle_id)
        return form_page(setting, case.data, case=case)
    setting = setting_of(actor(), kind, now)
    closed = closed_words(kind, setting.parameters, now.date())
    if closed and actor().side == EMPLOYER:
        return render_template("declare/closed.html", setting=setting, closed=closed)
    if setting.form.batch_only and actor().side == EMPLOYER:
        return redirect(url_for("imports.page", kind=kind))
    source = request.args.get("copy", "")
    if source:
        data, changed = _copied(setting, source)
        return form_page(setting, data, copied_from=source, changed=changed)
    data = setting.defaults(now)
    if "person" in request.args:
        data |= rosters.picked(actor(), kind, request.args.get("person", 0, type=row_id))
    return form_page(setting, data)


@declarations.post("/declare/<kind>")
@guard("declaration.file", scope="filing")
def form_post(kind: str) -> ResponseReturnValue:
    """Save, check or file what was typed; the button pressed says which."""
    act = _ACTS.get(request.form.get("action", ""), _check)
    return act(kind, posted())


@declarations.post("/declare/<kind>/autosave")
@guard("declaration.file", scope="filing")
def autosave(kind: str) -> ResponseReturnValue:
    """Keep what is being typed; the page goes on as it is."""
    saved = _keep(kind, posted())
    return {"reference": saved.reference, "message": _("已于 %(time)s 自动保存", time=f"{clock.now():%H:%M}")}


@declarations.get("/declare/<kind>/check/<reference>")
@guard("declaration.file", scope="filing")
def check(kind: str, reference: str) -> ResponseReturnValue:
    """Everything once more in reading form, before it is filed."""
    now = clock.now()
    case = services.get_case(actor(), reference, now)
    if not _has_form(case, kind):
        return redirect(url_for("cases.page", reference=reference))
    setting = setting_of(actor(), kind, now, case.employer_id, case.bundle_id)
    result = services.check(actor(), kind, case.data, now, reference, case.employer_id)
    return check_page(setting, result, case)


@declarations.post("/declare/<kind>/quote")
@guard("declaration.file", scope="filing")
def quote(kind: str) -> ResponseReturnValue:
    """The side card with trial amounts, and the person type that the chosen funds make."""
    setting = setting_of(actor(), kind, clock.now())
    typed = setting.form.parse(posted())
    settled = setting.settled(typed)
    moved = settled.get("person_type") if settled.get("person_type") != typed.get("person_type") else None
    return render_template("declare/quote.html", setting=setting, moved=moved, **trial(setting, posted()))


@declarations.post("/declare/<kind>/person")
@guard("declaration.file", scope="filing")
def person(kind: str) -> ResponseReturnValue:
    """What the registry says about the number in the form, put into the fields that it fills."""
    now = clock.now()
    setting = setting_of(actor(), kind, now)
    if setting.compared:
        data = _with_current(setting, setting.form.parse(posted()))
        return render_template("declare/sections.html", setting=setting, data=data, **_person(setting, data))
    return render_template(
        "declare/person.html", setting=setting, person=known_person(actor(), kind, posted(), now)
    )


def posted() -> dict[str, list[str]]:
    """The form's fields as typed, without what the page posts for itself."""
    return {name: request.form.getlist(name) for name in request.form if name not in CONTROLS}


def form_page(
    setting: FormSetting,
    data: Mapping[str, Any],
    *,
    errors: Sequence[FieldError] = (),
    case: CaseView | None = None,
    reference: str = "",
    copied_from: str = "",
    changed: Sequence[str] = (),
    status: int = 200,
) -> ResponseReturnValue:
    """Show the form with what is known and what was typed."""
    values = setting.settled(data)
    if not case:
        # what the region fixes is shown, whoever posts the form
        fixed = {field.name for field in setting.form.fields if field.readonly}
        values |= {name: value for name, value in setting.defaults(clock.now()).items() if name in fixed}
    found = _person(setting, values)
    token = request.form.get("token", "") or services.new_token(clock.now())
    page = render_template(
        "declare/form.html",
        setting=setting,
        data=values,
        errors=translated(errors),
        case=case,
        reference=case.reference if case else reference,
        token=token,
        copied_from=copied_from or request.form.get("copied_from", ""),
        changed=changed,
        **found,
        **trial(setting, values),
    )
    return page, status


def refused_page(kind: str, data: Mapping[str, Any], errors: Sequence[FieldError]) -> ResponseReturnValue:
    """The form with everything that was typed and the reasons why it is not taken."""
    reference = request.form.get("reference") or None
    setting, case = _open(kind, reference)
    return form_page(
        setting, setting.form.parse(data), errors=errors, case=case, reference=reference or "", status=422
    )


def _person(setting: FormSetting, values: dict[str, Any]) -> dict[str, bool]:
    """Put what the registry says about the number into a form; `unknown` where it knows nobody."""
    if not setting.looked_up or not values.get("id_number"):
        return {"unknown": False}
    found = known_person(actor(), setting.kind, values, clock.now())
    values.update({name: (found or {}).get(name, "") for name in setting.looked_up})
    return {"unknown": found is None}


def _with_current(setting: FormSetting, data: dict[str, Any]) -> dict[str, Any]:
    """The form with the values of today beside the fields; what was typed stays."""
    known = rosters.picked_by_number(actor(), setting.kind, str(data.get("id_number") or ""))
    names = setting.compared
    shown = {name: request.form.get(OLD + name) for name in names}
    fixed = {field.name: known.get(field.name, "") for field in setting.form.fields if field.readonly}
    return {**data, **fixed, **refreshed(names, data, shown, known), SHOWN: known.get(SHOWN, "")}


def check_page(
    setting: FormSetting, result: CheckResult, case: CaseView, errors: Sequence[FieldError] = ()
) -> ResponseReturnValue:
    """Show what filing would do; with `errors` it is refused."""
    found = (*errors, *result.errors)
    data = setting.settled(result.data)
    page = render_template(
        "declare/check.html",
        setting=setting,
        case=case,
        errors=translated(found),
        warnings=translated(result.warnings),
        sections=reading_sections(setting.form, data, setting.parameters),
        replay=_replayed(setting, data),
        ask=not setting.policy.pending,
        **_amounts(setting, result.amounts),
    )
    return page, 422 if found else 200


def trial(setting: FormSetting, data: Mapping[str, Any]) -> dict[str, Any]:
    """Trial amounts for a template; `missing` where a month has no parameters."""
    try:
        amounts = services.quote(actor(), setting.kind, data, clock.now(), setting.employer_id)
    except ParameterMissing:
        return {**_amounts(setting, None), "missing": True}
    return _amounts(setting, amounts)


def _amounts(setting: FormSetting, amounts: Amounts | None) -> dict[str, Any]:
    monthly = months_of(amounts.monthly, setting.parameters) if amounts else []
    months = months_of(amounts.lines, setting.parameters) if amounts else []
    return {
        "amounts": amounts,
        "monthly": monthly[0] if monthly else None,
        "months": months,
        "total": total_of_months(months),
        "missing": False,
    }


def _save(kind: str, data: dict[str, list[str]]) -> ResponseReturnValue:
    try:
        saved = _keep(kind, data)
    except Rejected as refused:
        return refused_page(kind, data, refused.errors)
    notify(
        _("草稿已保存，可在草稿箱继续填写。") if saved.status == DRAFT else _("修改已暂存，尚未重新提交。"),
        "good",
    )
    return redirect(url_for("declarations.form", kind=kind, reference=saved.reference), 303)


def _check(kind: str, data: dict[str, list[str]]) -> ResponseReturnValue:
    """Check the form; where nothing refuses it is kept, so that the check page has an address."""
    now, reference = clock.now(), request.form.get("reference") or None
    _same_employer()
    setting, case = _open(kind, reference)
    result = services.check(actor(), kind, _settled(setting, data), now, reference, setting.employer_id)
    if result.errors:
        return form_page(
            setting, setting.form.parse(data), errors=result.errors, case=case, reference=reference or "",
            status=422,
        )  # fmt: skip
    saved = _keep(kind, data)
    return redirect(url_for("declarations.check", kind=kind, reference=saved.reference), 303)


def _file(kind: str, data: dict[str, list[str]]) -> ResponseReturnValue:
    """File the form and lead on: a second click of the same form finds the first one's case."""
    posted_form, now = request.form, clock.now()
    reference = posted_form.get("reference") or None
    _same_employer()
    if posted_form.get("ask") and not posted_form.get("confirmed"):
        return _unconfirmed(kind, reference)
    if "person_type" in data and not posted_form.get("replay"):
        data = _settled(_open(kind, reference)[0], data)
    try:
        filed = services.file(
            actor(),
            kind,
            data,
            now,
            reference=reference,
            token=posted_form.get("token") or None,
            copied_from=posted_form.get("copied_from") or None,
        )
    except Rejected as refused:
        return refused_page(kind, data, refused.errors)
    except Conflict:
        if reference is None or _has_form(services.get_case(actor(), reference, now), kind):
            raise
        # the second click of two: the first one has filed it
        return redirect(url_for("cases.receipt", reference=reference), 303)
    if filed.status != DRAFT:
        return redirect(url_for("cases.receipt", reference=filed.reference), 303)
    return redirect(next_place(filed), 303)


def _unconfirmed(kind: str, reference: str | None) -> ResponseReturnValue:
    now = clock.now()
    case = services.get_case(actor(), reference or "", now)
    setting = setting_of(actor(), kind, now, case.employer_id, case.bundle_id)
    result = services.check(actor(), kind, case.data, now, reference, case.employer_id)
    words = _("请先勾选确认，再提交。")
    return check_page(setting, result, case, [FieldError("confirmed", "confirm.missing", words)])


def _lookup(kind: str, data: dict[str, list[str]]) -> ResponseReturnValue:
    """Without script: the same page with what the registry and the trial say now."""
    reference = request.form.get("reference") or None
    setting, case = _open(kind, reference)
    values = setting.form.parse(data)
    if setting.compared:
        values = _with_current(setting, values)
    return form_page(setting, values, case=case, reference=reference or "")


_ACTS = {"save": _save, "check": _check, "file": _file, "lookup": _lookup}


def _open(kind: str, reference: str | None) -> tuple[FormSetting, CaseView | None]:
    now = clock.now()
    if reference is None:
        return setting_of(actor(), kind, now), None
    case = services.get_case(actor(), reference, now)
    return setting_of(actor(), kind, now, case.employer_id, case.bundle_id), case


def _keep(kind: str, data: dict[str, list[str]]) -> Receipt:
    _same_employer()
    setting, _case = _open(kind, request.form.get("reference") or None)
    return services.save_draft(
        actor(),
        kind,
        _settled(setting, data),
        clock.now(),
        reference=request.form.get("reference") or None,
        token=request.form.get("token") or None,
        copied_from=request.form.get("copied_from") or None,
    )


def _settled(setting: FormSetting, data: dict[str, list[str]]) -> dict[str, Any]:
    """What was typed, with the person type that the chosen funds make."""
    settled = setting.settled(data)
    return {name: value if isinstance(value, list) else [value] for name, value in settled.items()}


def _same_employer() -> None:
    """A form that was opened for one employer must not be filed for another one chosen since.

    Raises: Conflict.
    """
    opened_for = request.form.get("employer_id", "")
    if opened_for and opened_for != str(actor().employer_id):
        raise Conflict(_("填写期间已切换到其他单位。请切换回原单位后再提交，已保存的草稿不受影响。"))


def _has_form(case: CaseView, kind: str) -> bool:
    waiting = any(task.form == kind and task.status in (DRAFT, RETURNED) for task in case.tasks)
    return case.kind == kind and waiting and bool(case.allowed & {"edit", "correct"})


def _copied(setting: FormSetting, source: str) -> tuple[dict[str, Any], list[str]]:
    """The form of an ended case; dates that the rules no longer allow are left blank, and it is said why."""
    now = clock.now()
    data = services.copy(actor(), source, now)
    result = services.check(actor(), setting.kind, data, now)
    changed = []
    for error in result.errors:
        field = setting.form.by_name.get(error.field)
        if field is not None and field.kind in ("date", "month") and data.pop(field.name, None) is not None:
            changed.append(f"{translated_text(field.title)}{_('：')}{translated_text(error.message)}")
    return data, changed


def _replayed(setting: FormSetting, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The form as hidden fields: what was read on the check page is what is filed."""
    pairs = []
    for field in setting.form.fields:
        value = data.get(field.name)
        if field.readonly or value in (None, "", []):
            continue
        values = value if isinstance(value, list) else [value]
        pairs += [(field.name, str(each)) for each in values]
    return pairs
