"""The side menus and the marks of statuses, as data: what a side and its roles find where.

Labels are message ids; an entry of a kind of declaration takes the region's own word for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from flask_babel import lazy_gettext as _l

from app.domain.menu import DECLARE, MANAGE, QUERY
from app.services.actors import AGENCY, EMPLOYER, PLATFORM

FORM_PAGE, BATCH_PAGE = "declarations.form", "imports.page"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu. `label` is the region's key for its own word, `text` the usual one.

    `kind` restricts the entry to regions that offer this kind online; entries whose page does not exist
    in the installation are left out. `count` names the reminder shown at the end of the line. `named` marks
    one that the region's menu names: it stays, grey, where nothing is behind it; `own` is its word there.
    """

    endpoint: str
    text: object
    icon: str
    permission: str | None = None
    label: str = ""
    kind: str = ""
    count: str = ""
    args: tuple[tuple[str, str], ...] = ()
    named: bool = False
    own: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A titled part of the menu; `key` is the name by which a region's menu gathers what it does not name."""

    text: object
    entries: tuple[Entry, ...]
    label: str = ""
    key: str = ""


def kind_entry(kind: str, icon: str = "file-text") -> Entry:
    """The entry that opens the form of a kind."""
    return Entry(FORM_PAGE, "", icon, "declaration.file", kind=kind, args=(("kind", kind),))


def batch_entry(kind: str) -> Entry:
    """The entry of a kind's batch files, for regions that have a name for it."""
    return Entry(
        BATCH_PAGE,
        "",
        "table-import",
        "import.upload",
        f"kind.{kind}.batch",
        kind,
        args=(("kind", kind),),
    )


def _counter(view: str, text: object, icon: str) -> Entry:
    return Entry("counter.listed", text, icon, "counter.file", args=(("view", view),))


_HALL = (
    Group("", (Entry("hall.home", _l("首页"), "home"),), key="home"),
    Group(
        _l("网上经办"),
        (
            kind_entry("enrol", "user-plus"),
            batch_entry("enrol"),
            kind_entry("stop", "user-minus"),
            batch_entry("stop"),
            kind_entry("stop_retiree", "user-minus"),
            batch_entry("stop_retiree"),
            kind_entry("revert", "arrow-back-up"),
            kind_entry("base", "coins"),
            batch_entry("base"),
            batch_entry("base_annual"),
            kind_entry("collection", "receipt"),
            kind_entry("collection_cancel", "receipt-off"),
            kind_entry("retirement", "beach"),
            kind_entry("withdrawal", "wallet"),
            kind_entry("person_record", "id"),
            kind_entry("person_update", "user-edit"),
            kind_entry("employer_update", "building"),
        ),
        "menu.declare",
        DECLARE,
    ),
    Group(
        _l("申报管理"),
        (
            Entry("declarations.drafts", _l("草稿箱"), "notes", "declaration.view", "menu.drafts"),
            Entry(
                "declarations.pending",
                _l("待提交"),
                "send",
                "declaration.view",
                "menu.pending",
                count="pending",
            ),
            Entry("declarations.submitted", _l("已提交"), "list-check", "declaration.view", "menu.submitted"),
        ),
        "menu.manage",
        MANAGE,
    ),
    Group(
        _l("业务查询"),
        (
            Entry("yearly.undeclared", _l("基数未申报人员"), "users", "person.view", kind="base_annual"),
            Entry("retiring.reached", _l("职工退休到龄查询"), "calendar", "person.view"),
            Entry("queries.people", _l("参保人员查询"), "users", "person.view"),
            Entry("queries.lines", _l("缴费明细查询"), "list-details", "ledger.view"),
            Entry("ledger.notices", _l("缴费通知单"), "receipt", "ledger.view", "menu.notices"),
        ),
        "menu.query",
        QUERY,
    ),
)
_AGENCY = (
    Group(
        _l("柜面受理"),
        (
            Entry("counter.home", _l("受理申报"), "building", "counter.file"),
            Entry("opening.begin", _l("新单位登记"), "file-plus", "counter.file"),
            _counter("drafts", _l("柜面草稿"), "notes"),
            _counter("pending", _l("柜面待提交"), "send"),
            _counter("submitted", _l("柜面已提交"), "list-check"),
        ),
    ),
    Group(
        _l("审核办理"),
        (
            Entry("inbox.home", _l("待办"), "inbox", "inbox.view", count="group"),
            Entry("inbox.audited", _l("已办"), "list-check", "inbox.view"),
            Entry("yearly.employers", _l("年度基数"), "coins", "person.view", kind="base_annual"),
        ),
    ),
    Group(
        _l("征缴管理"),
        (
            Entry("ledger.home", _l("月度核定"), "coins", "ledger.assess"),
            Entry("adjustments.home", _l("补差核定"), "refresh", "ledger.assess"),
            Entry("ledger.notices", _l("缴费通知单"), "receipt", "ledger.view"),
            Entry("ledger.refunds", _l("待退费用"), "arrow-back-up", "ledger.post"),
            Entry("ledger.orders", _l("待支付"), "wallet", "ledger.pay"),
        ),
    ),
    Group(
        _l("单位管理"),
        (Entry("oversight.home", _l("单位操作员"), "users", "operator.oversee"),),
    ),
    Group(
        _l("运行管理"),
        (Entry("incidents.listed", _l("异常处理"), "alert-triangle", "incident.view"),),
    ),
)
_PLATFORM = (
    Group(_l("流程设计"), (Entry("studio.home", _l("流程与表单"), "sitemap", "studio.view"),)),
    Group(_l("运行管理"), (Entry("incidents.listed", _l("异常处理"), "alert-triangle", "incident.view"),)),
)
_OWN = Group(
    _l("账号"),
    (
        Entry("auth.account", _l("我的账号"), "user-circle"),
        Entry("auth.password", _l("修改密码"), "lock"),
    ),
    key="own",
)
_STAFF = Group(
    _l("单位管理"),
    (
        Entry("operators.listed", _l("操作员管理"), "users", "operator.manage"),
        Entry("units.listed", _l("业务单位"), "building", "operator.manage"),
    ),
    key="staff",
)
# Kinds that are filed elsewhere than from the menu of somebody who is signed in.
ELSEWHERE = frozenset({"employer_link", "employer_registration"})
MENUS = MappingProxyType(
    {EMPLOYER: (*_HALL, _STAFF, _OWN), AGENCY: (*_AGENCY, _OWN), PLATFORM: (*_PLATFORM, _OWN)}
)

# status → (icon, tone); the word is the region's own.
STATUS_MARKS = MappingProxyType(
    {
        "draft": ("pencil", ""),
        "pending": ("clock-pause", "warn"),
        "submitted": ("hourglass", "live"),
        "in_audit": ("eye", "live"),
        "returned": ("arrow-back-up", "warn"),
        "approved": ("circle-check", "good"),
        "rejected": ("circle-x", "bad"),
        "recalled": ("arrow-back-up", ""),
        "discarded": ("trash", ""),
        "done": ("circle-check", "good"),
    }
)
TONE_ICONS = MappingProxyType(
    {"good": "circle-check", "warn": "alert-triangle", "bad": "alert-circle", "": "info-circle"}
)
