"""Batch templates as they are handed out: for a kind, a region and an employer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.definitions.current import Bundle
from app.errors import NotFound
from app.formspec.excel import build_template
from app.services import filing, rosters
from app.services.actors import Actor
from app.store.facts import EmployerRecord

EXTENSION = ".xlsx"


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file to hand out."""

    file_name: str
    content: bytes
    form_version: str


def template_of(actor: Actor, kind: str, now: datetime, employer_id: int | None = None) -> Workbook:
    """Build the template of a kind for one employer. Raises: NotFound (no batch here), Forbidden."""
    target = filing.target_of(actor, kind, employer_id)
    form = target.bundle.form(kind)
    if form.batch is None:
        raise NotFound("batch")
    version = form_version(target.bundle)
    rows = rosters.prefilled(target, form, now) if form.batch.prefill == "roster" else ()
    content = build_template(form, version, rows, facts=facts_of(target.bundle, target.employer))
    return Workbook(file_name(form.batch.file_name, target.employer), content, version)


def form_version(bundle: Bundle) -> str:
    """The version of a kind's form, as templates carry it."""
    return str(bundle.form_version(bundle.kind).number)


def facts_of(bundle: Bundle, employer: EmployerRecord) -> dict[str, str]:
    """What a template keeps of its origin, so that a file is not uploaded for somebody else."""
    return {"kind": bundle.kind, "region": bundle.region, "employer": employer.employer_no}


def file_name(words: str, employer: EmployerRecord, note: str = "") -> str:
    """The region's own file name; `{employer_no}` in it is the employer's number."""
    return words.replace("{employer_no}", employer.employer_no) + note + EXTENSION
