"""What the rows of one uploaded file share: who filed it, for whom, by which form and rules, and the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import clock
from app.definitions.current import get_bundle, parameters
from app.domain.parameters import ONLINE, ParameterSet
from app.errors import Forbidden, NotFound, WangtingError
from app.formspec.form import Form
from app.formspec.rows import Row
from app.formspec.workbook import Limits, Upload, WorkbookError, read_workbook
from app.services import accounts
from app.services.actors import Actor, require_employer
from app.services.batch_rows import complete_settings, find_repeated
from app.services.filing import CHANNEL_ONLINE, Target
from app.services.registry import Registry
from app.services.stamping import Stamper
from app.store.crypto import decrypt_bytes, decrypt_json
from app.store.files import file_store
from app.store.imports import BatchRow

READ_SECONDS = 30
MEGABYTE = 1 << 20
# A file that is too long is read so far, to say by how much.
_ROWS_SEEN = 3


class FileRefused(WangtingError):
    """The file as a whole is refused, in words."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the rows of one batch share."""

    batch: BatchRow
    actor: Actor
    target: Target
    form: Form
    settings: Mapping[str, Any]
    rows: Sequence[Row]
    repeated: Mapping[int, int]
    now: datetime
    stamper: Stamper

    @property
    def rules(self) -> ParameterSet:
        """The region's parameters."""
        return self.target.parameters

    @property
    def all_or_nothing(self) -> bool:
        """Whether one bad row keeps the whole file out."""
        return self.rules.flag("batch.all_or_nothing", self.now)


def plan_of(batch: BatchRow) -> Plan:
    """Read the file and gather what its rows are judged by.

    The day is the one of the upload. Raises: FileRefused, WorkbookError.
    """
    now = clock.to_region(batch.created_at_utc)
    rules = parameters(batch.region)
    actor = _actor(batch, rules)
    registry = Registry()
    employer = registry.employer(batch.employer_id)
    if not rules.offers(batch.kind, ONLINE):
        raise FileRefused(rules.message("import.not_offered"))
    bundle = get_bundle(batch.bundle_id)
    target = Target(employer, CHANNEL_ONLINE, bundle, rules, registry)
    form = bundle.form(batch.kind)
    upload = _read(batch, form, rules, now)
    _check_origin(upload, target, batch.kind)
    given = decrypt_json(batch.settings_cipher) if batch.settings_cipher else {}
    return Plan(
        batch=batch,
        actor=actor,
        target=target,
        form=form,
        settings=complete_settings(form, given, rules),
        rows=upload.rows,
        repeated=find_repeated(upload.rows),
        now=now,
        stamper=Stamper(actor, target, now, batch.id),
    )


def _actor(batch: BatchRow, rules: ParameterSet) -> Actor:
    """Who uploaded the file, with the rights of today."""
    account = accounts.load_account(batch.created_by_id, clock.real_utcnow())
    try:
        if account is None or not account.active or not account.actor.may("declaration.file"):
            raise Forbidden("account")
        require_employer(account.actor, batch.employer_id)
    except (Forbidden, NotFound):
        raise FileRefused(rules.message("import.no_right")) from None
    return account.actor


def _read(batch: BatchRow, form: Form, rules: ParameterSet, now: datetime) -> Upload:
    most = rules.integer("batch.max_rows", now)
    limits = Limits(
        file_bytes=rules.integer("batch.max_megabytes", now) * MEGABYTE,
        rows=most * _ROWS_SEEN,
        seconds=READ_SECONDS,
    )
    content = decrypt_bytes(file_store().get(batch.file_key))
    try:
        upload = read_workbook(content, form, limits)
    except WorkbookError as error:
        if error.code == "too_many_rows":
            raise WorkbookError("too_many_rows", error.cell, limit=most) from None
        raise
    if len(upload.rows) > most:
        words = rules.message("import.too_many_rows").format(rows=most, found=len(upload.rows))
        raise FileRefused(f"{words}{_over(upload.rows[most])}")
    return upload


def _over(row: Row) -> str:
    return f"（从第 {row.number} 行起超出）"


def _check_origin(upload: Upload, target: Target, kind: str) -> None:
    """Refuse a template that was made for another employer, region or kind."""
    facts, rules = upload.facts, target.parameters
    for name, ours, code in (
        ("employer", target.employer.employer_no, "import.other_employer"),
        ("region", target.bundle.region, "import.other_region"),
        ("kind", kind, "import.other_kind"),
    ):
        theirs = facts.get(name, "")
        if theirs and theirs != ours:
            raise FileRefused(rules.message(code).format(theirs=theirs, ours=ours))
