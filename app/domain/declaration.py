"""Kinds of declarations, their statuses, and which status may follow which."""

from types import MappingProxyType

PERSON, EMPLOYER, PEOPLE = "person", "employer", "people"

# kind -> (word on screens, what it is about)
KINDS = MappingProxyType(
    {
        "enrol": ("参保人员增员申报", PERSON),
        "stop": ("参保人员减员申报", PERSON),
        "stop_retiree": ("离退休人员减员申报", PERSON),
        "revert": ("人员变更回退", PERSON),
        "retirement": ("医保退休办理", PERSON),
        "withdrawal": ("个人账户一次性支取", PERSON),
        "collection": ("职工补缴核定", PERSON),
        "collection_cancel": ("单位补收核定撤销", PERSON),
        "base": ("缴费申报与变更", PERSON),
        "base_annual": ("年度缴费基数申报", PERSON),
        "base_carry": ("未申报基数结转", EMPLOYER),
        "person_record": ("人员基础信息采集", PERSON),
        "person_update": ("参保人员信息维护", PERSON),
        "employer_update": ("单位信息维护", EMPLOYER),
        "employer_registration": ("单位注册", EMPLOYER),
        "employer_link": ("关联业务单位", EMPLOYER),
        "employer_opening": ("单位参保登记", EMPLOYER),
        "employer_transfer": ("单位转移", PEOPLE),
        "death_undo": ("死亡登记撤销", PERSON),
        "person_type_change": ("身份转换", PERSON),
        "person_merge": ("人员合并", PERSON),
        "identity_correction": ("证件更正", PERSON),
        "account_correction": ("个人账户更正", PERSON),
        "employer_correction": ("单位信息更正", EMPLOYER),
        "employer_funds": ("单位险种变更", EMPLOYER),
        "employer_closing": ("单位终止参保", EMPLOYER),
        "employer_pausing": ("单位暂停与恢复缴费", EMPLOYER),
        "maternity_bank": ("生育津贴银行信息维护", EMPLOYER),
        "nursing_allowance": ("男职工护理假津贴", PERSON),
    }
)

# Kinds that end or turn the same insurance, or move the account that ends with it: of them only one may be
# open for a person, in every region.
ENDING = frozenset(
    {
        "stop", "stop_retiree", "retirement", "withdrawal", "employer_transfer", "person_type_change",
        "account_correction",
    }
)  # fmt: skip
# Kinds that change whether and in what an employer takes part, and those that change what is kept of it.
EMPLOYER_TURNS = frozenset({"employer_closing", "employer_pausing", "employer_funds"})
EMPLOYER_DATA = frozenset({"employer_update", "employer_correction"})

# Allowances that are paid for an insured person: what ends the insurance meanwhile says so.
ALLOWANCES = frozenset({"maternity_bank", "nursing_allowance"})

DRAFT, PENDING, SUBMITTED, IN_AUDIT, RETURNED = "draft", "pending", "submitted", "in_audit", "returned"
APPROVED, REJECTED, RECALLED, DISCARDED, DONE = "approved", "rejected", "recalled", "discarded", "done"

STATUSES = MappingProxyType(
    {
        DRAFT: "草稿",
        PENDING: "待提交",
        SUBMITTED: "待审核",
        IN_AUDIT: "审核中",
        RETURNED: "退回补正",
        APPROVED: "审核通过",
        REJECTED: "审核不通过",
        RECALLED: "已撤销",
        DISCARDED: "已废弃",
        DONE: "办理成功",
    }
)
FINAL = frozenset({APPROVED, REJECTED, RECALLED, DISCARDED, DONE})
OPEN = frozenset(STATUSES) - FINAL

MOVES = MappingProxyType(
    {
        DRAFT: frozenset({DRAFT, PENDING, SUBMITTED, DISCARDED, DONE}),
        PENDING: frozenset({DRAFT, PENDING, SUBMITTED, DISCARDED, DONE}),
        SUBMITTED: frozenset({IN_AUDIT, SUBMITTED, APPROVED, REJECTED, RETURNED, RECALLED}),
        IN_AUDIT: frozenset({SUBMITTED, IN_AUDIT, APPROVED, REJECTED, RETURNED, RECALLED}),
        RETURNED: frozenset({RETURNED, SUBMITTED, RECALLED, DISCARDED}),
    }
)


class MoveRefused(ValueError):
    """A declaration cannot go from one status to another."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a declaration does not go from {before} to {after}")
        self.before = before
        self.after = after


def check_move(before: str, after: str) -> None:
    """Refuse a change of status that no journey makes. Raises MoveRefused."""
    if after not in MOVES.get(before, frozenset()):
        raise MoveRefused(before, after)


def is_open(status: str) -> bool:
    """Return whether somebody still has to act on a declaration of this status."""
    return status in OPEN


def kind_word(kind: str) -> str:
    """Return the usual word for a kind; regions may have their own label. Raises KeyError."""
    return KINDS[kind][0]


def kind_object(kind: str) -> str:
    """Return person, people or employer: what a declaration of this kind is about. Raises KeyError."""
    return KINDS[kind][1]


def open_group(kind: str) -> str:
    """Return the name under which an open declaration of this kind keeps others out."""
    if kind in ENDING:
        return "ending"
    if kind in EMPLOYER_DATA:
        return "employer_data"
    return "employer_status" if kind in EMPLOYER_TURNS else kind


def shares_objects(kind: str) -> bool:
    """Return whether a kind can meet one that is about many people at once: they claim the same objects."""
    return open_group(kind) in _SHARED


_SHARED = frozenset(open_group(kind) for kind, (_, about) in KINDS.items() if about == PEOPLE)
