"""What a person types into each city's form for one enrolment, and the same as the model reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.services.demo.cases import DemoPerson
from tests.matrix import model

# cities whose form asks for the day; the others ask for the month
BY_DAY = {"320100", "320500", "320700", "320800"}
BOXES = {"320100", "320500", "320700", "320800", "610500"}
WAGES = {"320600": "8000", "610500": "7500.55"}
WITHOUT_NAME = {"320100", "320600"}


@dataclass(frozen=True)
class Filled:
    """One filled form: as typed into the controls, and as the model reads it."""

    typed: dict[str, Any]
    form: model.Form

    @property
    def start_day(self) -> date | None:
        day = self.typed.get("start_date")
        return date.fromisoformat(day.replace("/", "-")) if day else None


def fill(
    city: model.City,
    citizen: DemoPerson,
    start: str,
    wage: str | None = "usual",
    funds: Any = None,
    **more: Any,
) -> Filled:
    """Fill the city's form; `start` is a day, `wage` None is left empty, `funds` None are the usual ones."""
    typed: dict[str, Any] = {"id_number": citizen.id_number}
    wage = WAGES.get(city.code, "9805") if wage == "usual" else wage
    boxes = None
    if city.code in BOXES:
        boxes = tuple(city.usual() if funds is None else funds)
        typed["funds"] = list(boxes)
    if city.code in BY_DAY:
        typed["start_date"] = start
    else:
        typed["start_month"] = start[:7].replace("-", "")
    if wage is not None:
        typed["wage_yuan"] = wage
    typed |= _rest(city.code, citizen)
    typed |= more
    form = model.Form(
        number=str(typed["id_number"]),
        start=start[:7],
        wage=None if wage is None else Decimal(wage),
        id_type=str(typed.get("id_type", "01")),
        name=str(typed.get("name", "")),
        funds=boxes,
        birth=date.fromisoformat(typed["birth_date"]) if typed.get("birth_date") else None,
        sex=str(typed.get("sex", "")),
        post=str(typed.get("post_category", "")),
    )
    return Filled(typed, form)


def _rest(code: str, citizen: DemoPerson) -> dict[str, Any]:
    if code == "320600":
        return {"post": "01", "education": "21"}
    if code == "320100":
        return {"phone": "13900000000"}
    typed = {
        "id_type": "01",
        "name": citizen.name,
        "ethnicity": "01",
        "phone": "13900000000",
        "first_work_date": "2020-01-01",
    }
    if code in ("320700", "320800"):
        typed |= {
            "bank_name": "示例银行",
            "bank_account_name": citizen.name,
            "bank_account": "6222000011112222",
        }
    return typed
