"""How every action runs: one transaction, refusals in words, failures kept as incidents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from app.errors import Busy, Conflict, Forbidden, NotFound, OwnCase, Rejected
from app.services import incidents
from app.services.actors import Actor, require_row
from app.services.cases import Case, loaded_case, write
from app.services.host import STALE
from app.services.incidents import Attempt
from app.services.registry import Registry
from app.services.results import ItemResult
from app.services.subjects import held_by_another
from app.store.constraints import ORDERED, Duplicate, is_passing
from app.store.declarations import load_waiting
from app.store.session import transaction

log = logging.getLogger(__name__)
REFUSALS = (Rejected, Conflict, NotFound, Forbidden)
CHANGED = "该人员的信息刚刚被其他操作更改，请重新核对后再提交"
BUSY = "系统繁忙，本次操作没有保存，请稍后再试"
CHUNK = 200
Result = TypeVar("Result")
_CLASHES = {
    "effect": STALE,
    "task": STALE,
    ORDERED: "该人员有退费已开具支付单，请待支付登记或作废后再办理",
}
# a race that a second look at the registry settles
_LOOK_AGAIN = frozenset({"person", "task", "open_enrolment", "charged_month", "username", "employer_no"})


def run(
    attempt: Callable[[], Attempt],
    now: datetime,
    body: Callable[[], Result],
    before: Callable[[], None] | None = None,
) -> Result:
    """Run an action in one transaction; `before` runs first inside it.

    Refusals pass; a broken unique rule or a database that was away is tried once more, then said in words
    (`reference` passes as Duplicate); anything else rolls back and becomes an incident.
    Raises: ServiceFailure, Conflict, Duplicate, and the refusals.
    """
    for looked_again in (False, True):
        try:
            with transaction():
                if before is not None:
                    before()
                return body()
        except Duplicate as error:
            if error.rule in _LOOK_AGAIN and not looked_again:
                continue
            if error.rule in ("reference", "open_declaration"):
                raise
            raise _clash(error) from error
        except REFUSALS:
            raise
        except Exception as error:
            if not is_passing(error):
                raise incidents.record(attempt(), error, now) from error
            if looked_again:
                log.exception("the database did not take an action")
                raise Busy(BUSY) from error
    raise AssertionError("unreachable")


def run_many(
    name: str,
    actor: Actor,
    references: Sequence[str],
    now: datetime,
    step: Callable[[Case], None],
    before: Callable[[], None] | None = None,
) -> list[ItemResult]:
    """Do one step on many cases, a few hundred to a transaction; never stops at the first failure."""
    results: list[ItemResult] = []
    wanted = list(dict.fromkeys(references))
    for start in range(0, len(wanted), CHUNK):
        results += _run_chunk(name, actor, wanted[start : start + CHUNK], now, step, before)
    return results


def _run_chunk(
    name: str,
    actor: Actor,
    references: list[str],
    now: datetime,
    step: Callable[[Case], None],
    before: Callable[[], None] | None,
) -> list[ItemResult]:
    items: dict[str, ItemResult] = {}
    broken: list[tuple[Case, Exception]] = []
    try:
        with transaction():
            good: list[Case] = []
            for case in load_cases(references):
                try:
                    require_row(actor, case.declaration.region, case.declaration.employer_id)
                    step(case)
                    good.append(case)
                except REFUSALS as error:
                    items[case.declaration.reference] = refused(case.declaration.reference, error)
                except Exception as error:  # noqa: BLE001 - kept as an incident once the others are written
                    broken.append((case, error))
            if good and before is not None:
                before()
            write(good)
    except Exception as error:
        if not isinstance(error, Duplicate) and not is_passing(error):
            raise
        if len(references) == 1:
            return [refused(references[0], in_words(error))]
        # one record of the chunk is in the way: alone, each one answers for itself
        return [item for each in references for item in _run_chunk(name, actor, [each], now, step, before)]
    for case in good:
        row = case.declaration
        items[row.reference] = ItemResult(
            row.reference, True, row.status, row.result_code, row.result_message
        )
    for case, cause in broken:
        failure = incidents.record(attempt_on(name, actor, case), cause, now)
        items[case.declaration.reference] = ItemResult(
            case.declaration.reference, False, case.declaration.status, "incident", failure.message
        )
    return [items.get(each) or ItemResult(each, False, "", "stale", STALE) for each in references]


def load_cases(references: Sequence[str]) -> list[Case]:
    """Load and hold waiting cases, with what the registry knows of all of them, in the order asked for."""
    found = load_waiting(references)
    registry = Registry()
    cases = [loaded_case(found[each], registry) for each in references if each in found]
    if len(cases) > 1:
        registry.read_employers(case.declaration.employer_id for case in cases)
        registry.read_people(
            case.declaration.person_hash for case in cases if case.declaration.person_hash is not None
        )
        registry.read_open(case.declaration.open_key for case in cases if case.declaration.open_key)
    return cases


def attempt_on(name: str, actor: Actor, case: Case) -> Attempt:
    """Say what was tried on a case."""
    row = case.declaration
    return Attempt(
        name,
        {"reference": row.reference},
        actor,
        region=row.region,
        declaration_id=row.id,
        batch_id=row.batch_id,
    )


def refused(reference: str, error: Exception) -> ItemResult:
    """A refusal as the answer for one record of many."""
    if isinstance(error, Rejected):
        first = error.errors[0]
        return ItemResult(
            reference, False, "", first.code, "；".join(each.full_message for each in error.errors)
        )
    if isinstance(error, OwnCase):
        return ItemResult(reference, False, "", "own_case", str(error))
    if isinstance(error, NotFound | Forbidden):
        return ItemResult(reference, False, "", "not_found", "没有这条申报，或无权办理")
    return ItemResult(reference, False, "", "conflict", str(error))


def in_words(error: Exception, tried: Sequence[Case] = ()) -> Exception:
    """What the database refused, in words; `tried` is the case that met another open declaration."""
    if not isinstance(error, Duplicate):
        return Busy(BUSY)
    if error.rule == "open_declaration" and tried:
        return Rejected([held_by_another(tried[0])])
    return _clash(error)


def _clash(error: Duplicate) -> Conflict:
    return Conflict(_CLASHES.get(error.rule, CHANGED))
