"""A case's way through its diagram in words: what happened, what waits, what will follow, and the marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.definitions.current import Bundle
from app.domain.calendar import working_days_left
from app.domain.declaration import DRAFT, FINAL, IN_AUDIT, PENDING, REJECTED, RETURNED, SUBMITTED
from app.domain.operator import ADMIN
from app.domain.parameters import ParameterSet
from app.domain.permission import EMPLOYER_ROLES
from app.services.forms import Policy
from app.services.results import CaseView, EventView
from app.web.i18n import translated_text

DONE, CURRENT, CANCELLED = "done", "current", "cancelled"
NEVER = 9000
_MARKS = {"completed": DONE, "waiting": CURRENT, "cancelled": CANCELLED}
# what a person did to the case, in words; the rest of the history names the diagram's elements
ACTIONS: Mapping[str, Any] = {
    "saved": _l("保存"),
    "corrected": _l("修改补正"),
    "claimed": _l("认领"),
    "released": _l("归还"),
    "revealed": _l("查看完整号码"),
    "discarded": _l("删除申报"),
    "recalled": _l("撤销"),
    "handed_over": _l("移交单位管理员"),
    "material_added": _l("上传材料"),
    "material_removed": _l("删除材料"),
    "materials_forgotten": _l("材料到期清除"),
    "decided_approve": _l("审核通过"),
    "decided_reject": _l("审核不通过"),
    "decided_return": _l("退回补正"),
    "completed": _l("完成"),
    "cancelled": _l("取消"),
    "waiting": _l("等待办理"),
}
# nodes that only route: they say nothing to a reader of the history
QUIET_TYPES = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "startEvent", "subProcess", "callActivity"}
)
_TONES = {"decided_reject": "bad", "decided_return": "warn", "recalled": "warn", "discarded": "warn"}
_ICONS = {
    "decided_reject": "circle-x",
    "decided_return": "arrow-back-up",
    "recalled": "arrow-back-up",
    "discarded": "trash",
    "corrected": "edit",
}
_TOLD = frozenset(
    {"corrected", "discarded", "recalled", "decided_approve", "decided_reject", "decided_return"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a diagram for the step list; `state` is done, current, cancelled or ''."""

    id: str
    name: str
    state: str
    at: datetime | None
    who: str


def sentence(case: CaseView, parameters: ParameterSet, now: datetime) -> str:
    """The case's status and deadline as one sentence."""
    limit = _limit(case, parameters, now)
    own = next((each for each in case.tasks if each.role in EMPLOYER_ROLES), None)
    if case.status == SUBMITTED and own is not None:
        return _("等待%(step)s。%(limit)s", step=translated_text(own.title), limit=limit)
    texts = {
        DRAFT: _("尚未提交，仍在草稿箱中。"),
        PENDING: _("已保存到待提交，提交后经办机构才会受理。"),
        SUBMITTED: _("已提交，等待经办机构审核。%(limit)s", limit=limit),
        IN_AUDIT: _("经办机构正在审核。%(limit)s", limit=limit),
        RETURNED: _("经办机构退回补正，请修改后重新提交。%(limit)s", limit=limit),
        "approved": _("审核通过，已办结。"),
        REJECTED: _("审核不通过，申报没有生效。可以按原申报复制后重新申报，或到经办机构窗口办理。"),
        "recalled": _("已由单位撤销，申报没有生效。"),
        "discarded": _("已删除，申报没有生效。"),
        "done": _("已办理完成。"),
    }
    return texts[case.status]


def _limit(case: CaseView, parameters: ParameterSet, now: datetime) -> str:
    due = due_of(case)
    if due is None:
        return ""
    left = working_days_left(now, due, parameters.holidays, parameters.workdays)
    day = f"{due:%Y-%m-%d}"
    if due < now:
        return _("办理时限 %(day)s，已超过 %(days)s 个工作日。", day=day, days=-left)
    if left == 0:
        return _("办理时限为今天。")
    return _("办理时限 %(day)s，还剩 %(days)s 个工作日。", day=day, days=left)


def due_of(case: CaseView) -> datetime | None:
    """When what is open now is due; None where there is no limit."""
    due = min((task.due_at for task in case.tasks), default=None)
    return None if due is None or due.year > NEVER else due


def timeline(case: CaseView, bundle: Bundle, policy: Policy) -> list[dict[str, Any]]:
    """Past, present and predicted steps, for the macro `timeline`."""
    title = _("按原申报复制") if case.copied_from else _("新建申报")
    items: list[dict[str, Any]] = [
        {"title": title, "state": "past", "who": case.created_by, "at": case.created_at}
    ]
    decided = {(each.element_id, each.at) for each in case.events if each.action.startswith("decided_")}
    for event in case.events:
        words = _title(event, case, decided)
        if words:
            items.append(
                {
                    "title": words,
                    "state": "past",
                    "who": event.actor,
                    "at": event.at,
                    "note": str(event.detail.get("opinion") or ""),
                    "tone": _TONES.get(event.action) or _end_tone(event, case),
                    "icon": _ICONS.get(event.action),
                }
            )
    for task in case.tasks:
        due = "" if task.due_at.year > NEVER else _("办理时限 %(day)s", day=f"{task.due_at:%Y-%m-%d}")
        who = task.claimed_by or (_own_side(task.role) or _("经办机构"))
        items.append({"title": translated_text(task.title), "state": "present", "who": who, "at": due})
    return items + [{"title": each, "state": "future"} for each in _expected(case, bundle, policy)]


def _own_side(role: str) -> str:
    """Who of the employer waits, "" where it is the agency."""
    if role == ADMIN:
        return _("单位管理员")
    return _("单位经办人") if role in EMPLOYER_ROLES else ""


def _title(event: EventView, case: CaseView, decided: set[tuple[str, datetime]]) -> str:
    name = translated_text(event.element_name)
    if event.action in _TOLD:
        word = str(ACTIONS[event.action])
        return f"{name}{_('：')}{word}" if name else word
    if event.action != "completed" or not name or event.process_id != case.kind:
        return ""
    kind = event.detail.get("type")
    if kind == "userTask" and (event.element_id, event.at) not in decided:
        return name
    return name if kind in ("intermediateThrowEvent", "endEvent") else ""


def _end_tone(event: EventView, case: CaseView) -> str:
    return "bad" if event.detail.get("type") == "endEvent" and case.status == REJECTED else ""


def _expected(case: CaseView, bundle: Bundle, policy: Policy) -> list[str]:
    """The steps that follow if nothing is refused."""
    if case.status in FINAL:
        return []
    steps = [_("提交")] if case.status in (DRAFT, PENDING, RETURNED) else []
    if case.status == DRAFT and policy.pending:
        steps.insert(0, _("进入待提交"))
    waiting = {task.element_id for task in case.tasks}
    elements = bundle.description("audit").elements.values()
    audits = [element for element in elements if element.type == "userTask"][: policy.audits]
    place = next((at for at, element in enumerate(audits) if element.id in waiting), -1)
    steps += [_("经办机构%(step)s", step=translated_text(element.name)) for element in audits[place + 1 :]]
    return [*steps, _("办结")]


def policy_of(case: CaseView, bundle: Bundle) -> Policy:
    """What the policy that the case is pinned to says about it."""
    answer = bundle.decide(
        "policy",
        {
            "channel": case.channel, "kind": case.kind, "region": case.region,
            "employer_id": case.employer_id, "reason": "",
        },
    )  # fmt: skip
    return Policy(**{name: answer[name] for name in ("pending", "audits", "recall", "materials")})


def shown_processes(bundle: Bundle, case: CaseView) -> list[str]:
    """The case's own process, and those it calls."""
    called = {each for process in bundle.process_ids() for each in bundle.description(process).called}
    return [process for process in bundle.process_ids() if process == case.kind or process in called]


def process_name(bundle: Bundle, process: str) -> str:
    """A process's name as its diagram has it."""
    return next((each.name for each in bundle.description(process).processes if each.id == process), process)


def processes_of(case: CaseView, bundle: Bundle) -> list[tuple[str, str, list[Step]]]:
    """Each process with its name and its steps: what the picture shows, as text."""
    found = mark_containers(marks(case), bundle)
    return [
        (process, process_name(bundle, process), step_list(process, bundle, found, case.events))
        for process in shown_processes(bundle, case)
    ]


def marks(case: CaseView) -> dict[str, dict[str, str]]:
    """Process id -> element id -> done, current or cancelled, as the event rows say, the last one winning."""
    found: dict[str, dict[str, str]] = {}
    for event in case.events:
        if event.element_id and event.action in _MARKS:
            found.setdefault(event.process_id, {})[event.element_id] = _MARKS[event.action]
    return found


def mark_containers(found: dict[str, dict[str, str]], bundle: Bundle) -> dict[str, dict[str, str]]:
    """Marks with the sub-processes and call activities in which something is current."""
    result = {process: dict(elements) for process, elements in found.items()}
    busy = {process for process, elements in result.items() if CURRENT in elements.values()}
    for process in bundle.process_ids():
        elements = bundle.description(process).elements
        for element in elements.values():
            if element.called in busy and element.called:
                result.setdefault(process, {})[element.id] = CURRENT
        for element_id, state in list(result.get(process, {}).items()):
            scope = elements[element_id].scope if element_id in elements else ""
            if state == CURRENT and scope in elements:
                result[process][scope] = CURRENT
    return result


def step_list(
    process: str, bundle: Bundle, found: Mapping[str, Mapping[str, str]], events: Sequence[EventView]
) -> list[Step]:
    """The named nodes of a process with their states: what the picture shows, as text."""
    last = {(each.process_id, each.element_id): each for each in events if each.action in _MARKS}
    steps = []
    for element in bundle.description(process).elements.values():
        if not element.name or element.type.endswith("Gateway"):
            continue
        event = last.get((process, element.id))
        state = found.get(process, {}).get(element.id, "")
        steps.append(
            Step(
                element.id, element.name, state, event.at if event else None, event.actor if event else ""
            )
        )  # fmt: skip
    return steps
