"""An employer's admin links other unit numbers of the employer, and takes them away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.declaration import SUBMITTED
from app.domain.employer_account import phone_of
from app.domain.identity import mask_phone
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services import account_log, codes, declarations, host, unit_links
from app.services.actions import load_cases, run
from app.services.actors import Actor, require, require_employer, require_row
from app.services.cases import Case, write
from app.services.host import STALE
from app.services.incidents import Attempt
from app.services.unit_links import KIND, LINKED, PURPOSE, VERIFY
from app.store import declarations as cases
from app.store import operators
from app.store import units as store
from app.store.session import transaction


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that waits for its code."""

    reference: str
    employer_no: str
    phone_masked: str


def start(actor: Actor, data: Mapping[str, Any], now: datetime) -> str:
    """File the link and send the code; gives the case's reference. Raises: Rejected, NotFound, Forbidden."""
    require(actor, "operator.manage")
    return declarations.file(actor, KIND, data, now).reference


def verify(actor: Actor, reference: str, typed: str, now: datetime, address: str = "") -> None:
    """Finish a link with the code that came to the other unit. Raises: Rejected (`code`), Conflict, NotFound.

    A wrong code is counted.
    """
    require(actor, "operator.manage")

    def body() -> bool:
        case = _waiting(actor, reference)
        subject = codes.subject_of_case(case.declaration.id)
        code_id = codes.accepts(subject, PURPOSE, typed)
        if code_id is None:
            account_log.record(
                "code.tried", user_id=actor.id, actor=actor, result=account_log.REFUSED, address=address
            )
            return False
        codes.spend(code_id, subject, PURPOSE)
        host.complete(case, VERIFY, {}, actor, now)
        write([case])
        return True

    if not run(lambda: Attempt("link", {"reference": reference}, actor), now, body):
        raise codes.wrong_code()


def resend(actor: Actor, reference: str, now: datetime) -> None:
    """Send another code. Raises: Rejected (`code`), Conflict, NotFound."""
    require(actor, "operator.manage")
    with transaction():
        unit_links.send(_waiting(actor, reference), None, now)


def give_up(actor: Actor, reference: str, now: datetime) -> None:
    """Drop a link that waits for its code. Raises: Conflict, NotFound."""
    require(actor, "operator.manage")
    declarations.recall(actor, reference, now)


def unlink(actor: Actor, employer_id: int, address: str = "") -> None:
    """Take a linked unit away from all operators of the current employer.

    Only what was linked is taken away: a unit's own registration stays. Raises: Rejected, NotFound.
    """
    require(actor, "operator.manage")
    own = require_employer(actor, None)
    if employer_id == own or employer_id not in actor.employer_ids:
        raise NotFound("employer")
    with transaction():
        operators.lock_employers([own, employer_id])
        if employer_id not in unit_links.linked_by(own):
            words = "该单位不是由本单位关联的，不能取消关联"
            raise Rejected([FieldError("", f"{KIND}.not_linked", words)])
        staff = unit_links.cut(own, employer_id)
        detail = {"employer": own, "unlinked": employer_id, "operators": sorted(staff)}
        account_log.record("employer.unlinked", user_id=actor.id, actor=actor, address=address, detail=detail)


def open_link(actor: Actor) -> OpenLink | None:
    """The link of the current employer that waits for its code."""
    own = require_employer(actor, None)
    for _, reference in cases.list_references(own, KIND, (SUBMITTED,), 0, 1):
        row = cases.find_declaration(reference)
        if row is not None and LINKED in row.facts:
            unit = store.get_unit(row.facts[LINKED])
            return OpenLink(reference, unit.employer_no, mask_phone(phone_of(unit.details)))
    return None


def linked_units(actor: Actor) -> set[int]:
    """The units that the current employer has linked."""
    return unit_links.linked_by(require_employer(actor, None)) & actor.employer_ids


def _waiting(actor: Actor, reference: str) -> Case:
    found = load_cases([reference])
    if not found:
        raise Conflict(STALE)
    (case,) = found
    require_row(actor, case.declaration.region, case.declaration.employer_id)
    host.task_of(case, VERIFY)
    return case
