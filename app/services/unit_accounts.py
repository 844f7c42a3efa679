"""The rules and effects of a unit's registration in the hall: `employer_registration`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.domain import employer_account as rules
from app.domain.calendar import month_of
from app.domain.employer_account import UnitFacts, phone_of
from app.domain.operator import ACTIVE, ADMIN, DISABLED, INVITED, REMOVED
from app.domain.problem import Verdict
from app.errors import Conflict
from app.services import account_log, activating, codes, subjects
from app.services.actors import EMPLOYER, Actor
from app.services.cases import Case
from app.services.filing import CHANNEL_COUNTER
from app.services.handling import Handling, Result
from app.services.host import Context
from app.services.results import Amounts
from app.services.sms import send_sms
from app.store import accounts as users
from app.store import contacts, operators
from app.store import units as store
from app.store.employers import funds_of
from app.store.sign_in import lock_user
from app.store.units import UnitRow

KIND = "employer_registration"
SUBJECTS = (
    ("单位信息核对", (f"{KIND}.no_match", f"{KIND}.ended")),
    ("网厅账号", (f"{KIND}.registered", f"{KIND}.no_phone")),
    ("重复申报", (f"{KIND}.one_open",)),
)
OPENED_WORDS = (
    "【医保单位网厅】{employer}的网厅账号已开通，用户名为本手机号码。请在网厅登录页点击“激活账号”设置密码。"
)
# accounts in these states keep a unit registered
STANDING = (ACTIVE, INVITED, DISABLED)


def facts_of(unit: UnitRow, phone: str, month: str) -> UnitFacts:
    """What the rules ask about a unit, with the phone that its account would have."""
    return UnitFacts(
        unit.employer_no,
        unit.credit_code,
        unit.status,
        phone,
        funds_of(unit.id, month),
        has_account=bool(operators.admins_of([unit.id], STANDING)),
        phone_taken=bool(phone) and not usable(phone, unit),
    )


def stated(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a form states of the unit itself."""
    return {name: data[name] for name in ("employer_no", "credit_code", "funds") if name in data}


def judge(case: Case, today: date) -> Verdict:
    """Compare the form with the registry; another open registration refuses too."""
    unit = store.get_unit(case.declaration.employer_id)
    phone = str(case.data.get("contact_mobile") or "") or phone_of(unit.details)
    given = stated(case.data)
    found = rules.check_registration(facts_of(unit, phone, month_of(today)), given, next(iter(given), ""))
    return subjects.with_open_case(case, found, f"{KIND}.one_open")


def settle(_case: Case, _today: date) -> dict[str, Any]:
    """Nothing of a registration leads a diagram another way."""
    return {}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A registration costs nothing."""
    return None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Make the account an admin of the unit: the applicant's, whose phone was proved, or a new one that is
    told by message how to be activated. Raises: Conflict."""
    row = case.declaration
    unit = store.get_unit(row.employer_id)
    case.effect_once(f"{KIND}.apply", now, {})
    if row.channel == CHANNEL_COUNTER:
        user_id = _accept_at_counter(case, unit, now)
    else:
        user_id = row.created_by_id
        if lock_user(user_id).status != ACTIVE:
            raise Conflict("账号尚未激活")
    make_admin(unit, user_id)
    row.result_code = f"{KIND}.accepted"
    row.result_message = case.message(row.result_code)
    detail = {"employer": unit.id, "declaration": row.id}
    account_log.record("employer.registered", user_id=user_id, detail=detail)
    return None


def _accept_at_counter(case: Case, unit: UnitRow, now: datetime) -> int:
    """Open the account of the person named at the counter, who is on record from now on, else of the one on
    record."""
    stated_now = {name: case.data[name] for name in ("contact_name", "contact_mobile") if case.data.get(name)}
    details = {**unit.details, **stated_now}
    phone = str(stated_now.get("contact_mobile") or phone_of(unit.details))
    user_id = open_account(unit, str(details.get("contact_name") or ""), phone)
    if stated_now:
        data = contacts.employer_data(unit.id) | stated_now
        case.employer_updates.append(contacts.employer_row(unit.id, data))
    invite(case, unit, phone, now)
    return user_id


def open_account(unit: UnitRow, name: str, phone: str) -> int:
    """The account of a phone, made where there is none; nobody can sign in to a new one yet.

    Raises: Conflict where the phone is somebody's who must not become an admin here; Duplicate in a race.
    """
    known = users.find_user(phone)
    if known is None:
        values = activating.new_account(phone, name or phone)
        operators.add_account(values)
        return int(values["id"])
    if not usable(phone, unit):
        raise Conflict("该手机号码不能用于开通账号")
    if known.status == REMOVED:
        user = lock_user(known.id)
        user.name, user.status, user.password_hash = name or phone, INVITED, activating.no_password()
        user.session_version += 1
    return int(known.id)


def make_admin(unit: UnitRow, user_id: int) -> None:
    """Let an account act as the unit's admin, beside the roles that it has."""
    known = [role for role, region in users.roles_of(user_id) if region == unit.region]
    operators.set_roles(user_id, unit.region, [*known, ADMIN])
    operators.link([user_id], [unit.id])


def invite(case: Case, unit: UnitRow, phone: str, now: datetime) -> None:
    """Tell a new account's owner by message how to activate it."""
    send_sms(case, phone, OPENED_WORDS.format(employer=unit.name), now)


def applicant(unit: UnitRow, user_id: int, name: str, username: str) -> Actor:
    """The account that a unit registers with, acting for this one unit."""
    return Actor(
        user_id, name, username, EMPLOYER, frozenset({ADMIN}), frozenset(), frozenset({unit.id}), unit.id
    )


def send_code(context: Context) -> Result:
    """Send the code to the phone of the account that the unit registers with."""
    case = context.case
    user = lock_user(case.declaration.created_by_id)
    subject = codes.subject_of_user(user.id)
    codes.send_code(case, subject, activating.PURPOSE, user.username, activating.CODE_WORDS, context.now)
    return None


def expire(context: Context) -> Result:
    """Close a registration that nobody finished: the unit may begin again."""
    row = context.case.declaration
    row.result_code = f"{row.kind}.expired"
    row.result_message = context.case.message(row.result_code)
    return None


def usable(phone: str, unit: UnitRow) -> bool:
    """Whether a phone's account may become this unit's admin: a new one, or one that nobody else's rights
    would grow by (roles are of a whole region)."""
    known = users.find_user(phone)
    if known is None or known.status == REMOVED:
        return True
    row = operators.find_operator(known.id)
    if row is None or row.demo or row.status == DISABLED:
        return False
    others = set(row.employer_ids) - {unit.id}
    return not others or (ADMIN, unit.region) in row.roles


HANDLING = Handling(judge, settle, trial_of, subjects=SUBJECTS, accept=accept)
