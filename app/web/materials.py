"""The materials of a case: the page that takes them, the viewer, the bytes for those who may see the case."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from app import clock
from app.definitions.current import get_bundle
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.formspec.validate import validate
from app.services import declarations as acts
from app.services import materials as services
from app.services.forms import is_stepwise, is_verified
from app.services.material_files import WHOLE
from app.services.material_needs import FORM
from app.services.materials import MaterialFile, MaterialList
from app.services.results import CaseView
from app.web.cases import is_second_click, next_place
from app.web.frame import render_confirm, translated
from app.web.i18n import translated_text
from app.web.progress import policy_of
from app.web.security import actor, guard

materials = Blueprint("materials", __name__)

# A document is somebody else's work: it may not run, load, or be framed by anything of ours.
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
ANGLES = (0, 90, 180, 270)
SIZES = (100, 150, 200, 300)
# clockwise degrees -> how the camera was held
_ORIENTATIONS = {90: 6, 180: 3, 270: 8}


@materials.get("/cases/<reference>/materials")
@guard("declaration.view", scope="case")
def page(reference: str) -> ResponseReturnValue:
    """The step of a declaration that takes its materials; elsewhere they are a tab of the case."""
    held = services.list_items(actor(), reference, clock.now())
    if not held.changeable:
        return redirect(url_for("cases.page", reference=reference, tab="materials"))
    return _page(reference, held)


@materials.get("/cases/<reference>/materials/list")
@guard("declaration.view", scope="case")
def part(reference: str) -> ResponseReturnValue:
    """The list alone, asked for again while documents are being prepared."""
    held = services.list_items(actor(), reference, clock.now())
    return render_template("materials/items.html", held=held, reference=reference, errors=())


@materials.post("/cases/<reference>/materials")
@guard("declaration.file", scope="case")
def upload(reference: str) -> ResponseReturnValue:
    """Take one or several documents for an item; those that are refused say why, the others are kept."""
    item, refused = request.form.get("item", ""), list[FieldError]()
    chosen = [each for each in request.files.getlist("file") if each.filename]
    if not chosen:
        refused.append(FieldError(f"material_{item}", "material.none", _("请先选择文件。")))
    for each in chosen:
        refused += _take(reference, item, each)
    return _answer(reference, refused)


@materials.post("/cases/<reference>/materials/<int:material_id>/delete")
@guard("declaration.file", scope="case")
def delete(reference: str, material_id: int) -> ResponseReturnValue:
    if not request.form.get("confirmed"):
        held = services.list_items(actor(), reference, clock.now())
        chosen = _file_of(held, material_id)
        text = _("将删除材料“%(name)s”，删除后需要重新上传。", name=chosen.file_name)
        return render_confirm(
            _("删除材料"), text, action=request.path, button=_("删除"), back=_place(reference), danger=True
        )
    services.remove(actor(), reference, material_id, clock.now())
    return redirect(_place(reference), 303)


@materials.post("/cases/<reference>/materials/join")
@guard("declaration.file", scope="case")
def join(reference: str) -> ResponseReturnValue:
    """Have an item's pictures made into one PDF."""
    try:
        services.join(actor(), reference, request.form.get("item", ""), clock.now())
    except Rejected as refused:
        return _answer(reference, refused.errors)
    return _answer(reference, ())


@materials.post("/cases/<reference>/materials/done")
@guard("declaration.file", scope="case")
def done(reference: str) -> ResponseReturnValue:
    """Leave the step: on to the review where everything is there and confirmed, or back."""
    decision = request.form.get("decision", "next")
    case = acts.get_case(actor(), reference, clock.now())
    errors = _confirmation(case) if decision == "next" else []
    try:
        if decision == "next" and errors:
            errors = [*services.list_items(actor(), reference, clock.now()).errors, *errors]
            raise Rejected(errors)
        moved = acts.proceed(actor(), reference, decision, clock.now())
    except Conflict:
        if not is_second_click(reference, decision):
            raise
        return redirect(url_for("cases.receipt", reference=reference), 303)
    except Rejected as refused:
        held = services.list_items(actor(), reference, clock.now())
        return _page(reference, held, translated(refused.errors)), 422
    return redirect(next_place(moved), 303)


@materials.get("/cases/<reference>/materials/<int:material_id>")
@guard("declaration.view", scope="case")
def view(reference: str, material_id: int) -> ResponseReturnValue:
    """The viewer: one page of one document, turned and enlarged as the address says."""
    held = services.list_items(actor(), reference, clock.now())
    chosen = _file_of(held, material_id)
    case = acts.get_case(actor(), reference, clock.now())
    shown = {
        "held": held,
        "current": chosen,
        "number": min(_number("page", 1), max(chosen.shown_pages, 1)),
        "angle": _one_of("angle", ANGLES),
        "size": _one_of("size", SIZES),
    }
    return render_template("materials/view.html", case=case, reference=reference, **shown)


@materials.get("/cases/<reference>/materials/<int:material_id>/file")
@guard("declaration.view", scope="case")
def download(reference: str, material_id: int) -> ResponseReturnValue:
    """The document as it came, to be saved and never opened by the browser itself."""
    return bytes_answer(services.open_file(actor(), reference, material_id), attachment=True)


@materials.get("/cases/<reference>/materials/<int:material_id>/<part_name>.jpg")
@guard("declaration.view", scope="case")
def picture(reference: str, material_id: int, part_name: str) -> ResponseReturnValue:
    """Our own picture of a page, or the thumbnail."""
    if part_name == WHOLE:
        raise NotFound("part")
    opened = services.open_file(actor(), reference, material_id, part_name)
    content = turned(opened.content, _one_of("angle", ANGLES))
    return bytes_answer(replace(opened, content=content), attachment=False)


@materials.app_template_global()
def materials_of(reference: str) -> MaterialList:
    """What a case's tab shows; for the templates."""
    return services.list_items(actor(), reference, clock.now())


def turned(jpeg: bytes, angle: int) -> bytes:
    """One of our own pictures with the mark by which a browser turns it clockwise; nothing is unpacked.

    Source: Exif 2.32, tag 0x0112 Orientation, in an APP1 segment after the start of the image.
    """
    if angle not in _ORIENTATIONS:
        return jpeg
    tags = b"MM\x00*\x00\x00\x00\x08" + struct.pack("!HHHIHHI", 1, 0x0112, 3, 1, _ORIENTATIONS[angle], 0, 0)
    body = b"Exif\x00\x00" + tags
    return jpeg[:2] + b"\xff\xe1" + struct.pack("!H", len(body) + 2) + body + jpeg[2:]


def _take(reference: str, item: str, chosen: FileStorage) -> Sequence[FieldError]:
    try:
        services.upload(actor(), reference, item, chosen.filename or "", chosen.read(), clock.now())
    except Rejected as refused:
        name = chosen.filename or ""
        return [
            FieldError(
                each.field, each.code, _("%(name)s：%(why)s", name=name, why=translated_text(each.message))
            )
            for each in refused.errors
        ]
    return ()


def _answer(reference: str, errors: Sequence[FieldError]) -> ResponseReturnValue:
    """The list for script, else the page again: with the refusals, or as the next one to look at."""
    if "X-Upload" in request.headers:
        held = services.list_items(actor(), reference, clock.now())
        text = render_template("materials/items.html", held=held, reference=reference, errors=errors)
        return text, 422 if errors else 200
    if not errors:
        return redirect(_place(reference), 303)
    held = services.list_items(actor(), reference, clock.now())
    return _page(reference, held, errors), 422


def _page(reference: str, held: MaterialList, errors: Sequence[FieldError] = ()) -> str:
    case = acts.get_case(actor(), reference, clock.now())
    bundle = get_bundle(case.bundle_id)
    form = bundle.form(FORM) if held.at_step else None
    return render_template(
        "materials/page.html", case=case, held=held, form=form, errors=errors, reference=reference,
        typed=request.form, policy=policy_of(case, bundle),
        stepwise=is_stepwise(bundle), verified=is_verified(bundle),
    )  # fmt: skip


def _confirmation(case: CaseView) -> list[FieldError]:
    """Whether what the step's form asks to be confirmed was confirmed."""
    form = get_bundle(case.bundle_id).form(FORM)
    given = {name: request.form.getlist(name) for name in form.by_name if name in request.form}
    return list(validate(form, form.parse(given), today=clock.now().date()))


def _place(reference: str) -> str:
    return url_for("materials.page", reference=reference)


def _file_of(held: MaterialList, material_id: int) -> MaterialFile:
    for file in held.files:
        if file.id == material_id:
            return file
    raise NotFound("material")


def _number(name: str, usual: int) -> int:
    typed = request.args.get(name, "")
    return max(int(typed), 1) if typed.isascii() and typed.isdigit() and len(typed) < 6 else usual


def _one_of(name: str, allowed: Sequence[int]) -> int:
    typed = _number(name, allowed[0])
    return typed if typed in allowed else allowed[0]


def bytes_answer(opened: services.OpenedFile, *, attachment: bool) -> Response:
    """A document's bytes under the policy that keeps it from running or being framed."""
    answer = Response(opened.content, mimetype=opened.media_type)
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    kind = "attachment" if attachment else "inline"
    answer.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(opened.file_name, safe='')}"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
