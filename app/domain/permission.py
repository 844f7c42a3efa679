"""Who may do what: roles, permissions, and four eyes."""

from collections.abc import Iterable
from types import MappingProxyType

EMPLOYER_ROLES = ("handler", "reviewer", "admin")
AGENCY_ROLES = ("auditor", "senior", "supervisor", "counter")
DESIGN_ROLES = ("designer",)
SYSTEM_ROLES = ("sysadmin", "secadmin", "auditadmin")
ROLES = EMPLOYER_ROLES + AGENCY_ROLES + DESIGN_ROLES + SYSTEM_ROLES

ROLE_WORDS = MappingProxyType(
    {
        "handler": "单位经办人",
        "reviewer": "单位复核人",
        "admin": "单位管理员",
        "auditor": "初审人员",
        "senior": "复审人员",
        "supervisor": "审核主管",
        "counter": "柜面经办人员",
        "designer": "流程设计员",
        "sysadmin": "系统管理员",
        "secadmin": "安全管理员",
        "auditadmin": "审计管理员",
    }
)

_HALL = frozenset({"hall.view", "declaration.view", "person.view", "ledger.view", "print"})
_FILE = frozenset({"declaration.file", "declaration.submit", "declaration.discard", "declaration.recall"})
_BATCH = frozenset({"import.upload", "import.view"})
_AUDIT = frozenset(
    {
        "inbox.view",
        "task.claim",
        "task.release",
        "task.decide",
        "declaration.view",
        "person.view",
        "person.reveal",
        "ledger.view",
        "export",
    }
)

PERMISSIONS = MappingProxyType(
    {
        "handler": _HALL | _FILE | _BATCH | {"export"},
        "reviewer": _HALL | _BATCH | {"declaration.submit", "declaration.review", "export"},
        "admin": _HALL
        | _FILE
        | _BATCH
        | {"declaration.review", "export", "operator.manage", "employer.update"},
        "auditor": _AUDIT,
        "senior": _AUDIT | {"task.transfer", "phrase.manage", "ledger.pay"},
        "supervisor": _AUDIT
        | {
            "task.transfer",
            "task.assign",
            "task.urge",
            "incident.view",
            "incident.retry",
            "report.view",
            "phrase.manage",
            "ledger.assess",
            "ledger.post",
            "ledger.pay",
            "operator.oversee",
        },
        "counter": frozenset(
            {
                "counter.file",
                "inbox.view",
                "declaration.view",
                "declaration.file",
                "declaration.submit",
                "declaration.discard",
                "person.view",
                "person.reveal",
                "ledger.view",
                "print",
                "operator.oversee",
            }
        ),
        "designer": frozenset(
            {"studio.view", "definition.view", "definition.edit", "definition.publish", "process.dry_run"}
        ),
        "sysadmin": frozenset(
            {
                "system.view",
                "account.create",
                "account.disable",
                "incident.view",
                "incident.retry",
                "job.view",
            }
        ),
        "secadmin": frozenset({"system.view", "role.grant", "role.revoke", "account.unlock", "key.rotate"}),
        "auditadmin": frozenset({"system.view", "audit_log.view", "audit_log.verify", "audit_log.export"}),
    }
)

# No account may watch over its own acts: each pair stays with different people.
INCOMPATIBLE = (
    frozenset({"sysadmin", "secadmin"}),
    frozenset({"sysadmin", "auditadmin"}),
    frozenset({"secadmin", "auditadmin"}),
)


def may(actor_roles: Iterable[str], permission: str) -> bool:
    """Return whether one of the roles carries the permission; unknown roles carry none."""
    return any(permission in PERMISSIONS.get(role, frozenset()) for role in actor_roles)


def permissions_of(actor_roles: Iterable[str]) -> frozenset[str]:
    """Return all permissions of a set of roles."""
    return frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in actor_roles))


def all_permissions() -> frozenset[str]:
    """Return every permission that exists."""
    return permissions_of(ROLES)


def may_hold_together(roles: Iterable[str]) -> bool:
    """Return whether one account may hold these roles: employer and agency sides never mix."""
    held = frozenset(roles)
    sides = [side for side in (EMPLOYER_ROLES, AGENCY_ROLES, SYSTEM_ROLES) if held & frozenset(side)]
    return len(sides) <= 1 and not any(pair <= held for pair in INCOMPATIBLE)


def four_eyes(actor: int, earlier_actors: Iterable[int | None]) -> bool:
    """Return whether a decision is by somebody who neither filed, submitted nor decided it before."""
    return actor not in set(earlier_actors)
