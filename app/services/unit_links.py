"""Linking an employer's other unit numbers, proved by the phone on record there: `employer_link`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.domain import employer_account as rules
from app.domain.calendar import month_of
from app.domain.declaration import APPROVED
from app.domain.employer_account import phone_of
from app.domain.operator import ADMIN
from app.domain.problem import Verdict
from app.services import account_log, codes, subjects, throttle, unit_accounts
from app.services.cases import Case
from app.services.filing import CHANNEL_COUNTER
from app.services.handling import Handling, Result
from app.services.host import Context
from app.services.results import Amounts
from app.store import accounts as users
from app.store import operators
from app.store import units as store
from app.store.employers import get_employer
from app.store.units import UnitRow

KIND, VERIFY, PURPOSE = "employer_link", "verify", "link"
LINKED = "linked_employer"
CODE_WORDS = (
    "【医保单位网厅】验证码{code}，10分钟内有效，用于将贵单位关联到{employer}的网厅账号。"
    "如非本单位办理，请勿告诉他人。"
)
SUBJECTS = (("单位信息核对", (f"{KIND}.",)), ("重复申报", (f"{KIND}.one_open",)))


def judge(case: Case, today: date) -> Verdict:
    """Compare the form with the registry; only an admin links, and one link at a time."""
    row, unit = case.declaration, _unit_of(case)
    facts = unit_accounts.facts_of(unit, phone_of(unit.details), month_of(today)) if unit else None
    roles = users.roles_of(row.created_by_id)
    by_admin = row.channel == CHANNEL_COUNTER or (ADMIN, row.region) in roles
    linked = unit is not None and unit.id in linked_by(row.employer_id)
    own = case.registry.employer(row.employer_id).employer_no
    found = rules.check_link(own, facts, unit_accounts.stated(case.data), linked=linked, by_admin=by_admin)
    return subjects.with_open_case(case, found, f"{KIND}.one_open")


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix which unit it is."""
    unit = _unit_of(case)
    if unit is not None:
        case.declaration.facts = {**case.declaration.facts, LINKED: unit.id}
    return {}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A link costs nothing."""
    return None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Let every operator of the employer act for the linked unit too."""
    row = case.declaration
    case.effect_once(f"{KIND}.apply", now, {LINKED: row.facts[LINKED]})
    staff = [each.id for each in operators.list_operators(row.employer_id)]
    operators.link(staff, [row.facts[LINKED]])
    row.result_code = f"{KIND}.accepted"
    row.result_message = case.message(row.result_code)
    detail = {"employer": row.employer_id, "linked": row.facts[LINKED], "operators": sorted(staff)}
    account_log.record("employer.linked", user_id=row.created_by_id, detail=detail)
    return None


def send_code(context: Context) -> Result:
    """Send the code to the phone on record of the unit that is to be linked."""
    send(context.case, context.case, context.now)
    return None


def linked_by(employer_id: int) -> set[int]:
    """The units that were linked and that somebody of the employer still acts for."""
    found = operators.fact_values(employer_id, KIND, APPROVED, LINKED)
    staff = operators.list_operators(employer_id)
    return found & {each for row in staff for each in row.employer_ids}


def linking(employer_id: int) -> set[int]:
    """The units that have linked this one, and whose people still act for it."""
    acting = {each for row in operators.list_operators(employer_id) for each in row.employer_ids}
    return operators.employers_noting(acting - {employer_id}, KIND, APPROVED, LINKED, employer_id)


def cut(employer_id: int, linked_id: int) -> list[int]:
    """Take a linked unit away from all operators of the unit that linked it; gives their ids."""
    staff = [each.id for each in operators.list_operators(employer_id)]
    operators.unlink(staff, [linked_id])
    return staff


def _unit_of(case: Case) -> UnitRow | None:
    number = str(case.data.get("employer_no") or "").upper()
    return store.find_unit(case.declaration.region, employer_no=number) if number else None


def send(case: Case, through: Case | None, now: datetime) -> None:
    """Send a code to the linked unit's phone: with what the case gathers (`through`), or at once.

    Raises: Rejected (`code`).
    """
    row = case.declaration
    # a link that is begun again is a new case: its codes and tries must not begin again with it
    if throttle.add(f"link:{row.employer_id}:{row.facts[LINKED]}", 3600) > codes.SENT_PER_HOUR:
        raise codes.too_many()
    unit = store.get_unit(row.facts[LINKED])
    words = CODE_WORDS.replace("{employer}", get_employer(row.employer_id).name)
    codes.send_code(through, codes.subject_of_case(row.id), PURPOSE, phone_of(unit.details), words, now)


HANDLING = Handling(judge, settle, trial_of, subjects=SUBJECTS, accept=accept)
