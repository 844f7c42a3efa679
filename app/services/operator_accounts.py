"""An employer's admin looks after its operators; each act is recorded, old and new, with the act itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import operator as rules
from app.domain.operator import ACTIVE, ADMIN, DISABLED, INVITED, REMOVED
from app.domain.permission import EMPLOYER_ROLES
from app.errors import FieldError, NotFound, Rejected
from app.services import account_log, activating, operator_acts, throttle
from app.services.actors import Actor, require, require_employer
from app.services.sms import send_sms
from app.store import accounts as users
from app.store import operators as store
from app.store.account_events import AccountEventRow, list_events
from app.store.constraints import Duplicate
from app.store.employers import get_employer
from app.store.operators import OperatorRow
from app.store.session import transaction
from app.store.sign_in import lock_user

# The words are message ids of the translation catalogue.
WORDS = {
    "operator.phone": "请输入 11 位手机号码，手机号码即登录用户名",
    "operator.name": "请输入姓名，不含空格和尖括号",
    "operator.roles": "请至少选择一个角色",
    "operator.employers": "请至少选择一个单位",
    "operator.taken": "该手机号码已有账号，不能重复添加；为其他单位办理的人员请更换手机号码或到经办机构办理",
    "operator.last_admin": "单位至少要有一名可以登录的管理员，请先将其他操作员设为管理员",
    "operator.shared": "该操作员还为您管理范围以外的单位办理，只能取消其与本单位的关系",
    "operator.demo": "演示账号由所有访问者共用，不能修改",
    "operator.own": "不能停用或删除自己的账号",
    "operator.busy": "添加操作员和重置密码的次数过多，请一小时后再试",
}
ADDED_WORDS = (
    "【医保单位网厅】{admin}已为您开通{employer}的网厅账号，用户名为本手机号码。"
    "请在网厅登录页点击“激活账号”设置密码。"
)
RESET_WORDS = "【医保单位网厅】您的网厅账号密码已由单位管理员重置。请在网厅登录页点击“激活账号”重新设置密码。"
MESSAGES_PER_HOUR = 30
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as the admin's pages show one. `roles` are those of the employer's region; `own` marks the
    admin himself, `shared` somebody who also acts for employers of other admins."""

    row: OperatorRow
    roles: Sequence[str]
    own: bool
    shared: bool

    @property
    def fixed(self) -> bool:
        """Whether only the tie to the own employers may be cut."""
        return self.shared or self.row.demo


def list_operators(actor: Actor) -> list[Operator]:
    """List the operators of the current employer. Raises: Forbidden, NotFound."""
    region = _region(actor)
    return [_seen(actor, row, region) for row in store.list_operators(require_employer(actor, None))]


def get_operator(actor: Actor, user_id: int) -> Operator:
    """One operator of the admin's employers. Raises: Forbidden, NotFound."""
    region, row = _region(actor), store.find_operator(user_id)
    if row is None or not set(row.employer_ids) & actor.employer_ids:
        raise NotFound("operator")
    return _seen(actor, row, region)


def history(actor: Actor, user_id: int) -> list[AccountEventRow]:
    """What happened to an operator's account, newest first; nothing of one that others look after too.

    Raises: Forbidden, NotFound.
    """
    return [] if get_operator(actor, user_id).fixed else list_events(user_id, SHOWN)


def add(actor: Actor, data: Mapping[str, Any], now: datetime, address: str = "") -> int:
    """Add an operator; the phone becomes the account's name and gets a message how to activate it.

    Shape: data has username, name, roles and employers (ids). A removed account comes back.
    Raises: Rejected, Forbidden, NotFound.
    """
    region = _region(actor)
    phone, name = str(data.get("username") or "").strip(), str(data.get("name") or "").strip()
    roles, employers = _chosen(data)
    _refuse(rules.check_operator(phone, name, roles, employers, actor.employer_ids))
    _check_pace(actor)
    values = activating.new_account(phone, name)
    try:
        with transaction():
            store.lock_employers(employers)
            user_id = _revived(phone, values) or _made(values)
            store.set_roles(user_id, region, roles)
            store.link([user_id], employers)
            employer = get_employer(require_employer(actor, None)).name
            send_sms(None, phone, ADDED_WORDS.format(admin=actor.name, employer=employer), now)
            detail = {"after": {"roles": sorted(roles), "employers": sorted(employers)}}
            account_log.record("operator.added", user_id=user_id, actor=actor, address=address, detail=detail)
    except Duplicate:
        raise _refusal("username", "operator.taken") from None
    return user_id


def change(actor: Actor, user_id: int, data: Mapping[str, Any], address: str = "") -> None:
    """Give an operator another name, roles and employers. Raises: Rejected, Forbidden, NotFound."""
    region, name = _region(actor), str(data.get("name") or "").strip()
    roles, employers = _chosen(data)
    with transaction():
        store.lock_employers(actor.employer_ids)
        found = _managed(actor, user_id)
        row = found.row
        _refuse(
            [
                each
                for each in rules.check_operator(row.username, name, roles, employers, actor.employer_ids)
                if each[0] != "username"
            ]
        )
        _keep_admin(actor, user_id, employers if ADMIN in roles else ())
        user = lock_user(user_id)
        before = {"name": user.name, "roles": sorted(found.roles), "employers": sorted(row.employer_ids)}
        after = {"name": name, "roles": sorted(roles), "employers": sorted(employers)}
        if before == after:
            return
        user.name = name
        store.set_roles(user_id, region, roles)
        store.unlink([user_id], set(row.employer_ids) - set(employers))
        store.link([user_id], employers)
        if before["roles"] != after["roles"]:
            # what is open in a browser was made for the old roles
            user.session_version += 1
        detail = {"before": before, "after": after}
        account_log.record("operator.changed", user_id=user_id, actor=actor, address=address, detail=detail)


def reset(actor: Actor, user_id: int, now: datetime, address: str = "") -> None:
    """Take an operator's password away and end his sessions; a message says how to set a new one.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    _check_pace(actor)
    nobody = activating.no_password()
    with transaction():
        _managed(actor, user_id)
        before = operator_acts.take_password(lock_user(user_id), nobody, RESET_WORDS, now)
        detail = {"before": {"status": before}, "after": {"status": INVITED}}
        account_log.record("operator.reset", user_id=user_id, actor=actor, address=address, detail=detail)


def disable(actor: Actor, user_id: int, now: datetime, address: str = "") -> int:
    """Keep an operator out; his drafts and pending records go to the admin. Gives how many these were.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    with transaction():
        store.lock_employers(actor.employer_ids)
        found = _managed(actor, user_id)
        _not_oneself(actor, user_id)
        _keep_admin(actor, user_id, ())
        before = operator_acts.shut(lock_user(user_id))
        handed = operator_acts.hand_over(actor, found.row, _own(actor, found), now)
        detail = {
            "before": {"status": before}, "after": {"status": DISABLED}, "handed_over": handed,
        }  # fmt: skip
        account_log.record("operator.disabled", user_id=user_id, actor=actor, address=address, detail=detail)
    return handed


def enable(actor: Actor, user_id: int, address: str = "") -> None:
    """Let a disabled operator in again, with a password that he sets by a code.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    with transaction():
        _managed(actor, user_id)
        operator_acts.let_in(lock_user(user_id))
        detail = {"before": {"status": DISABLED}, "after": {"status": INVITED}}
        account_log.record("operator.enabled", user_id=user_id, actor=actor, address=address, detail=detail)


def remove(actor: Actor, user_id: int, now: datetime, address: str = "") -> None:
    """Cut an operator's tie to the admin's employers; an account that is left with none is closed.

    Raises: Rejected, Conflict, Forbidden, NotFound.
    """
    with transaction():
        store.lock_employers(actor.employer_ids)
        found = get_operator(actor, user_id)
        if found.row.demo:
            raise _refusal("", "operator.demo")
        _not_oneself(actor, user_id)
        _keep_admin(actor, user_id, ())
        own, user = _own(actor, found), lock_user(user_id)
        before = user.status
        operator_acts.cut(found.row, user, own)
        handed = operator_acts.hand_over(actor, found.row, own, now)
        detail = {
            "before": {"status": before, "employers": sorted(found.row.employer_ids)},
            "after": {"status": user.status, "employers": sorted(set(found.row.employer_ids) - own)},
            "handed_over": handed,
        }
        account_log.record("operator.removed", user_id=user_id, actor=actor, address=address, detail=detail)


def _check_pace(actor: Actor) -> None:
    """Few messages an hour go out, and few questions whether a phone has an account. Raises: Rejected."""
    if throttle.add(f"operators:{actor.id}", 3600) > MESSAGES_PER_HOUR:
        raise _refusal("", "operator.busy")


def _region(actor: Actor) -> str:
    require(actor, "operator.manage")
    return get_employer(require_employer(actor, None)).region


def _seen(actor: Actor, row: OperatorRow, region: str) -> Operator:
    roles = [role for role, where in row.roles if where in ("", region) and role in EMPLOYER_ROLES]
    shared = not set(row.employer_ids) <= actor.employer_ids or any(
        where not in ("", region) for _, where in row.roles
    )
    return Operator(row, roles, row.id == actor.id, shared)


def _managed(actor: Actor, user_id: int) -> Operator:
    """The operator, where all of the account is this admin's to look after. Raises: Rejected, NotFound."""
    found = get_operator(actor, user_id)
    if found.row.demo:
        raise _refusal("", "operator.demo")
    if found.shared:
        raise _refusal("", "operator.shared")
    return found


def _chosen(data: Mapping[str, Any]) -> tuple[set[str], set[int]]:
    return set(data.get("roles") or ()), {int(each) for each in data.get("employers") or ()}


def _keep_admin(actor: Actor, user_id: int, stays_admin_of: Collection[int]) -> None:
    admins = store.admins_of(actor.employer_ids, [ACTIVE])
    if rules.left_without_admin(admins, user_id, stays_admin_of):
        raise _refusal("roles", "operator.last_admin")


def _not_oneself(actor: Actor, user_id: int) -> None:
    if user_id == actor.id:
        raise _refusal("", "operator.own")


def _own(actor: Actor, found: Operator) -> set[int]:
    return set(found.row.employer_ids) & actor.employer_ids


def _made(values: dict[str, Any]) -> int:
    store.add_account(values)
    return int(values["id"])


def _revived(phone: str, values: Mapping[str, Any]) -> int | None:
    """Bring a removed account of the phone back, without its old password. Raises: Duplicate."""
    known = users.find_user(phone)
    if known is None:
        return None
    user = lock_user(known.id)
    if user.status != REMOVED:
        raise Duplicate("username")
    user.name, user.status, user.must_change_password = values["name"], INVITED, True
    user.password_hash = values["password_hash"]
    user.current_employer_id = None
    user.session_version += 1
    return int(user.id)


def _refuse(problems: Sequence[tuple[str, str]]) -> None:
    if problems:
        raise Rejected([FieldError(field, code, WORDS[code]) for field, code in problems])


def _refusal(field: str, code: str) -> Rejected:
    return Rejected([FieldError(field, code, WORDS[code])])
