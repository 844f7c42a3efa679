"""A form of any kind filled in with something that its schema takes, and rules that take it."""

from typing import Any

from app.domain.problem import Verdict
from app.formspec.form import Form
from app.formspec.validate import validate
from app.services import kinds
from app.services.handling import Handling
from tests.fixtures.database import TEST_NOW

_BY_KIND = {
    "date": "2026-11-01",
    "month": "2026-11",
    "money": "8000",
    "integer": "12",
    "phone": "13900000000",
    "account": "6222000011112222",
    "email": "a@b.cn",
    "text": "示例内容",
    "textarea": "示例内容",
    "code": "910000000000000000",
    "check": True,
}
_TEXTS = ("示例内容", "226000", "13900000000", "0513-88888888", "12", "8000.00", "2026-11", "2026-11-01")
_DATES = ("2026-11-01", "2026-10-01", "2026-11-30", "2026-06-30")


def filled(form: Form, id_number: str, name: str) -> dict[str, Any]:
    """Values for everything that the form requires, found by trying; every test case says if none do."""
    data: dict[str, Any] = {}
    for _ in range(8):
        values = form.parse(data)
        errors = validate(form, values, today=TEST_NOW.date())
        if not errors:
            return values
        for error in errors:
            field = form.by_name.get(error.field)
            if field is not None:
                data[field.name] = _next(field, data.get(field.name), id_number, name)
    raise AssertionError(f"{form.name}: {[(each.field, each.message) for each in errors]}")


def another(form: Form, field_name: str, value: Any) -> Any:
    """A different value that the field takes too; None where there is none."""
    field = form.by_name[field_name]
    for choice in _choices(field, "", "改后"):
        data = {field_name: choice}
        if form.parse(data).get(field_name) in (value, [value]):
            continue
        wrong = validate(form, form.parse(data), partial=True, today=TEST_NOW.date())
        if not [each for each in wrong if each.field == field_name]:
            return choice
    return None


def _choices(field, id_number: str, name: str) -> list[Any]:
    if field.name == "people":
        return [id_number]
    if field.kind == "identity" or field.name.endswith("id_number"):
        return [id_number]
    if field.name == "name" or field.name.endswith("_name"):
        return [name, *_TEXTS]
    if field.choice:
        found = [option.value for option in field.options] or ["310"]
        return [[each] for each in found] if field.multiple else found
    if field.kind == "date":
        return [*_DATES]
    if field.kind == "month":
        return [each[:7] for each in _DATES]
    usual = _BY_KIND.get(field.kind, "示例内容")
    return [usual, *(text for text in _TEXTS if text != usual)]


def _next(field, tried: Any, id_number: str, name: str) -> Any:
    choices = _choices(field, id_number, name)
    place = choices.index(tried) + 1 if tried in choices else 0
    return choices[place % len(choices)]


def take_anything(monkeypatch) -> None:
    """Have every kind accept every form: what is tried is the diagram, not the rules."""
    told = {"reason": "", "revert_type": "enrol", "backpay_months": 0, "missing_months": 0, "paid": False}

    def accept(case, _day, _now):
        case.declaration.result_code = f"{case.declaration.kind}.accepted"

    free = Handling(
        lambda case, day: Verdict(), lambda case, day: dict(told), lambda case, day: None, accept=accept
    )
    monkeypatch.setattr(kinds, "handling", lambda kind: free)
