"""A unit registers itself in the hall: matched with the registry, then proved by its phone on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.definitions.current import current_bundle, parameters, regions
from app.domain.calendar import month_of
from app.domain.declaration import SUBMITTED
from app.domain.employer_account import agrees, check_registration, phone_of
from app.domain.identity import mask_phone
from app.domain.problem import problem_text
from app.errors import FieldError, NotFound, Rejected
from app.formspec.form import Form
from app.services import account_log, activating, codes, filing, host, throttle, unit_accounts
from app.services.actions import load_cases, run
from app.services.actors import SYSTEM
from app.services.cases import write
from app.services.filing import CHANNEL_ONLINE
from app.services.incidents import Attempt
from app.services.registry import Registry
from app.services.unit_accounts import KIND
from app.store import declarations, operators
from app.store import units as store
from app.store.accounts import get_user
from app.store.constraints import Duplicate
from app.store.crypto import blind
from app.store.ids import new_reference
from app.store.session import end_read
from app.store.units import UnitRow

ACTIVATE = "activate"
UNIT_LIMIT, UNIT_WINDOW_SECONDS = 10, 3600
BUSY_UNIT = "该单位的注册尝试次数过多，请一小时后再试，或到参保地经办机构办理。"
NOT_HERE = "该统筹区不提供网上注册，请到参保地经办机构开通账号。"


@dataclass(frozen=True, slots=True)
class Place:
    """A region to register in; `online` is false where the agency opens accounts at its counter."""

    region: str
    name: str
    agency: str
    online: bool


@dataclass(frozen=True, slots=True)
class Started:
    """A registration that waits for its code."""

    reference: str
    user_id: int
    employer_name: str
    phone_masked: str


def places() -> list[Place]:
    """The regions of the installation."""
    found = []
    for region, name in regions():
        spoken = parameters(region)
        found.append(Place(region, name, spoken.agency, spoken.offers(KIND)))
    return found


def form_of(region: str) -> Form:
    """The form of a region. Raises: Rejected where accounts are opened at the counter only."""
    if not parameters(region).offers(KIND):
        raise Rejected([FieldError("region", f"{KIND}.not_here", NOT_HERE)])
    return current_bundle(KIND, region).form(KIND)


def fund_choices(region: str) -> Sequence[tuple[str, str]]:
    """The funds of a region, for the form that asks for them."""
    return [(fund.code, fund.name) for fund in parameters(region).funds]


def look_up(region: str, place: int) -> UnitRow | None:
    """A unit of the demonstration by the end of its number, so that its page can name it."""
    return store.find_unit(region, employer_no=f"{region}{place:05d}")


def register(region: str, data: Mapping[str, Any], address: str, now: datetime) -> Started:
    """Match a unit with the registry and send the code to its phone on record.

    A registration that is open already goes on. Everything wrong is answered alike until all that was
    stated agrees. Raises: Rejected, Conflict, ServiceFailure.
    """
    activating.check_address(address)
    form = form_of(region)
    values = filing.typed(form, data, now)
    values = {name: value.upper() if isinstance(value, str) else value for name, value in values.items()}
    activating.count_attempt(address)
    _check_pace(region, values)

    def body() -> Started:
        return _register(region, values, address, now)

    try:
        return run(lambda: Attempt("register", {"region": region}, SYSTEM, region), now, body)
    except Duplicate:
        # the other of two clicks was faster: its registration is this one's too
        return run(lambda: Attempt("register", {"region": region}, SYSTEM, region), now, body)


def complete(user_id: int, now: datetime) -> None:
    """Finish, in the open transaction, the registrations that waited for an account's activation."""
    for reference in operators.waiting_references(user_id, KIND, SUBMITTED):
        cases = load_cases([reference])
        for case in cases:
            unit, user = store.get_unit(case.declaration.employer_id), get_user(user_id)
            actor = unit_accounts.applicant(unit, user_id, user.name, user.username)
            host.complete(case, ACTIVATE, {}, actor, now)
        write(cases)


def _register(region: str, values: dict[str, Any], address: str, now: datetime) -> Started:
    rules = parameters(region)
    unit = store.find_unit(
        region, employer_no=values.get("employer_no", ""), credit_code=values.get("credit_code", "")
    )
    phone = phone_of(unit.details) if unit is not None else ""
    facts = unit_accounts.facts_of(unit, phone, month_of(now)) if unit is not None else None
    waiting = declarations.list_references(unit.id, KIND, (SUBMITTED,), 0, 1) if unit else []
    if unit is not None and waiting and agrees(facts, values):
        return _go_on(unit, waiting[0][1], now)
    verdict = check_registration(facts, values, next(iter(values)))
    if unit is None or verdict.problems:
        raise Rejected(
            [FieldError(each.field, each.code, problem_text(rules, each)) for each in verdict.problems]
        )
    name = str(unit.details.get("contact_name") or unit.name)[:64]
    # a case is filed by somebody: the account that nobody can sign in to yet
    user_id = unit_accounts.open_account(unit, name, phone)
    actor, registry = unit_accounts.applicant(unit, user_id, name, phone), Registry()
    case = host.new_case(
        actor, KIND, registry.employer(unit.id), values, now, reference=new_reference(now.date()),
        channel=CHANNEL_ONLINE, bundle=current_bundle(KIND, region), parameters=rules, registry=registry,
    )  # fmt: skip
    filing.fill(case, actor, now, submit_now=False)
    write([case])
    detail = {"employer": unit.id, "declaration": case.declaration.id}
    account_log.record("registration.started", user_id=user_id, address=address, detail=detail)
    return Started(case.declaration.reference, user_id, unit.name, mask_phone(phone))


def _go_on(unit: UnitRow, reference: str, now: datetime) -> Started:
    row = declarations.find_declaration(reference)
    if row is None:
        raise NotFound("declaration")
    user = get_user(row.created_by_id)
    subject = codes.subject_of_user(user.id)
    # too soon for another one: the code that was sent a moment ago is still good
    with suppress(Rejected):
        codes.send_code(None, subject, activating.PURPOSE, user.username, activating.CODE_WORDS, now)
    return Started(reference, user.id, unit.name, mask_phone(user.username))


def _check_pace(region: str, values: Mapping[str, Any]) -> None:
    """A unit is tried a few times an hour, from wherever. Raises: Rejected."""
    stated = values.get("employer_no") or values.get("credit_code") or ""
    key = blind(f"register{region}{stated}").hex()[:32]
    end_read()
    if throttle.add(f"register:{key}", UNIT_WINDOW_SECONDS) > UNIT_LIMIT:
        raise Rejected([FieldError("", f"{KIND}.busy", BUSY_UNIT)])
