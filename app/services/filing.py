"""How a form becomes a case: whose it is, what it is checked against, and its way through the diagram."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.clock import to_region
from app.definitions.current import Bundle, current_bundle, parameters
from app.domain.declaration import PENDING, is_open
from app.domain.parameters import COUNTER, ONLINE, ParameterSet
from app.errors import Conflict, FieldError, Forbidden, NotFound, Rejected
from app.formspec.form import Form
from app.formspec.validate import validate
from app.services import host
from app.services.actors import AGENCY, Actor, require, require_employer, require_region
from app.services.cases import Case
from app.services.material_needs import refuse_incomplete
from app.services.objects import person_key
from app.services.registry import Registry
from app.services.results import Receipt
from app.store.crypto import blind, encrypt_json
from app.store.declarations import DeclarationRow, find_declaration
from app.store.facts import EmployerRecord
from app.store.ids import new_reference

CHANNEL_ONLINE, CHANNEL_COUNTER = "03", "02"
BY_FILE_ALONE = "本事项只能批量办理，请下载模板填写后导入文件"
TOKEN = re.compile(r"\d{6}-[0-9A-HJKMNP-TV-Z]{10}", re.ASCII)
# who the case is about: another number would be another case
_IDENTITY_FIELDS = ("id_type", "id_number")
# what a corrected number may bring along
_WITH_IDENTITY = ("name", "sex", "birth_date", "nationality", "ethnicity")
_NEXT_STEPS = {
    "draft": "fill", "pending": "submit", "submitted": "audit", "in_audit": "audit", "returned": "correct",
}  # fmt: skip


@dataclass
class Target:
    """Where a new case goes: an employer, its region's rules, and the forms and diagrams of today."""

    employer: EmployerRecord
    channel: str
    bundle: Bundle
    parameters: ParameterSet
    registry: Registry


def target_of(actor: Actor, kind: str, employer_id: int | None) -> Target:
    """Find where the actor files: an operator for an employer of his, a counter clerk for any of the region.

    Raises: Forbidden, NotFound (outside the scope, or not offered here).
    """
    require(actor, "declaration.file")
    registry = Registry()
    if actor.side == AGENCY:
        require(actor, "counter.file")
        chosen = actor.employer_id if employer_id is None else employer_id
        if chosen is None:
            raise NotFound("employer")
        employer = registry.employer(chosen)
        require_region(actor, employer.region)
    else:
        employer = registry.employer(require_employer(actor, employer_id))
    rules = parameters(employer.region)
    at_counter = actor.side == AGENCY
    if not rules.offers(kind, COUNTER if at_counter else ONLINE):
        raise NotFound("kind")
    return Target(
        employer,
        CHANNEL_COUNTER if at_counter else CHANNEL_ONLINE,
        current_bundle(kind, employer.region, at_counter=at_counter),
        rules,
        registry,
    )


def open_case(
    actor: Actor,
    target: Target,
    values: Mapping[str, Any],
    now: datetime,
    *,
    token: str | None = None,
    copied_from: str | None = None,
    batch_id: int | None = None,
) -> Case:
    """Make a case that waits for its form.

    Raises: Conflict (the region takes the kind by a file alone), NotFound where `copied_from` is outside the
    scope.
    """
    if batch_id is None and actor.side != AGENCY and target.bundle.form(target.bundle.kind).batch_only:
        raise Conflict(BY_FILE_ALONE)
    source = find_declaration(copied_from) if copied_from else None
    if copied_from and (source is None or not actor.sees(source.region, source.employer_id)):
        raise NotFound("declaration")
    return host.new_case(
        actor,
        target.bundle.kind,
        target.employer,
        values,
        now,
        reference=token if token and TOKEN.fullmatch(token) else new_reference(now.date()),
        channel=target.channel,
        bundle=target.bundle,
        parameters=target.parameters,
        registry=target.registry,
        batch_id=batch_id,
        copied_from_id=source.id if source else None,
    )


def file_rows(
    actor: Actor,
    target: Target,
    rows: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    batch_id: int | None = None,
    submit_now: bool = False,
    one: Callable[[Mapping[str, Any]], Case] | None = None,
) -> list[Case | Exception]:
    """File many checked forms inside the caller's transaction; who writes the cases is the caller.

    Shape: one answer for each row, in order: the case, or why it was refused or failed. What the registry
    knows of all of them is read at once; a row sees the open declarations of the rows before it. `one`
    makes a filled case from a form in another way than the usual one.
    """

    def usual(row: Mapping[str, Any]) -> Case:
        case = open_case(actor, target, row, now, batch_id=batch_id)
        fill(case, actor, now, submit_now=submit_now)
        return case

    make = one or usual
    numbers = [str(row.get("id_number") or "") for row in rows]
    target.registry.forget_people()
    target.registry.read_people(blind(number) for number in numbers if number)
    keys = [
        person_key(target.parameters, target.bundle.kind, blind(number), now) for number in numbers if number
    ]
    target.registry.read_open(key for key in keys if key is not None)
    answers: list[Case | Exception] = []
    for row in rows:
        try:
            case = make(row)
        except Exception as error:  # noqa: BLE001 - one row's failure is that row's answer
            answers.append(error)
            continue
        if case.declaration.open_key is not None:
            target.registry.open_keys[case.declaration.open_key] = case.declaration.reference
        answers.append(case)
    return answers


def typed(form: Form, data: Mapping[str, Any], now: datetime, *, partial: bool = False) -> dict[str, Any]:
    """Read a posted form and refuse what it cannot take. Raises: Rejected."""
    values, errors = examine(form, data, now, partial=partial)
    if errors:
        raise Rejected(errors)
    return values


def examine(
    form: Form, data: Mapping[str, Any], now: datetime, *, partial: bool = False
) -> tuple[dict[str, Any], list[FieldError]]:
    """Read a posted form; gives what was read and the refusals."""
    values = form.parse(data)
    return values, validate(form, values, partial=partial, today=now.date())


def fill(case: Case, actor: Actor, now: datetime, *, submit_now: bool) -> None:
    """Complete the form's task, and the pending stage where that is wanted and there is one."""
    host.complete(case, form_task(case), {}, actor, now)
    if submit_now and case.declaration.status == PENDING:
        confirm(case, actor, now)


def confirm(case: Case, actor: Actor, now: datetime) -> None:
    """Complete the pending stage. Raises: Conflict where the case does not wait there."""
    for task in case.tasks:
        if task.settings.get("status") == PENDING:
            refuse_incomplete(case)
            host.complete(case, task.element_id, {"decision": "submit"}, actor, now)
            return
    raise Conflict(host.STALE)


def form_task(case: Case) -> str:
    """The element whose form can be filled now: a draft's or a correction's. Raises: Conflict."""
    for task in case.tasks:
        if task.settings.get("status") in ("draft", "returned") and task.form == case.declaration.kind:
            return task.element_id
    raise Conflict(host.STALE)


def opened(form: Form, return_fields: Collection[str]) -> frozenset[str]:
    """The fields that a returned form opens: those the auditor named, and what follows from them.

    With a number go its document type and what the number says; a value of the registry cannot be typed,
    so naming one opens the number. Where that leaves nothing to type, all of it is open.
    """
    by_name = form.by_name
    named = {name for name in return_fields if name in by_name}
    if any(by_name[name].readonly for name in named):
        named |= {field.name for field in form.identities}
    for name in list(named):
        named |= set(by_name[name].derive)
        if name in _IDENTITY_FIELDS:
            named |= {*_IDENTITY_FIELDS, *_WITH_IDENTITY}
        if by_name[name].options_from:
            named.add("person_type")
    found = frozenset(name for name in named if name in by_name and not by_name[name].readonly)
    return found or frozenset(field.name for field in form.fields if not field.readonly)


def correct(case: Case, given: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Take a corrected form: what changed is kept old and new, and shown to the auditor.

    Only what the auditor asked for may change: another value elsewhere is refused, a field that the page
    did not send keeps its value. Raises: Rejected.
    """
    before, row, form = case.data, case.declaration, case.bundle.form(case.declaration.kind)
    # read-only fields are the registry's, hidden ones the page's: nobody types them
    typed_in = [field.name for field in form.fields if not field.readonly and field.kind != "hidden"]
    open_now, data = opened(form, row.return_fields), dict(given)
    differing = [name for name in typed_in if not _same(before.get(name), data.get(name))]
    closed = [name for name in differing if name not in open_now]
    moved = next((name for name in closed if data.get(name) not in (None, "", [])), None)
    if moved in _IDENTITY_FIELDS:
        words = "退回补正不能更换证件号码，请废弃本申报后重新申报"
        raise Rejected([FieldError(moved, "correct.other_person", words)])
    if moved is not None:
        words = f"退回补正只能修改审核人员要求补正的栏目，“{form.by_name[moved].title}”不能修改"
        raise Rejected([FieldError(moved, "correct.not_opened", words)])
    data |= {name: before[name] for name in closed if name in before}
    changed = [name for name in differing if name in open_now]
    old = {name: before[name] for name in changed if name in before}
    case.note(
        "corrected",
        actor,
        now,
        {"changed": sorted(changed), "before": b64encode(encrypt_json(old)).decode() if old else ""},
    )
    # saved in between: what was changed then is still news to the auditor
    known = row.facts.get("changed_fields", []) if row.facts.get("correcting") else []
    row.facts = {**row.facts, "changed_fields": sorted({*known, *changed}), "correcting": True}
    host.take_data(case, data)


def _same(before: Any, after: Any) -> bool:
    """Whether a value stayed: nothing typed is nothing, the order of ticks says nothing."""
    if isinstance(before, list) and isinstance(after, list):
        return sorted(map(str, before)) == sorted(map(str, after))
    return before == after or (before in (None, "", []) and after in (None, "", []))


def require_filer(actor: Actor, case: Case) -> None:
    """Refuse a counter clerk's act on an operator's case, and the other way round. Raises: Forbidden."""
    at_counter = case.declaration.channel == CHANNEL_COUNTER
    if at_counter != (actor.side == AGENCY):
        raise Forbidden("柜面受理的申报由柜面办理，网上申报由单位办理")


def receipt(case: Case) -> Receipt:
    """Say what happened and what comes next."""
    due = min((task.due_at_utc for task in case.tasks), default=None)
    answer = receipt_of(case.declaration, case.parameters, due)
    if answer.next_step == "fill" and all(task.form != case.declaration.kind for task in case.tasks):
        return replace(answer, next_step="proceed")
    return answer


def receipt_of(
    row: DeclarationRow, rules: ParameterSet, due_at_utc: datetime | None = None, *, repeated: bool = False
) -> Receipt:
    """The receipt of a case as it stands; `repeated` for a second click."""
    ended = row.status in ("done", "approved", "rejected")
    code = row.result_code if ended else f"{row.kind}.{row.status}"
    return Receipt(
        reference=row.reference,
        status=row.status,
        message_code=code,
        message=row.result_message if ended else rules.messages.get(code, ""),
        next_step=_NEXT_STEPS[row.status] if is_open(row.status) else "nothing",
        due_at=None if due_at_utc is None or due_at_utc.year > 9000 else to_region(due_at_utc),
        repeated=repeated,
    )
