"""The employer's acts on declarations: draft, file, submit, discard, recall, correct, copy, look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.services.actors import Actor
from app.services.results import Amounts, BulkResult, CaseView, CheckResult, Receipt

Data = Mapping[str, Any]


def new_token(now: datetime) -> str:
    """Make the number that a blank form carries: it becomes the case's reference, so that a second click
    on the same form finds the first one's case."""
    raise NotImplementedError


def save_draft(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
    token: str | None = None,
) -> Receipt:
    """Keep an unfinished form; `reference` names a draft or a returned case, `token` a blank form.

    Only types and lengths are checked. Raises: Rejected, NotFound, Conflict, Forbidden.
    """
    raise NotImplementedError


def check(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
) -> CheckResult:
    """Say what filing this form would do; nothing is written. `reference` names the case being corrected."""
    raise NotImplementedError


def quote(
    actor: Actor, kind: str, data: Data, now: datetime, employer_id: int | None = None
) -> Amounts | None:
    """Calculate trial amounts from a half-filled form; None where wage, funds or month are missing."""
    raise NotImplementedError


def file(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
    token: str | None = None,
    submit_now: bool = False,
) -> Receipt:
    """File a form: a new case, a draft (`reference`) or the correction of a returned case (`reference`).

    `submit_now` also passes the pending stage where the region has one.
    Raises: Rejected (fields), Conflict, NotFound, Forbidden, ServiceFailure (incident number in words).
    """
    raise NotImplementedError


def submit(actor: Actor, references: Sequence[str], now: datetime) -> BulkResult:
    """Hand pending records to the agency, record by record."""
    raise NotImplementedError


def submit_all(actor: Actor, kind: str, now: datetime, employer_id: int | None = None) -> BulkResult:
    """Hand over every pending record of a kind that the employer has now."""
    raise NotImplementedError


def discard(actor: Actor, references: Sequence[str], now: datetime) -> BulkResult:
    """Remove drafts and pending records, record by record."""
    raise NotImplementedError


def discard_all(actor: Actor, kind: str, now: datetime, employer_id: int | None = None) -> BulkResult:
    """Remove every pending record of a kind that the employer has now."""
    raise NotImplementedError


def recall(actor: Actor, reference: str, now: datetime) -> Receipt:
    """Take a submitted case back before anybody decides. Raises: Conflict, NotFound, Forbidden."""
    raise NotImplementedError


def copy(actor: Actor, reference: str, now: datetime) -> dict[str, Any]:
    """Return the form of an ended case, to file it again. Raises: NotFound, Forbidden, Conflict."""
    raise NotImplementedError


def get_case(actor: Actor, reference: str, now: datetime) -> CaseView:
    """Return one case with tasks, history and lines. Raises: NotFound outside the actor's scope."""
    raise NotImplementedError
