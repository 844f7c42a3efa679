"""The counter begins with a unit that the registry does not have yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.definitions.current import parameters
from app.domain.identity import check_credit_code
from app.errors import FieldError, Rejected
from app.services import filing
from app.services.actions import run
from app.services.actors import Actor, require, require_region
from app.services.cases import write
from app.services.incidents import Attempt
from app.services.unit_opening import KIND
from app.store import units as store
from app.store.ids import new_id
from app.store.units import APPLYING


@dataclass(frozen=True, slots=True)
class Begun:
    """A new unit's number and the draft that it goes on with."""

    employer_no: str
    reference: str


def begin(actor: Actor, region: str, data: Mapping[str, Any], now: datetime) -> Begun:
    """Give a new unit a number and open its draft. `confirmed` in the data lets a second unit of one credit
    code be entered. Raises: Rejected, Forbidden, NotFound.
    """
    require(actor, "counter.file")
    require_region(actor, region)
    name = " ".join(str(data.get("employer_name") or "").split())[:100]
    code, rules = check_credit_code(str(data.get("credit_code") or "")), parameters(region)
    errors = []
    if len(name) < 2:
        errors.append(FieldError("employer_name", f"{KIND}.name", rules.message(f"{KIND}.name")))
    if not code.valid:
        words = rules.message(f"credit_code.{code.reason}")
        errors.append(FieldError("credit_code", f"credit_code.{code.reason}", words))
    if errors:
        raise Rejected(errors)

    def body() -> Begun:
        known = [each.employer_no for each in store.same_credit_code(region, code.code)]
        if known and not data.get("confirmed"):
            words = rules.message(f"{KIND}.known").format(numbers="、".join(known))
            raise Rejected([FieldError("credit_code", f"{KIND}.known", words)])
        unit_id, number = new_id(), store.next_number(region)
        unit = {
            "id": unit_id, "region": region, "employer_no": number, "name": name,
            "credit_code": code.code, "unit_type": "", "status": APPLYING, "details": {},
        }  # fmt: skip
        store.add_unit(unit)
        target = filing.target_of(actor, KIND, unit_id)
        case = filing.open_case(actor, target, {"employer_name": name, "credit_code": code.code}, now)
        case.note("saved", actor, now)
        write([case])
        return Begun(number, case.declaration.reference)

    return run(lambda: Attempt("open_unit", {"region": region}, actor, region), now, body)
