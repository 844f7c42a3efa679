"""The agency looks after the operators and links of its region's units, each act with a reason on record.

The unit's own admin is the usual way; the agency acts where there is none, or where he may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import operator as rules
from app.domain.operator import ACTIVE, DISABLED, INVITED
from app.domain.permission import EMPLOYER_ROLES
from app.errors import FieldError, NotFound, Rejected
from app.services import account_log, activating, operator_acts, unit_links
from app.services.actors import Actor, require
from app.services.operator_accounts import SHOWN, WORDS
from app.store import operators as store
from app.store.account_events import AccountEventRow, list_events
from app.store.operators import OperatorRow
from app.store.queries import counter as units
from app.store.queries.counter import Unit
from app.store.session import transaction
from app.store.sign_in import lock_user

MAY = "operator.oversee"
REASON = range(4, 201)
RESET_WORDS = "【医保单位网厅】您的网厅账号密码已由经办机构重置。请在网厅登录页点击“激活账号”重新设置密码。"
ELSEWHERE = "该操作员还为其他统筹区的单位办理，本统筹区只能取消其与本统筹区单位的办理关系"
NOT_LINKED = "该单位不是由所选单位关联的，不能取消关联"
# shorter numbers would find half the region
PHONE_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Overseen:
    """An operator as the agency sees one. `units` are those of its regions; `roles` those held there.

    Shape: `elsewhere` marks one who acts for units of other regions too: only ties are cut then.
    """

    row: OperatorRow
    units: Sequence[Unit]
    roles: Sequence[str]
    elsewhere: bool

    @property
    def allowed(self) -> Sequence[str]:
        """The acts on the whole account that are open to the agency now."""
        if self.elsewhere or self.row.demo or not self.units:
            return ()
        if self.row.status == DISABLED:
            return ("enable",)
        return ("reset", "disable") if self.row.status in (ACTIVE, INVITED) else ()


@dataclass(frozen=True, slots=True)
class UnitAccess:
    """Who acts for a unit, and which units it has linked or is linked by."""

    unit: Unit
    operators: Sequence[Overseen]
    linked: Sequence[Unit]
    linked_by: Sequence[Unit]


def find_units(actor: Actor, text: str, limit: int) -> list[Unit]:
    """The units of the actor's regions whose number, credit code or name says so. Raises: Forbidden."""
    require(actor, MAY)
    return units.search_units(actor.regions, text, limit=limit) if text else []


def find_operators(actor: Actor, text: str, limit: int) -> list[Overseen]:
    """The operators of the regions' units by the beginning of the phone or by name. Raises: Forbidden."""
    require(actor, MAY)
    if len(text) < (PHONE_LENGTH if text.isdigit() else 2):
        return []
    return _seen(actor, store.search_operators(actor.regions, text, limit))


def get_operator(actor: Actor, user_id: int) -> Overseen:
    """One operator of the actor's regions. Raises: Forbidden, NotFound."""
    require(actor, MAY)
    row = store.find_operator(user_id)
    found = _seen(actor, [row])[0] if row is not None else None
    if found is None or not found.units:
        raise NotFound("operator")
    return found


def history(actor: Actor, user_id: int) -> list[AccountEventRow]:
    """What happened to an operator's account, newest first. Raises: Forbidden, NotFound."""
    get_operator(actor, user_id)
    return list_events(user_id, SHOWN)


def access_of(actor: Actor, employer_no: str) -> UnitAccess:
    """Who acts for a unit of the actor's regions. Raises: Forbidden, NotFound."""
    require(actor, MAY)
    unit = _unit(actor, employer_no=employer_no)
    rows = store.list_operators(unit.id)
    linked = unit_links.linked_by(unit.id)
    around = unit_links.linking(unit.id)
    known = {each.id: each for each in units.units_of(actor.regions, linked | around)}
    return UnitAccess(
        unit,
        _seen(actor, rows),
        [known[each] for each in sorted(linked) if each in known],
        [known[each] for each in sorted(around) if each in known],
    )


def reset(actor: Actor, user_id: int, reason: str, now: datetime, address: str = "") -> None:
    """Take an operator's password away; a message says how to set a new one.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    nobody, words = activating.no_password(), _reason(reason)
    with transaction():
        _whole(actor, user_id)
        before = operator_acts.take_password(lock_user(user_id), nobody, RESET_WORDS, now)
        _record("agency.reset", actor, user_id, words, address, {"before": before, "after": INVITED})


def disable(actor: Actor, user_id: int, reason: str, now: datetime, address: str = "") -> int:
    """Keep an operator out; gives how many unfinished cases others go on with.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    words = _reason(reason)
    with transaction():
        found = _whole(actor, user_id)
        store.lock_employers(found.row.employer_ids)
        before = operator_acts.shut(lock_user(user_id))
        handed = operator_acts.hand_over(actor, found.row, found.row.employer_ids, now)
        detail = {"before": before, "after": DISABLED, "handed_over": handed}
        _record("agency.disabled", actor, user_id, words, address, detail)
    return handed


def enable(actor: Actor, user_id: int, reason: str, now: datetime, address: str = "") -> None:
    """Let a disabled operator in again, with a password that he sets by a code.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    words = _reason(reason)
    with transaction():
        _whole(actor, user_id)
        operator_acts.let_in(lock_user(user_id))
        _record("agency.enabled", actor, user_id, words, address, {"before": DISABLED, "after": INVITED})


def remove(
    actor: Actor, user_id: int, employer_no: str, reason: str, now: datetime, address: str = ""
) -> int:
    """End an operator's acting for one unit; an account that is left with none is closed.

    Gives how many unfinished cases others go on with. Raises: Rejected, Forbidden, NotFound.
    """
    words = _reason(reason)
    with transaction():
        unit = _tied(actor, user_id, employer_no)
        store.lock_employers([unit.id])
        found = get_operator(actor, user_id)
        if unit.id not in found.row.employer_ids:
            raise NotFound("employer")
        if found.row.demo:
            raise Rejected([FieldError("", "operator.demo", WORDS["operator.demo"])])
        user = lock_user(user_id)
        operator_acts.cut(found.row, user, [unit.id])
        if all(each.region != unit.region for each in found.units if each.id != unit.id):
            # roles are of a region: without a unit there nothing is left that they are for
            store.set_roles(user_id, unit.region, [])
        handed = operator_acts.hand_over(actor, found.row, [unit.id], now)
        detail = {"employer": unit.id, "after": user.status, "handed_over": handed}
        _record("agency.removed", actor, user_id, words, address, detail)
    return handed


def unlink(actor: Actor, employer_no: str, linked_no: str, reason: str, address: str = "") -> None:
    """Take a linked unit away from all operators of the unit that linked it.

    Raises: Rejected, Forbidden, NotFound.
    """
    require(actor, MAY)
    words = _reason(reason)
    own, linked = (_unit(actor, employer_no=number) for number in (employer_no, linked_no))
    with transaction():
        store.lock_employers([own.id, linked.id])
        if linked.id not in unit_links.linked_by(own.id):
            raise Rejected([FieldError("", "employer_link.not_linked", NOT_LINKED)])
        detail = {"employer": own.id, "unlinked": linked.id}
        for user_id in sorted(unit_links.cut(own.id, linked.id)):
            _record("agency.unlinked", actor, user_id, words, address, detail)


def left_without_admin(actor: Actor, user_id: int, employer_no: str = "") -> list[Unit]:
    """The units that would have no admin who can sign in, without this operator: there, or everywhere.

    Raises: Forbidden, NotFound.
    """
    found = get_operator(actor, user_id)
    asked = {each.id: each for each in found.units if not employer_no or each.employer_no == employer_no}
    left = rules.left_without_admin(store.admins_of(list(asked), [ACTIVE]), user_id, ())
    return [asked[each] for each in left]


def _seen(actor: Actor, rows: Sequence[OperatorRow]) -> list[Overseen]:
    wanted = {each for row in rows for each in row.employer_ids}
    known = {each.id: each for each in units.units_of(actor.regions, wanted)}
    found = []
    for row in rows:
        own = [known[each] for each in row.employer_ids if each in known]
        places = {"", *(each.region for each in own)}
        roles = [role for role, region in row.roles if region in places and role in EMPLOYER_ROLES]
        found.append(Overseen(row, own, list(dict.fromkeys(roles)), len(own) < len(row.employer_ids)))
    return found


def _unit(actor: Actor, *, employer_no: str) -> Unit:
    found = units.find_unit(actor.regions, employer_no=employer_no)
    if found is None:
        raise NotFound("employer")
    return found


def _tied(actor: Actor, user_id: int, employer_no: str) -> Unit:
    """The unit of the actor's regions that an operator acts for. Raises: Forbidden, NotFound."""
    found = get_operator(actor, user_id)
    unit = next((each for each in found.units if each.employer_no == employer_no), None)
    if unit is None:
        raise NotFound("employer")
    return unit


def _whole(actor: Actor, user_id: int) -> Overseen:
    """The operator, where all that the account acts for lies in the actor's regions. Raises: Rejected."""
    found = get_operator(actor, user_id)
    if found.row.demo:
        raise Rejected([FieldError("", "operator.demo", WORDS["operator.demo"])])
    if found.elsewhere:
        raise Rejected([FieldError("", "oversight.elsewhere", ELSEWHERE)])
    return found


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if len(words) not in REASON:
        told = f"请填写原因，{REASON.start} 至 {REASON.stop - 1} 个字"
        raise Rejected([FieldError("reason", "oversight.reason", told)])
    return words


def _record(
    action: str, actor: Actor, user_id: int, reason: str, address: str, detail: dict[str, Any]
) -> None:
    account_log.record(
        action, user_id=user_id, actor=actor, address=address, detail={**detail, "reason": reason}
    )
