"""The employer's acts on declarations: draft, file, submit, discard, recall, correct, copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.definitions.current import parameters
from app.domain.declaration import DRAFT, FINAL, IN_AUDIT, PENDING, RETURNED, SUBMITTED
from app.errors import Conflict, NotFound, Rejected
from app.services import filing, host
from app.services.actions import STALE, attempt_on, in_words, load_cases, run, run_many
from app.services.actors import Actor, require, require_row
from app.services.cases import Case, write
from app.services.filing import receipt
from app.services.incidents import Attempt
from app.services.material_needs import FORM as MATERIALS
from app.services.material_needs import refuse_incomplete
from app.services.results import BulkResult, ItemResult, Receipt
from app.services.trials import check, quote
from app.services.views import get_case
from app.store import declarations as store
from app.store.constraints import Duplicate
from app.store.crypto import decrypt_json
from app.store.ids import new_reference
from app.store.tasks import TaskRow, set_summaries

__all__ = [
    "check", "copy", "discard", "discard_all", "file", "get_case", "new_token", "proceed", "quote", "recall",
    "save_draft", "submit", "submit_all",
]  # fmt: skip

Data = Mapping[str, Any]
Before = Callable[[], None] | None
PAGE = 500


def new_token(now: datetime) -> str:
    """Make the number that a blank form carries: it becomes the case's reference, so that a second click
    on the same form finds the first one's case."""
    return new_reference(now.date())


def save_draft(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
    token: str | None = None,
    copied_from: str | None = None,
    before: Before = None,
) -> Receipt:
    """Keep an unfinished form; `reference` names a draft or a returned case, `token` a blank form.

    Only types and lengths are checked. Raises: Rejected, NotFound, Conflict, Forbidden.
    """
    if reference is not None:
        return _save_again(actor, data, now, reference, before)
    target = filing.target_of(actor, kind, employer_id)
    values = filing.typed(target.bundle.form(kind), data, now, partial=True)
    given = _arguments(kind, data, reference, target.employer.id, token, copied_from)

    def body() -> Receipt:
        case = filing.open_case(actor, target, values, now, token=token, copied_from=copied_from)
        case.note("saved", actor, now)
        write([case])
        return receipt(case)

    try:
        return run(lambda: Attempt("save_draft", given, actor, target.employer.region), now, body, before)
    except Duplicate as error:
        held = _draft_of(actor, token)
        if held is None:
            raise in_words(error) from error
        return _save_again(actor, data, now, held, before)


def file(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
    token: str | None = None,
    submit_now: bool = False,
    copied_from: str | None = None,
    before: Before = None,
) -> Receipt:
    """File a form: a new case, a draft (`reference`) or the correction of a returned case (`reference`).

    `submit_now` also passes the pending stage where the region has one; `token` makes a second click find
    the first one's case; `before` runs inside the transaction.
    Raises: Rejected (fields), Conflict, NotFound, Forbidden, ServiceFailure (incident number in words).
    """
    if reference is not None:
        return _file_again(actor, data, now, reference, submit_now, before)
    target = filing.target_of(actor, kind, employer_id)
    values = filing.typed(target.bundle.form(kind), data, now)
    given = {
        **_arguments(kind, data, reference, target.employer.id, token, copied_from),
        "submit_now": submit_now,
    }

    def body() -> Receipt:
        tried.clear()
        target.registry.forget_people()
        case = filing.open_case(actor, target, values, now, token=token, copied_from=copied_from)
        tried.append(case)
        filing.fill(case, actor, now, submit_now=submit_now)
        write([case])
        return receipt(case)

    tried: list[Case] = []
    try:
        return run(lambda: Attempt("file", given, actor, target.employer.region), now, body, before)
    except (Rejected, Conflict, Duplicate) as error:
        # the second click of two: what it is refused for is what the first one did
        first = _first_click(actor, token)
        if first is not None:
            return first
        held = _draft_of(actor, token)
        if held is not None and isinstance(error, Duplicate):
            return _file_again(actor, data, now, held, submit_now, before)
        if isinstance(error, Duplicate):
            raise in_words(error, tried) from error
        raise


def submit(actor: Actor, references: Sequence[str], now: datetime, before: Before = None) -> BulkResult:
    """Hand pending records to the agency, record by record. Raises: Forbidden."""
    require(actor, "declaration.submit")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        filing.confirm(case, actor, now)

    return BulkResult(run_many("submit", actor, references, now, step, before))


def submit_all(actor: Actor, kind: str, now: datetime, employer_id: int | None = None) -> BulkResult:
    """Hand over every pending record of a kind that the employer has now. Raises: Forbidden, NotFound."""
    return BulkResult(_all(actor, kind, employer_id, lambda found: submit(actor, found, now).items))


def discard(actor: Actor, references: Sequence[str], now: datetime, before: Before = None) -> BulkResult:
    """Remove drafts, pending records and returned cases, record by record. Raises: Forbidden."""
    require(actor, "declaration.discard")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        if case.declaration.status not in (DRAFT, PENDING, RETURNED):
            raise Conflict(STALE)
        host.send(case, "discard", actor, now)

    return BulkResult(run_many("discard", actor, references, now, step, before))


def discard_all(actor: Actor, kind: str, now: datetime, employer_id: int | None = None) -> BulkResult:
    """Remove every pending record of a kind that the employer has now. Raises: Forbidden, NotFound."""
    return BulkResult(_all(actor, kind, employer_id, lambda found: discard(actor, found, now).items))


def recall(actor: Actor, reference: str, now: datetime, before: Before = None) -> Receipt:
    """Take a submitted case back before anybody decides. Raises: Conflict, NotFound, Forbidden."""
    require(actor, "declaration.recall")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        if case.declaration.status not in (SUBMITTED, IN_AUDIT):
            raise Conflict(STALE)
        host.send(case, "recall", actor, now)

    return _one("recall", actor, reference, now, step, before)


def proceed(actor: Actor, reference: str, decision: str, now: datetime, before: Before = None) -> Receipt:
    """Take a step between form and submission that asks no form: `decision` as the diagram's task offers it.

    Raises: Rejected (`decision`), Conflict, NotFound, Forbidden.
    """
    require(actor, "declaration.file")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        for task in case.tasks:
            if decision in _offered(task, case.declaration.kind):
                if task.form == MATERIALS or decision == "submit":
                    refuse_incomplete(case)
                host.complete(case, task.element_id, {"decision": decision}, actor, now)
                return
        if decision == "back" and case.declaration.status == DRAFT:
            # a step inside a shared process has no way back of its own: the diagram around it may have one
            host.send(case, "back", actor, now)
            return
        raise Conflict(STALE)

    return _one("proceed", actor, reference, now, step, before, decision=decision)


def _offered(task: TaskRow, kind: str) -> list[str]:
    """What a step offers: the diagram's words, `next` where it names none; a form is filed instead."""
    words = [word.strip() for word in task.settings.get("decisions", "").split(",") if word.strip()]
    status = task.settings.get("status")
    if status == DRAFT and task.form != kind:
        return words or ["next"]
    return words if status == PENDING else []


def copy(actor: Actor, reference: str, now: datetime) -> dict[str, Any]:
    """Return the form of an ended case, to file it again. Raises: NotFound, Forbidden, Conflict."""
    require(actor, "declaration.file")
    row = store.find_declaration(reference)
    if row is None or not actor.sees(row.region, row.employer_id):
        raise NotFound("declaration")
    if row.status not in FINAL:
        raise Conflict("该申报尚未办结，不能复制")
    data: dict[str, Any] = decrypt_json(row.data_cipher)
    return data


def _save_again(actor: Actor, data: Data, now: datetime, reference: str, before: Before) -> Receipt:
    require(actor, "declaration.file")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        filing.form_task(case)
        row = case.declaration
        values = filing.typed(case.bundle.form(row.kind), data, now, partial=True)
        if row.status == RETURNED:
            filing.correct(case, values, actor, now)
        else:
            host.take_data(case, values)
        row.updated_at_utc = to_utc(now)
        row.lock_version += 1
        case.note("saved", actor, now)
        for task in case.tasks:
            task.summary = host.summary(case, task.settings.get("summary", ""))
        set_summaries(row.id, case.tasks[0].summary)

    return _one("save_draft", actor, reference, now, step, before, kind="", data=dict(data))


def _file_again(
    actor: Actor, data: Data, now: datetime, reference: str, submit_now: bool, before: Before
) -> Receipt:
    require(actor, "declaration.file")

    def step(case: Case) -> None:
        filing.require_filer(actor, case)
        filing.form_task(case)
        values = filing.typed(case.bundle.form(case.declaration.kind), data, now)
        if case.declaration.status == RETURNED:
            filing.correct(case, values, actor, now)
            refuse_incomplete(case)
            case.declaration.facts = {**case.declaration.facts, "correcting": False}
        else:
            host.take_data(case, values)
        filing.fill(case, actor, now, submit_now=submit_now)

    return _one("file", actor, reference, now, step, before, kind="", data=dict(data), submit_now=submit_now)


def _one(
    name: str,
    actor: Actor,
    reference: str,
    now: datetime,
    step: Callable[[Case], None],
    before: Before,
    **arguments: Any,
) -> Receipt:
    """One step on one waiting case. Raises: NotFound outside the scope, Conflict where it waits no more."""
    tried: list[Case] = []

    def body() -> Receipt:
        tried.clear()
        tried.extend(load_cases([reference]))
        if not tried:
            raise _gone(actor, reference)
        (case,) = tried
        require_row(actor, case.declaration.region, case.declaration.employer_id)
        step(case)
        write([case])
        return receipt(case)

    def attempt() -> Attempt:
        plain = attempt_on(name, actor, tried[0]) if tried else Attempt(name, {"reference": reference}, actor)
        return Attempt(
            name, {**plain.arguments, **arguments}, actor, plain.region, plain.declaration_id, plain.batch_id
        )

    try:
        return run(attempt, now, body, before)
    except Duplicate as error:
        raise in_words(error, tried) from error


def _gone(actor: Actor, reference: str) -> Exception:
    row = store.find_declaration(reference)
    if row is None or not actor.sees(row.region, row.employer_id):
        return NotFound("declaration")
    return Conflict(STALE)


def _all(
    actor: Actor,
    kind: str,
    employer_id: int | None,
    act: Callable[[list[str]], Sequence[ItemResult]],
) -> list[ItemResult]:
    chosen = filing.require_employer(actor, employer_id)
    items: list[ItemResult] = []
    after = 0
    while True:
        page = store.list_references(chosen, kind, (PENDING,), after, PAGE)
        if not page:
            return items
        items += act([reference for _, reference in page])
        after = page[-1][0]


def _first_click(actor: Actor, token: str | None) -> Receipt | None:
    row = store.find_declaration(token) if token else None
    if row is None or row.created_by_id != actor.id or row.status == DRAFT:
        return None
    return filing.receipt_of(row, parameters(row.region), repeated=True)


def _draft_of(actor: Actor, token: str | None) -> str | None:
    row = store.find_declaration(token) if token else None
    return token if row is not None and row.created_by_id == actor.id and row.status == DRAFT else None


def _arguments(
    kind: str,
    data: Data,
    reference: str | None,
    employer_id: int | None,
    token: str | None,
    copied_from: str | None,
) -> dict[str, Any]:
    """What an incident needs to run the action again."""
    return {
        "kind": kind,
        "data": dict(data),
        "reference": reference,
        "employer_id": employer_id,
        "token": token,
        "copied_from": copied_from,
    }
