"""One case as an auditor works on it: everything on one screen, and what may be decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext

from app import clock
from app.definitions.current import parameters, regions
from app.domain.calendar import month_of
from app.domain.codes import code_list
from app.domain.identity import mask, mask_each, mask_phone
from app.domain.parameters import ParameterSet
from app.errors import FieldError
from app.formspec.form import Field, Form
from app.services.actors import Actor
from app.services.forms import Policy
from app.services.objects import MANY
from app.services.results import CaseView, TaskView
from app.services.reviewing import Review, review
from app.services.updating import OLD, compared
from app.store.facts import PersonRecord
from app.store.queries import inbox as queries
from app.store.queries.inbox import InboxRow
from app.web.amounts import Month, Row, months_of, total_of, total_of_months
from app.web.deadlines import Left, time_left
from app.web.i18n import translated_text
from app.web.paging import decode_cursor, encode_cursor, row_id
from app.web.progress import Step, policy_of, processes_of, timeline
from app.web.reading import plain_title, words_of

NEXT = "next"
# a decision → (icon, style of the button)
_BUTTONS = {
    "approve": ("check", "btn-primary"),
    "return": ("arrow-back-up", ""),
    "reject": ("circle-x", "btn-danger"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """One field in reading form; `before` is what the last correction replaced, None where it did not."""

    name: str
    title: str
    text: str
    kind: str
    before: str | None = None
    asked: bool = False
    old: str | None = None  # what it replaces in the registry, where the form shows both


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the form."""

    title: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One fund of a person's insurance in words."""

    region: str
    employer_no: str
    category: str
    fund: str
    months: str
    status: str
    here: bool
    active: bool


@dataclass(frozen=True, slots=True)
class Button:
    """One decision that the step offers."""

    value: str
    text: str
    icon: str
    style: str
    needs_opinion: bool


@dataclass(frozen=True)
class Bench:
    """All that the page of one case shows to the agency."""

    review: Review
    task: TaskView | None
    sections: Sequence[Section]
    months: Sequence[Month]
    total: Row
    trial: bool
    stretches: Sequence[Stretch]
    left: Left | None
    obstacle: str
    buttons: Sequence[Button]
    phrases: Sequence[tuple[str, Sequence[str]]]
    returnable: Sequence[Field]
    problems: Sequence[FieldError]
    opinion: str = ""
    chosen: Collection[str] = ()
    cursor: str = ""
    monthly: Row = field(default_factory=lambda: total_of(()))
    timeline: Sequence[Mapping[str, Any]] = ()
    processes: Sequence[tuple[str, str, Sequence[Step]]] = ()
    policy: Policy = field(default_factory=Policy)
    employer_status: str = ""
    employer_funds: Sequence[str] = ()

    @property
    def case(self) -> CaseView:
        return self.review.case

    @property
    def acts(self) -> Collection[str]:
        return self.case.allowed


def decision_words(decision: str) -> str:
    """The word for a decision that was made."""
    return {
        "approve": pgettext("conclusion", "通过"),
        "reject": pgettext("conclusion", "不通过"),
        "return": _("退回补正"),
    }.get(decision, decision)


def decision_verb(decision: str) -> str:
    """The word on the button of a decision."""
    words = {"approve": _("通过"), "reject": _("不通过"), "return": pgettext("button", "退回补正")}
    return words.get(decision, decision)


def chosen_task(rows: Sequence[InboxRow], given: Mapping[str, str], me: Actor) -> InboxRow | None:
    """The task that an address asks to open: by id, or the next one after a position in the list."""
    wanted = given.get("open", "")
    if wanted == NEXT:
        position = decode_cursor(given.get("at"))
        following = (row for row in rows if position is None or row.cursor > position)
        return next(following, rows[0] if rows else None)
    try:
        number = row_id(wanted)
    except ValueError:
        return None
    found = next((row for row in rows if row.id == number), None) or queries.find_task(number)
    return found if found is not None and found.region in me.regions else None


def bench_of(
    row: InboxRow, me: Actor, now: datetime, problems: Sequence[FieldError] = (), typed: Any = None
) -> Bench:
    """The workbench of an open task. Raises: NotFound."""
    return case_bench(row.reference, me, now, problems, typed, row.id, encode_cursor(row.cursor))


def case_bench(
    reference: str,
    me: Actor,
    now: datetime,
    problems: Sequence[FieldError] = (),
    typed: Any = None,
    task_id: int | None = None,
    cursor: str = "",
) -> Bench:
    """The same of any case of the agency's regions, open or ended. Raises: NotFound."""
    found = review(me, reference, now)
    case, rules = found.case, found.parameters
    form = found.bundle.form(case.kind)
    task = _task(case, task_id)
    policy = policy_of(case, found.bundle)
    months = months_of(case.lines or (found.amounts.lines if found.amounts else ()), rules)
    held = found.employer.funds_in(month_of(now))
    return Bench(
        review=found,
        task=task,
        sections=sections_of(form, found),
        months=months,
        total=total_of_months(months),
        trial=not case.lines,
        stretches=[each for record in found.records for each in _stretches(record, rules)],
        left=time_left(task.due_at, now, rules) if task else None,
        obstacle=_obstacle(case, task, me),
        buttons=_buttons(task),
        phrases=_phrases(task, rules, now),
        returnable=[each for each in form.fields if not each.readonly and each.kind != "hidden"],
        problems=problems,
        opinion=typed.get("opinion", "") if typed else "",
        chosen=typed.getlist("return_fields") if typed else (),
        cursor=cursor,
        monthly=_monthly(found),
        timeline=timeline(case, found.bundle, policy),
        processes=processes_of(case, found.bundle),
        policy=policy,
        employer_status=_label("employer_status", found.employer.status),
        employer_funds=[fund.name for fund in rules.funds if fund.code in held],
    )


def sections_of(form: Form, found: Review) -> list[Section]:
    """The form in reading form: numbers masked, what the last correction changed with its former value."""
    case, pairs = found.case, compared(form, found.case.data)
    beside = {OLD + name for name in pairs}
    sections = []
    for section in form.sections:
        values = [
            _value(each, found, pairs.get(each.name))
            for each in section.fields
            if each.name not in beside
            and each.kind != "hidden"
            and (each.name in found.before or any(_given(each.name, case.data, pairs)))
        ]
        if values:
            sections.append(Section(translated_text(section.title), values))
    return sections


def _given(name: str, data: Mapping[str, Any], pairs: Mapping[str, tuple[Any, Any]]) -> list[bool]:
    return [value not in (None, "", []) for value in pairs.get(name, (data.get(name),))]


def _value(each: Field, found: Review, pair: tuple[Any, Any] | None) -> Value:
    case, rules = found.case, found.parameters
    before, value = pair or (None, case.data.get(each.name))
    return Value(
        each.name,
        translated_text(plain_title(each.title) if pair else each.title),
        _shown(each, value, rules),
        each.kind,
        _shown(each, found.before.get(each.name), rules) if each.name in found.before else None,
        each.name in case.return_fields,
        _shown(each, before, rules) if pair is not None and before != value else None,
    )


def _shown(each: Field, value: Any, rules: ParameterSet) -> str:
    if value in (None, "", []):
        return _("（空）")
    if each.kind == "phone":
        return mask_phone(str(value))
    if each.kind in ("identity", "account"):
        return mask(str(value))
    if each.name == MANY:
        return mask_each(str(value))
    text = translated_text(words_of(each, value, rules))
    return _("%(amount)s 元", amount=text) if each.kind == "money" else text


def _monthly(found: Review) -> Row:
    months = months_of(found.amounts.monthly, found.parameters) if found.amounts else []
    return total_of_months(months)


def _label(name: str, code: str) -> str:
    """A code in words; an unknown one as it is."""
    listed = code_list(name)
    return listed.label(code) if code in listed else code


def _task(case: CaseView, task_id: int | None) -> TaskView | None:
    if task_id is not None:
        return next((task for task in case.tasks if task.id == task_id), None)
    return next((task for task in case.tasks if task.settings.get("decisions") and _of_agency(task)), None)


def _of_agency(task: TaskView) -> bool:
    return task.settings.get("status") == "submitted"


def _obstacle(case: CaseView, task: TaskView | None, me: Actor) -> str:
    """Why this person can't decide the open step; "" where he can or nothing waits for a decision."""
    if task is None or "decide" in case.allowed:
        return ""
    if task.claimed_by_id not in (None, me.id):
        return _("该事项已由%(name)s认领，其归还后其他人员方可办理。", name=task.claimed_by)
    if task.role not in me.roles:
        return _("您的岗位不办理“%(step)s”环节，可以查看。", step=translated_text(task.title))
    return _("申报人、提交人与审核人不能是同一人，请由其他审核人员办理。")


def _buttons(task: TaskView | None) -> list[Button]:
    if task is None:
        return []
    needing = _listed(task, "opinion_required")
    return [
        Button(value, decision_verb(value), *_BUTTONS.get(value, ("check", "")), value in needing)
        for value in _listed(task, "decisions")
    ]


def _phrases(task: TaskView | None, rules: ParameterSet, now: datetime) -> list[tuple[str, Sequence[str]]]:
    """Stock phrases by decision, as the parameters have them."""
    if task is None:
        return []
    return [
        (decision_verb(value), rules.listed(name, now))
        for value in _listed(task, "decisions")
        if rules.has(name := f"audit.phrases.{value}")
    ]


def _listed(task: TaskView, name: str) -> list[str]:
    return [word.strip() for word in task.settings.get(name, "").split(",") if word.strip()]


def _stretches(record: PersonRecord, rules: ParameterSet) -> list[Stretch]:
    names = dict(regions())
    month = f"{clock.now():%Y-%m}"
    found = []
    for each in record.stretches:
        theirs = rules if each.region == rules.region else parameters(each.region)
        funds = {fund.code: fund.name for fund in theirs.funds}
        status = each.status
        if status == "active" and each.to_month is not None and each.to_month < month:
            status = "stopped"
        found.append(
            Stretch(
                names.get(each.region, each.region),
                each.employer_no,
                _label("enrolment_category", each.category),
                funds.get(each.fund, each.fund),
                f"{each.from_month} 至 {each.to_month}" if each.to_month else f"{each.from_month} 起",
                _label("enrolment_status", status),
                each.region == rules.region,
                status == "active",
            )
        )
    return found
