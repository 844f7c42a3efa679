"""What a form page must know before anything is typed: fields, funds, the policy, and whom a number names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.definitions.current import Bundle, get_bundle
from app.domain.declaration import DRAFT, PENDING
from app.domain.enrolment import person_type
from app.domain.parameters import ParameterSet
from app.formspec.form import Form
from app.services import filing, subjects
from app.services.actors import Actor
from app.services.filing import Target
from app.services.kinds import handling
from app.services.updating import changeable
from app.store.queries.hall import find_person

EMPLOYER_FUNDS = "employer_funds"
# all funds of the region: the employer has none yet, or states them itself
REGION_FUNDS = "region_funds"
# what a page may show of a record that a number names
_SHOWN = ("name", "sex", "ethnicity", "nationality", "birth_date")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the region's policy does with a form that is filed now."""

    pending: bool = False
    audits: int = 0
    recall: bool = False
    materials: bool = False


@dataclass(frozen=True, slots=True)
class FormSetting:
    """A form for one employer: the choices that only the employer's own data give, and what happens next.

    Shape: `options` maps a field to (value, label) pairs, `locked` to values that stay ticked;
    `stepwise` marks a diagram that leads through steps after the form, `verified` one whose first step
    after it is to confirm what was filled in, `takes_materials` a form that always needs materials.
    """

    kind: str
    form: Form
    parameters: ParameterSet
    employer_id: int
    employer_no: str
    employer_name: str
    options: Mapping[str, Sequence[tuple[str, str]]]
    locked: Mapping[str, Sequence[str]]
    policy: Policy
    stepwise: bool
    verified: bool = False
    takes_materials: bool = False

    @property
    def looked_up(self) -> list[str]:
        """Fields that the registry fills when the identity number is known."""
        return [field.name for field in self.form.fields if field.readonly and field.name in _SHOWN]

    @property
    def compared(self) -> list[str]:
        """Fields that have the value of today beside them, of somebody picked from the roster."""
        return changeable(self.form) if self.form.schema.get("x-roster") else []

    def defaults(self, now: datetime) -> dict[str, Any]:
        """What a blank form starts with; funds as they usually are."""
        data = self.form.defaults()
        for name, pairs in self.options.items():
            if not self.form.by_name[name].multiple:
                continue
            usual = set(self.parameters.usual_funds())
            data[name] = [code for value, _ in pairs for code in value.split(",") if code in usual]
        if "start_date" in self.form.by_name and self.parameters.text("backpay.mode", now) == "automatic":
            data["start_date"] = now.date().isoformat()
        rules = handling(self.kind)
        data |= rules.defaults(self.form.by_name, self.parameters, now.date())
        data |= rules.current(self.form, self.kind, self.employer_id, None)
        return data

    def settled(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The form with what follows from its choices: the chosen funds decide the person type."""
        values = dict(data)
        if "person_type" in self.form.by_name and self.options:
            chosen = [
                code for name in self.options for each in values.get(name) or () for code in each.split(",")
            ]
            values["person_type"] = person_type(self.parameters, chosen)
        return values


def setting_of(
    actor: Actor, kind: str, now: datetime, employer_id: int | None = None, bundle_id: int | None = None
) -> FormSetting:
    """Return the form that the actor may file; `bundle_id` keeps a case on the version it started with.

    Raises: NotFound, Forbidden.
    """
    target = filing.target_of(actor, kind, employer_id)
    bundle = get_bundle(bundle_id) if bundle_id is not None else target.bundle
    form = bundle.form(kind)
    options, locked = _funds(target, form)
    facts = {
        "channel": target.channel,
        "kind": kind,
        "region": target.employer.region,
        "employer_id": target.employer.id,
        "reason": "",
    }
    answer = bundle.decide("policy", facts)
    return FormSetting(
        kind=kind,
        form=form,
        parameters=target.parameters,
        employer_id=target.employer.id,
        employer_no=target.employer.employer_no,
        employer_name=target.employer.name,
        options=options,
        locked=locked,
        policy=Policy(**{name: answer[name] for name in ("pending", "audits", "recall", "materials")}),
        stepwise=is_stepwise(bundle),
        verified=is_verified(bundle),
        takes_materials=bool(answer["materials"]) and always_needs_materials(bundle, facts),
    )


def always_needs_materials(bundle: Bundle, facts: Mapping[str, Any]) -> bool:
    """Whether the table names materials whatever a form says; a kind may need them for some forms only."""
    return bool(bundle.decide("materials", {**facts, "reason": ""})["material_items"])


def is_stepwise(bundle: Bundle) -> bool:
    """Whether the diagram leads through steps of its own between the form and the submission."""
    return bool(_own_steps(bundle))


def is_verified(bundle: Bundle) -> bool:
    """Whether the first of those steps is to confirm what was filled in."""
    return DRAFT in _own_steps(bundle)


def _own_steps(bundle: Bundle) -> set[str]:
    """The statuses of those steps: of a draft that is confirmed, of a record that can be changed again."""
    return {
        element.properties["status"]
        for element in bundle.description(bundle.kind).elements.values()
        if element.properties.get("status") in (DRAFT, PENDING) and "decisions" in element.properties
    }


def known_person(actor: Actor, kind: str, data: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """What the region's registry says about the number in a form; None where it knows nobody, {} where the
    number is no number yet. Raises: NotFound, Forbidden."""
    target = filing.target_of(actor, kind, None)
    values = target.bundle.form(kind).parse(data)
    if not subjects.is_number(values, now.date()):
        return {}
    found = find_person(target.employer.region, str(values["id_number"]))
    if found is None:
        return None
    return {name: str(getattr(found, name)) for name in _SHOWN}


def _funds(target: Target, form: Form) -> tuple[dict[str, Any], dict[str, Any]]:
    """The employer's funds that go on as choices, and those that every employee has."""
    held = [code for code, spans in target.employer.funds.items() if spans[-1][1] is None]
    forced = set(target.parameters.fund_codes("forced"))
    options: dict[str, Any] = {}
    locked: dict[str, Any] = {}
    for field in form.fields:
        if field.options_from == REGION_FUNDS:
            options[field.name] = [(fund.code, fund.name) for fund in target.parameters.funds]
        if field.options_from != EMPLOYER_FUNDS:
            continue
        if "x-bundles" in field.schema:
            offered = [(option.value, option.label) for option in field.options]
        else:
            offered = [(fund.code, fund.name) for fund in target.parameters.funds]
        options[field.name] = [
            (value, label) for value, label in offered if all(code in held for code in value.split(","))
        ]
        locked[field.name] = [
            value for value, _ in options[field.name] if all(code in forced for code in value.split(","))
        ]
    return options, locked
