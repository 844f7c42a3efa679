"""Batch files: four steps on one page, the progress of what was uploaded, and the rows that came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.domain.parameters import ParameterSet
from app.errors import FieldError, NotFound, Rejected
from app.formspec.fields import Batch, Field
from app.services import batch_results, imports, templates
from app.services.forms import FormSetting, setting_of
from app.services.imports import BatchRow
from app.services.seasons import closed_words
from app.services.templates import Workbook
from app.web.frame import kind_words, notify, render_confirm, translated, words
from app.web.i18n import translated_text
from app.web.security import actor, guard

batches = Blueprint("imports", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 20
ACTIVE = ("queued", "running")
# state -> (word, tone, icon)
STATES: Mapping[str, tuple[object, str, str]] = {
    "queued": (_l("排队中"), "live", "hourglass"),
    "running": (_l("处理中"), "live", "hourglass"),
    "finished": (_l("已完成"), "good", "circle-check"),
    "failed": (_l("未完成"), "bad", "circle-x"),
    "stopped": (_l("已停止"), "warn", "hand-stop"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What the page asks for the whole file, and the limits that it names."""

    setting: FormSetting
    batch: Batch
    fields: Sequence[Field]
    max_rows: int
    max_bytes: int
    size_words: str


@batches.get("/imports/<kind>")
@guard("import.view", scope="employer")
def page(kind: str) -> ResponseReturnValue:
    now = clock.now()
    rules = _rules(kind)
    step = _step(kind, rules, now)
    return _page(kind, rules, step, step.setting.defaults(now) if step else {}, ())


@batches.post("/imports/<kind>")
@guard("import.upload", scope="employer")
def upload(kind: str) -> ResponseReturnValue:
    now = clock.now()
    name, content = _sent_file()
    posted = {field: request.form.getlist(field) for field in request.form}
    try:
        made = imports.upload(actor(), kind, name, content, posted, now)
    except Rejected as refused:
        rules = _rules(kind)
        step = _step(kind, rules, now)
        data = step.setting.form.parse(posted) if step else {}
        return _page(kind, rules, step, data, translated(refused.errors)), 422
    if made.held:
        return redirect(url_for("imports.again", kind=kind, batch_id=made.batch.id), 303)
    name = made.batch.file_name
    notify(_("文件“%(name)s”已收到，正在处理。可以离开本页，稍后回来查看结果。", name=name))
    return redirect(url_for("imports.page", kind=kind, _anchor="batches"), 303)


@batches.get("/imports/<kind>/template")
@guard("import.upload", scope="employer")
def template(kind: str) -> ResponseReturnValue:
    return _workbook(templates.template_of(actor(), kind, clock.now()))


@batches.get("/imports/<kind>/progress")
@guard("import.view", scope="employer")
def progress(kind: str) -> ResponseReturnValue:
    """The table alone, for the page that watches it."""
    rules = _rules(kind)
    return render_template("imports/progress.html", **_table(kind, rules))


@batches.get("/imports/<kind>/<int:batch_id>")
@guard("import.view", scope="employer")
def rejected(kind: str, batch_id: int) -> ResponseReturnValue:
    found = batch_results.rejected_page(actor(), batch_id, _after())
    _same_kind(found.batch, kind)
    pairs = list(zip(found.rows, found.cells, strict=True))
    further = found.next_after
    waiting = imports.count_waiting_people([batch_id]).get(batch_id)
    return render_template(
        "imports/rejected.html",
        kind=kind, batch=found.batch, rows=pairs, states=STATES, next=further, waiting=waiting,
    )  # fmt: skip


@batches.get("/imports/<kind>/<int:batch_id>/accepted")
@guard("import.view", scope="employer")
def accepted(kind: str, batch_id: int) -> ResponseReturnValue:
    batch, rows, further = batch_results.accepted_page(actor(), batch_id, _after())
    _same_kind(batch, kind)
    return render_template(
        "imports/accepted.html", kind=kind, batch=batch, rows=rows, states=STATES, next=further
    )


def _after() -> int:
    typed = request.args.get("after", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0


@batches.get("/imports/<kind>/<int:batch_id>/errors.xlsx")
@guard("import.view", scope="employer")
def errors(kind: str, batch_id: int) -> ResponseReturnValue:
    _same_kind(imports.get_batch(actor(), batch_id), kind)
    return _workbook(batch_results.error_workbook(actor(), batch_id))


@batches.get("/imports/<kind>/<int:batch_id>/again")
@guard("import.upload", scope="employer")
def again(kind: str, batch_id: int) -> ResponseReturnValue:
    """The same file was uploaded before: it waits until somebody agrees."""
    batch = _same_kind(imports.get_batch(actor(), batch_id), kind)
    return render_confirm(
        _("该文件已经上传过"),
        batch.message,
        action=url_for("imports.resume", kind=kind, batch_id=batch_id),
        button=_("继续导入"),
        back=url_for("imports.page", kind=kind, _anchor="batches"),
        details=[_what_again_does(kind)],
    )


def _what_again_does(kind: str) -> str:
    """A base may be declared again, unless the region takes it once a year; nobody is enrolled twice."""
    if kind in ("base", "base_annual") and not _rules(kind).has(f"{kind}.times_a_year"):
        return _("还有未办结申报的人员会作为错误数据退回，其余人员以最后一次导入的为准。")
    return _("已经导入的人员会作为错误数据退回，不会重复申报。")


@batches.post("/imports/<kind>/<int:batch_id>/stop")
@guard("import.upload", scope="employer")
def stop(kind: str, batch_id: int) -> ResponseReturnValue:
    _same_kind(imports.get_batch(actor(), batch_id), kind)
    imports.stop(actor(), batch_id)
    notify(_("已请求停止，正在处理的一批数据完成后停止。"))
    return _back(kind)


@batches.post("/imports/<kind>/<int:batch_id>/resume")
@guard("import.upload", scope="employer")
def resume(kind: str, batch_id: int) -> ResponseReturnValue:
    _same_kind(imports.get_batch(actor(), batch_id), kind)
    imports.resume(actor(), batch_id)
    notify(_("文件已重新排队处理。"), "good")
    return _back(kind)


@batches.post("/imports/<kind>/<int:batch_id>/delete")
@guard("import.upload", scope="employer")
def delete(kind: str, batch_id: int) -> ResponseReturnValue:
    batch = _same_kind(imports.get_batch(actor(), batch_id), kind)
    if not request.form.get("confirmed"):
        return render_confirm(
            _("删除处理记录"),
            _("将删除文件“%(name)s”的处理记录和错误数据，删除后不能导出。", name=batch.file_name),
            action=url_for("imports.delete", kind=kind, batch_id=batch_id),
            button=_("删除"),
            back=url_for("imports.page", kind=kind, _anchor="batches"),
            danger=True,
            details=[_("已经导入成功的 %(count)s 条申报不受影响。", count=batch.accepted_rows)],
        )
    imports.remove(actor(), batch_id)
    notify(_("处理记录已删除。"), "good")
    return _back(kind)


def _sent_file() -> tuple[str, bytes]:
    file = request.files.get("file")
    if file is None:
        return "", b""
    with file.stream:
        return file.filename or "", file.stream.read()


def _rules(kind: str) -> ParameterSet:
    """The region's words. Raises: NotFound for a kind that nobody files here online."""
    spoken = words()
    if spoken is None or not spoken.offers(kind):
        raise NotFound("kind")
    return spoken


def _step(kind: str, rules: ParameterSet, now: datetime) -> Step | None:
    """What may be uploaded; None where this account files nothing or the form has no batch file."""
    if not (actor().may("import.upload") and actor().may("declaration.file")):
        return None
    setting = setting_of(actor(), kind, now)
    batch = setting.form.batch
    if batch is None:
        return None
    fields = [_asked(setting, batch, name) for name in batch.settings if name not in batch.confirm]
    megabytes = rules.integer("batch.max_megabytes", now)
    size = translated_text(rules.message("import.too_large").format(megabytes=megabytes)).rstrip("。.")
    return Step(
        setting, batch, fields, rules.integer("batch.max_rows", now), megabytes * imports.MEGABYTE, size
    )


def _asked(setting: FormSetting, batch: Batch, name: str) -> Field:
    field = setting.form.by_name[name]
    if name in setting.options:
        field = field.with_options(setting.options[name])
    return replace(field, required=field.required and name not in batch.optional)


def has_batch(rules: ParameterSet, kind: str) -> bool:
    """Whether the region offers batch files of a kind: its words name them."""
    return f"kind.{kind}.batch" in rules.labels


def _page(
    kind: str, rules: ParameterSet, step: Step | None, data: Mapping[str, Any], errors: Sequence[FieldError]
) -> str:
    if not has_batch(rules, kind):
        return render_template("imports/none.html", kind=kind, title=kind_words(kind))
    closed = closed_words(kind, rules, clock.now().date())
    return render_template(
        "imports/page.html",
        step=None if closed else step,
        closed=closed,
        data=data,
        errors=errors,
        **_table(kind, rules),
    )


def _table(kind: str, rules: ParameterSet) -> dict[str, Any]:
    found = imports.list_batches(actor(), kind, limit=SHOWN)
    return {
        "kind": kind,
        "title": rules.label(f"kind.{kind}.batch"),
        "batches": found,
        "active": any(batch.state in ACTIVE for batch in found),
        "states": STATES,
        "rejected_title": rules.label("batch.rejected", "错误数据"),
        "retention": imports.retention_words(rules, clock.now()),
        "may_resume": imports.may_resume,
        "may_upload": actor().may("import.upload"),
        "waiting": imports.count_waiting_people([batch.id for batch in found]),
    }


def _same_kind(batch: BatchRow, kind: str) -> BatchRow:
    if batch.kind != kind:
        raise NotFound("batch")
    return batch


def _back(kind: str) -> ResponseReturnValue:
    return redirect(url_for("imports.page", kind=kind, _anchor="batches"), 303)


def _workbook(made: Workbook) -> ResponseReturnValue:
    answer = make_response(
        send_file(BytesIO(made.content), XLSX, as_attachment=True, download_name=made.file_name)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
