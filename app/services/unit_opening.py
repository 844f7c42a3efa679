"""A unit that the registry does not have yet, entered at the counter: `employer_opening`.

The case needs a unit to belong to. The unit is therefore made with it, with a number and the status
`applying`; approval makes it active, with its funds and its admin's account, anything else makes it void.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.domain import employer_account as rules
from app.domain.calendar import add_months, month_of
from app.domain.employer_account import OpeningFacts
from app.domain.identity import normalise
from app.domain.problem import Verdict
from app.services import account_log, subjects, unit_accounts
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.host import Context
from app.services.results import Amounts
from app.store import units as store
from app.store.units import APPLYING, VOID

KIND = "employer_opening"
# a unit in these states has a number and is none yet, or none any more
UNMADE = (APPLYING, VOID)
SUBJECTS = (
    ("单位信息", ("credit_code.", f"{KIND}.known", f"{KIND}.standing")),
    ("参保信息", (f"{KIND}.month_limits", f"{KIND}.fund_not_here")),
    ("专管员", (f"{KIND}.phone",)),
    ("重复申报", (f"{KIND}.one_open",)),
)
_DETAILS = ("address", "postcode", "contact_name", "contact_mobile", "bank_name", "bank_account_name")


def judge(case: Case, today: date) -> Verdict:
    """Judge the form: the unit is new, its code is well-formed, its phone may have an account."""
    row, data, parameters = case.declaration, case.data, case.parameters
    unit, month = store.get_unit(row.employer_id), month_of(today)
    code = normalise(str(data.get("credit_code") or ""))
    others = [each.employer_no for each in store.same_credit_code(row.region, code) if each.id != unit.id]
    facts = OpeningFacts(
        applying=unit.status == APPLYING,
        known_as=others,
        funds=parameters.fund_codes(),
        earliest=add_months(month, -parameters.integer("employer_opening.max_months_back", month)),
        latest=add_months(month, parameters.integer("employer_opening.max_months_ahead", month)),
        phone_usable=unit_accounts.usable(str(data.get("contact_mobile") or ""), unit),
    )
    return subjects.with_open_case(case, rules.check_opening(data, facts), f"{KIND}.one_open")


def prepare(case: Case, _today: date) -> None:
    """Write the credit code as the registry keeps it."""
    case.data["credit_code"] = normalise(str(case.data.get("credit_code") or ""))


def current(_form: Any, _kind: str, employer_id: int, _person_id: int | None) -> dict[str, Any]:
    """What a blank form starts with: what was asked to begin."""
    unit = store.get_unit(employer_id)
    return {"employer_name": unit.name, "credit_code": unit.credit_code}


def settle(_case: Case, _today: date) -> dict[str, Any]:
    """Nothing leads the diagram another way."""
    return {}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """Nothing is charged before somebody is insured."""
    return None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Make the unit active, with its funds and its admin's account, and tell the admin by message."""
    row, data = case.declaration, case.data
    case.effect_once(f"{KIND}.apply", now, {"funds": list(data["funds"]), "from": data["start_month"]})
    values: Mapping[str, Any] = {
        "status": "active",
        "name": data["employer_name"],
        "credit_code": data["credit_code"],
        "unit_type": data["unit_type"],
        "management_type": data["management_type"],
        "details": {name: data[name] for name in _DETAILS if data.get(name)},
    }
    store.set_unit(row.employer_id, values, bank_account=str(data["bank_account"]))
    store.set_funds(row.employer_id, data["funds"], data["start_month"])
    unit = store.get_unit(row.employer_id)
    user_id = unit_accounts.open_account(unit, str(data["contact_name"]), str(data["contact_mobile"]))
    unit_accounts.make_admin(unit, user_id)
    unit_accounts.invite(case, unit, str(data["contact_mobile"]), now)
    row.result_code = f"{KIND}.accepted"
    row.result_message = case.message(row.result_code, employer_no=unit.employer_no)
    detail = {"employer": unit.id, "declaration": row.id}
    account_log.record("employer.registered", user_id=user_id, detail=detail)
    return None


def drop(context: Context) -> Result:
    """Give the number of an application up that nobody goes on with."""
    _void(context.case)
    context.case.note("discarded", context.actor, context.now)
    return None


def reject(context: Context) -> Result:
    """Give the number of a refused application up; there is no operator yet who could be told."""
    case = context.case
    _void(case)
    case.declaration.result_code = f"{KIND}.rejected"
    case.declaration.result_message = case.message(case.declaration.result_code)
    return None


def _void(case: Case) -> None:
    if store.get_unit(case.declaration.employer_id).status == APPLYING:
        store.set_unit(case.declaration.employer_id, {"status": VOID})


HANDLING = Handling(
    judge, settle, trial_of, prepare=prepare, current=current, subjects=SUBJECTS, accept=accept
)
