"""The materials of a whole batch: the checklist, many files at once, unmatched ones, and the submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.definitions.current import get_bundle
from app.errors import FieldError, NotFound, Rejected
from app.formspec.validate import validate
from app.services import (
    batch_checklist,
    batch_confirming,
    batch_documents,
    batch_steps,
    batch_submission,
    imports,
)
from app.services.batch_checklist import Checklist, Cursor, Page
from app.services.batch_confirming import Confirmation
from app.services.batch_documents import HELD, REFUSED, TAKEN, Answer
from app.services.batch_sheets import Choice, reason_words
from app.services.material_needs import FORM as MATERIALS
from app.services.results import ItemResult
from app.store.queries.batch_checklist import STATES
from app.store.runs import FINISHED, UNFINISHED
from app.web.frame import leave, notify, render_confirm, translated, words
from app.web.i18n import number_words, translated_text
from app.web.imports import batches
from app.web.materials import bytes_answer
from app.web.paging import row_id
from app.web.reading import words_of
from app.web.runs import RUN_TONES, RUN_WORDS, stopped
from app.web.security import actor, guard

SHOWN_FAILURES = 50
PLACE = "/imports/<kind>/<int:batch_id>/materials"


@batches.get(PLACE)
@guard("import.view", scope="employer")
def materials(kind: str, batch_id: int) -> ResponseReturnValue:
    """Everybody of the batch with what is still missing; what is confirmed after the import comes first."""
    asked = batch_confirming.confirmation(actor(), batch_id)
    if asked is not None and asked.waiting and asked.changeable and actor().may("declaration.file"):
        return redirect(url_for("imports.confirmation", kind=kind, batch_id=batch_id))
    return _page(kind, _checklist(kind, batch_id))


@batches.get("/imports/<kind>/<int:batch_id>/confirmation")
@guard("declaration.file", scope="employer")
def confirmation(kind: str, batch_id: int) -> ResponseReturnValue:
    """What is confirmed for the whole file after its import, with its proposed value."""
    return _confirmation(kind, batch_id)


@batches.post("/imports/<kind>/<int:batch_id>/confirmation")
@guard("declaration.file", scope="employer")
def confirm(kind: str, batch_id: int) -> ResponseReturnValue:
    """Confirm it, or change it for everybody, while nobody is submitted."""
    _same(kind, batch_id)
    posted = {name: request.form.getlist(name) for name in request.form}
    try:
        batch_confirming.confirm(actor(), batch_id, posted, clock.now())
    except Rejected as refused:
        return _confirmation(kind, batch_id, translated(refused.errors)), 422
    return redirect(url_for("imports.materials", kind=kind, batch_id=batch_id), 303)


def _confirmation(kind: str, batch_id: int, errors: Sequence[FieldError] = ()) -> str:
    _same(kind, batch_id)
    asked = batch_confirming.confirmation(actor(), batch_id)
    if asked is None:
        raise NotFound("confirmation")
    typed = {field.name: request.form.get(field.name) for field in asked.fields if errors}
    return render_template(
        "imports/confirmation.html",
        kind=kind,
        title=_title(kind),
        batch=asked.batch,
        asked=asked,
        values={**asked.values, **typed},
        names=_confirmed_names(asked),
        errors=errors,
    )


def _confirmed_names(asked: Confirmation | None) -> str:
    """What is confirmed, in words; "" where nothing is."""
    return _("、").join(translated_text(field.title) for field in asked.fields) if asked else ""


@batches.get(f"{PLACE}/people")
@guard("import.view", scope="employer")
def material_people(kind: str, batch_id: int) -> ResponseReturnValue:
    """The table alone, asked for again while documents are being looked at."""
    return render_template("imports/people_table.html", **_context(kind, _checklist(kind, batch_id)))


@batches.post(PLACE)
@guard("declaration.file", scope="employer")
def material_upload(kind: str, batch_id: int) -> ResponseReturnValue:
    """Take several files; those that find nobody are kept apart, those that are refused say why."""
    _same(kind, batch_id)
    files = []
    for each in request.files.getlist("file"):
        if each.filename:
            with each.stream:
                files.append((each.filename, each.stream.read()))
    try:
        answers = batch_documents.take_files(
            actor(),
            batch_id,
            files,
            clock.now(),
            request.form.get("item", ""),
            request.form.get("for") == "all",
        )
    except Rejected as refused:
        return _page(kind, _checklist(kind, batch_id, plain=True), translated(refused.errors)), 422
    return _answered(kind, batch_id, answers)


@batches.post(f"{PLACE}/assign")
@guard("declaration.file", scope="employer")
def material_assign(kind: str, batch_id: int) -> ResponseReturnValue:
    """Say whose the unmatched files are: what is typed goes before what is chosen from the list."""
    _same(kind, batch_id)
    form, choices = request.form, []
    for name in form:
        number = name.removeprefix("who-")
        if name.startswith("who-") and number.isascii() and number.isdigit():
            who = form[name].strip() or form.get(f"choice-{number}", "")
            if who:
                choices.append(Choice(int(number), who, form.get(f"item-{number}", "")))
    if not choices:
        errors = [FieldError("files", "material.nobody", _("请先为文件指定人员，再保存。"))]
        return _page(kind, _checklist(kind, batch_id, plain=True), errors), 422
    return _answered(kind, batch_id, batch_documents.assign(actor(), batch_id, choices, clock.now()))


@batches.get(f"{PLACE}/files/<int:file_id>")
@guard("declaration.file", scope="employer")
def material_held(kind: str, batch_id: int, file_id: int) -> Response:
    """A document that belongs to nobody, to be saved and looked at."""
    _same(kind, batch_id)
    return bytes_answer(batch_documents.open_held(actor(), batch_id, file_id), attachment=True)


@batches.post(f"{PLACE}/files/<int:file_id>/delete")
@guard("declaration.file", scope="employer")
def material_drop(kind: str, batch_id: int, file_id: int) -> ResponseReturnValue:
    _same(kind, batch_id)
    batch_documents.drop_file(actor(), batch_id, file_id)
    return redirect(url_for("imports.materials", kind=kind, batch_id=batch_id, _anchor="field-files"), 303)


@batches.get(f"{PLACE}/review")
@guard("declaration.file", scope="employer")
def material_review(kind: str, batch_id: int) -> ResponseReturnValue:
    """信息核对: everybody once more in reading form; refused in words while anything is missing."""
    _same(kind, batch_id)
    return _ready(kind, batch_id) or _review(kind, imports.get_batch(actor(), batch_id))


@batches.post(f"{PLACE}/submit")
@guard("declaration.submit", scope="employer")
def material_submit(kind: str, batch_id: int) -> ResponseReturnValue:
    """申报提交 for the whole batch: confirmed a second time, then as a whole, or slice by slice."""
    whole = batch_submission.is_whole(_same(kind, batch_id), clock.now())
    if "after" in request.form and not whole:
        return _go_on(batch_steps.SUBMIT, kind, batch_id)
    refused = _ready(kind, batch_id)
    if refused is not None:
        return refused
    batch = imports.get_batch(actor(), batch_id)
    form = get_bundle(batch.bundle_id).form(MATERIALS)
    given = {name: request.form.getlist(name) for name in form.by_name if name in request.form}
    errors = validate(form, form.parse(given), today=clock.now().date())
    if errors:
        return _review(kind, batch, translated(errors)), 422
    if request.form.get("confirmed"):
        return _whole(kind, batch_id) if whole else _go_on(batch_steps.SUBMIT, kind, batch_id)
    count = batch_steps.count_open(batch_id)
    return render_confirm(
        _("申报提交"),
        _(
            "将为 %(count)s 人提交%(what)s，提交后由医保经办机构审核，不能再修改。",
            count=count,
            what=_title(kind),
        ),
        action=url_for("imports.material_submit", kind=kind, batch_id=batch_id),
        button=_("提交 %(count)s 人", count=count),
        back=url_for("imports.material_review", kind=kind, batch_id=batch_id),
        fields=[("total", str(count)), *((name, value) for name in given for value in given[name])],
    )


@batches.get(f"{PLACE}/submission/<int:run_id>")
@guard("declaration.submit", scope="employer")
def material_submission(kind: str, batch_id: int, run_id: int) -> ResponseReturnValue:
    """How far a submission as a whole is; who was refused, where nobody was submitted."""
    _same(kind, batch_id)
    after = request.args.get("after", "")[:8]
    found, results = batch_submission.progress(actor(), batch_id, run_id, after, SHOWN_FAILURES + 1)
    rows = results[:SHOWN_FAILURES]
    more = len(results) > SHOWN_FAILURES
    return render_template(
        "imports/submission.html",
        kind=kind,
        batch_id=batch_id,
        title=_title(kind),
        run=found,
        active=found.state in UNFINISHED,
        told=_submitted_words(kind, found.total) if found.state == FINISHED else "",
        rows=rows,
        next_url=url_for(
            "imports.material_submission", kind=kind, batch_id=batch_id, run_id=run_id, after=rows[-1].place
        )
        if more
        else None,
        run_texts=RUN_WORDS,
        run_tones=RUN_TONES,
    )


@batches.post(f"{PLACE}/submission/<int:run_id>/stop")
@guard("declaration.submit", scope="employer")
def material_submission_stop(kind: str, batch_id: int, run_id: int) -> ResponseReturnValue:
    """Stop a submission before it is written: then nobody is submitted."""
    _same(kind, batch_id)
    batch_submission.progress(actor(), batch_id, run_id, "", 1)
    return stopped(
        run_id, url_for("imports.material_submission", kind=kind, batch_id=batch_id, run_id=run_id)
    )


@batches.post(f"{PLACE}/discard")
@guard("declaration.discard", scope="employer")
def material_discard(kind: str, batch_id: int) -> ResponseReturnValue:
    """废弃 the whole batch, after asking."""
    batch = _same(kind, batch_id)
    if "after" in request.form or request.form.get("confirmed"):
        return _go_on(batch_steps.DISCARD, kind, batch_id)
    waiting = batch_checklist.count_waiting(actor(), batch_id)
    text = _(
        "将废弃文件“%(name)s”中 %(count)s 人的申报和已上传的材料，废弃后不能恢复。",
        name=batch.file_name,
        count=waiting,
    )
    return render_confirm(
        _("废弃本批申报"),
        text,
        action=url_for("imports.material_discard", kind=kind, batch_id=batch_id),
        button=_("废弃 %(count)s 人", count=waiting),
        back=url_for("imports.materials", kind=kind, batch_id=batch_id),
        fields=[("total", str(waiting))],
        danger=True,
    )  # fmt: skip


def _same(kind: str, batch_id: int) -> imports.BatchRow:
    batch = imports.get_batch(actor(), batch_id)
    if batch.kind != kind:
        raise NotFound("batch")
    return batch


def _checklist(kind: str, batch_id: int, plain: bool = False) -> Checklist:
    """The page that the address asks for; `plain`: the first one, where what is missing stands."""
    _same(kind, batch_id)
    asked = {} if plain else request.args
    return batch_checklist.checklist(
        actor(),
        batch_id,
        clock.now(),
        asked.get("state", ""),
        asked.get("q", "").strip()[:64],
        _cursor(asked.get("after")),
        _cursor(asked.get("before")),
    )


def _cursor(text: str | None) -> Cursor | None:
    """The place in the list that an address names: state and row of the file."""
    state, dot, number = (text or "").partition(".")
    if state in STATES and dot and number.isascii() and number.isdigit() and len(number) < 9:
        return state, int(number)
    return None


def _page_url(endpoint: str, page: Page, **values: Any) -> Callable[[str], str | None]:
    """The addresses of a page's neighbours, by the name of the place in the address."""
    places = {"before": page.previous, "after": page.next}

    def of(name: str) -> str | None:
        place = places[name]
        if place is None:
            return None
        return url_for(endpoint, **{**values, name: f"{place[0]}.{place[1]}"})

    return of


def _context(kind: str, held: Checklist) -> dict[str, Any]:
    values: dict[str, Any] = {name: request.args[name] for name in ("state", "q") if request.args.get(name)}
    place: dict[str, Any] = {
        name: request.args[name] for name in ("after", "before") if _cursor(request.args.get(name))
    }
    batch_id = held.batch.id
    return {
        "kind": kind,
        "title": _title(kind),
        "page_url": _page_url(
            "imports.materials", held.page, kind=kind, batch_id=batch_id, _anchor="batch-people", **values
        ),
        "again_url": url_for("imports.material_people", kind=kind, batch_id=batch_id, **place, **values),
        "number_words": number_words,
        "held": held,
        "batch": held.batch,
        "values": values,
        "confirmed": _confirmed_names(batch_confirming.confirmation(actor(), batch_id)),
        "submitting": batch_submission.under_way(batch_id),
        "reason_words": reason_words,
        "may_file": actor().may("declaration.file") and bool(held.waiting),
        "files_at_once": batch_documents.FILES_AT_ONCE,
    }


def _page(
    kind: str, held: Checklist, errors: Sequence[FieldError] = (), answers: Sequence[Answer] = ()
) -> str:
    shown = "imports/material_parts.html" if "X-Upload" in request.headers else "imports/materials.html"
    groups = {state: [each for each in answers if each.outcome == state] for state in (TAKEN, HELD, REFUSED)}
    return render_template(shown, errors=errors, answers=groups, **_context(kind, held))


def _answered(kind: str, batch_id: int, answers: Sequence[Answer]) -> ResponseReturnValue:
    """Say what became of the files; the page is shown at once, since a list of hundreds fits no cookie."""
    refused = any(each.outcome == REFUSED for each in answers)
    return _page(kind, _checklist(kind, batch_id, plain=True), (), answers), 422 if refused else 200


def _ready(kind: str, batch_id: int) -> ResponseReturnValue | None:
    """The checklist with what is missing, where the batch may not be submitted yet."""
    try:
        batch_steps.check_ready(actor(), batch_id)
    except Rejected as refused:
        return _page(kind, _checklist(kind, batch_id, plain=True), translated(refused.errors)), 422
    return None


def _review(kind: str, batch: imports.BatchRow, errors: Sequence[FieldError] = ()) -> str:
    found = batch_checklist.review(
        batch, _cursor(request.args.get("after")), _cursor(request.args.get("before"))
    )
    asked = found.form.batch
    names = [*(asked.columns if asked else ()), *(asked.settings if asked else ())]
    fields = [found.form.by_name[name] for name in names if name not in ("id_type", "id_number", "name")]

    def text(person_id: int, name: str) -> str:
        value = found.data[person_id].get(name)
        return "" if value in (None, "", []) else words_of(found.form.by_name[name], value, found.rules)

    return render_template(
        "imports/review.html", kind=kind, title=_title(kind), found=found, batch=batch, fields=fields,
        page_url=_page_url("imports.material_review", found.page, kind=kind, batch_id=batch.id),
        confirmed=_confirmed_names(batch_confirming.confirmation(actor(), batch.id)),
        number_words=number_words, text=text, errors=errors, typed=request.form,
    )  # fmt: skip


def _go_on(act: str, kind: str, batch_id: int) -> ResponseReturnValue:
    part = batch_steps.run_slice(act, actor(), batch_id, _number("after"), clock.now())
    done = _number("done") + part.done
    failed = _number("failed") + len(part.failures)
    lines = [*request.form.getlist("failure"), *map(_failure, part.failures)][:SHOWN_FAILURES]
    if part.finished and not failed:
        if act == batch_steps.SUBMIT:
            notify(_submitted_words(kind, done), "good")
            return leave(url_for("imports.accepted", kind=kind, batch_id=batch_id))
        notify(_("已废弃 %(count)s 人的申报。", count=done), "good")
        return leave(url_for("imports.page", kind=kind, _anchor="batches"))
    return render_template(
        "imports/acting.html", act=act, kind=kind, batch_id=batch_id, title=_title(kind), part=part,
        done=done, failed=failed, failures=lines, total=max(_number("total"), done + failed),
    )  # fmt: skip


def _whole(kind: str, batch_id: int) -> ResponseReturnValue:
    run = batch_submission.start(actor(), batch_id, clock.now())
    if run.state == FINISHED:
        notify(_submitted_words(kind, run.total), "good")
        return leave(url_for("imports.accepted", kind=kind, batch_id=batch_id))
    return leave(url_for("imports.material_submission", kind=kind, batch_id=batch_id, run_id=run.id))


def _submitted_words(kind: str, done: int) -> str:
    spoken = words()
    told = translated_text(spoken.messages.get(f"{kind}.submitted", "")) if spoken else ""
    return _("已提交 %(count)s 人的申报。", count=done) + told


def _failure(item: ItemResult) -> str:
    return f"{item.reference} {translated_text(item.message)}"


def _number(name: str) -> int:
    return request.form.get(name, 0, type=row_id)


def _title(kind: str) -> str:
    spoken = words()
    return translated_text(spoken.label(f"kind.{kind}.batch")) if spoken else kind
