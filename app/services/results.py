"""What the use cases hand to the edges: plain values, no rows, no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.collection import SUPPLEMENTARY
from app.domain.contribution import FenLine
from app.errors import FieldError


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one action on one case.

    `message` is the region's own text of `message_code` where it has one (else ""); `next_step` is a code
    for what happens now: fill, proceed (a step without the form), submit, audit, correct, nothing.
    `repeated` marks the answer to a second click: the first one already did it. `due_at` (naive, region's
    clock) is the time limit of what is open now.
    """

    reference: str
    status: str
    message_code: str = ""
    message: str = ""
    next_step: str = "nothing"
    due_at: datetime | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One record of a bulk action: `ok`, else `code` and `message` say why not."""

    reference: str
    ok: bool
    status: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """A bulk action, record by record; it never stops at the first failure."""

    items: Sequence[ItemResult]

    @property
    def done(self) -> int:
        return sum(item.ok for item in self.items)

    @property
    def failed(self) -> int:
        return len(self.items) - self.done


@dataclass(frozen=True, slots=True)
class AmountLine:
    """One trial or real line; amounts in fen, `accrual_month` `YYYY-MM`, `rate` a decimal in words."""

    fund: str
    party: str
    due_type: str
    due_month: str
    accrual_month: str
    base_fen: int
    rate: str | None
    fixed_fen: int | None
    amount_fen: int
    demo: bool = False


def supplementary(month: str, line: FenLine, due_month: str) -> AmountLine:
    """A line that would be charged afterwards for a month."""
    return AmountLine(
        fund=line.fund,
        party=line.party,
        due_type=SUPPLEMENTARY,
        due_month=due_month,
        accrual_month=month,
        base_fen=line.base_fen,
        rate=line.rate or None,
        fixed_fen=None if line.rate else line.amount_fen,
        amount_fen=line.amount_fen,
    )


@dataclass(frozen=True, slots=True)
class Amounts:
    """Trial amounts: `monthly` is one month as charged from the start on, `lines` the months that would
    be charged at once, `left_out` those before this one that nothing charges; `wage_fen` as typed and
    `base_fen` as held between `floor_fen` and `cap_fen`."""

    monthly: Sequence[AmountLine] = ()
    lines: Sequence[AmountLine] = ()
    months: Sequence[str] = ()
    left_out: Sequence[str] = ()
    wage_fen: int = 0
    base_fen: int = 0
    floor_fen: int | None = None
    cap_fen: int | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What filing this form would do, without doing it: errors at fields, warnings, trial amounts.

    `data` is the form as it would be kept (derived fields filled in).
    """

    errors: Sequence[FieldError]
    warnings: Sequence[FieldError]
    data: Mapping[str, Any]
    amounts: Amounts | None = None

    @property
    def ok(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class TaskView:
    """An open task of a case; `settings` are the diagram's properties of the element."""

    id: int
    element_id: str
    process_id: str
    title: str
    role: str
    form: str
    status: str
    due_at: datetime
    claimed_by_id: int | None
    claimed_by: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventView:
    """One step of a case's history, oldest first."""

    process_id: str
    element_id: str
    element_name: str
    action: str
    actor: str
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything its page shows; `data` is the decrypted form, for this actor's eyes.

    `changed_fields` are the fields that the last correction changed. `allowed` are the acts open to this
    actor now: edit, proceed, submit, discard, recall, correct, copy, claim, release, decide.
    """

    reference: str
    kind: str
    region: str
    status: str
    channel: str
    employer_id: int
    employer_no: str
    employer_name: str
    person_id: int | None
    person_name: str
    id_masked: str
    data: Mapping[str, Any]
    message_code: str
    message: str
    decision: str | None
    opinion: str
    return_fields: Sequence[str]
    changed_fields: Sequence[str]
    warnings: Sequence[FieldError]
    created_by: str
    submitted_by: str
    decided_by: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    bundle_id: int
    batch_id: int | None
    copied_from: str | None
    tasks: Sequence[TaskView] = ()
    events: Sequence[EventView] = ()
    lines: Sequence[AmountLine] = ()
    allowed: frozenset[str] = frozenset()
    incident_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
