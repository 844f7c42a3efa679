"""The demonstration's accounts: one of each role in each region, and those of the platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from app.domain.permission import AGENCY_ROLES, EMPLOYER_ROLES
from app.services.actors import AGENCY, EMPLOYER, PLATFORM
from app.services.demo.identities import FEMALE, MALE, make_name
from app.store.demo import existing_users
from app.store.ids import new_id

PLATFORM_ACCOUNTS = (
    ("designer1", "designer"),
    ("designer2", "designer"),
    ("sysadmin", "sysadmin"),
    ("secadmin", "secadmin"),
    ("auditadmin", "auditadmin"),
)
AccountRows = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def region_accounts(
    slug: str, region: str, employer_ids: Sequence[int], password_hash: str, at_utc: datetime
) -> AccountRows:
    """Rows of accounts, roles and employers: the employer side acts for all employers of the region."""
    wanted = [
        (f"{slug}.{role}", role, EMPLOYER if role in EMPLOYER_ROLES else AGENCY)
        for role in (*EMPLOYER_ROLES, *AGENCY_ROLES)
    ]
    return _rows(wanted, region, employer_ids, password_hash, at_utc)


def platform_accounts(password_hash: str, at_utc: datetime) -> AccountRows:
    """Rows of the platform's own accounts and their roles."""
    return _rows([(name, role, PLATFORM) for name, role in PLATFORM_ACCOUNTS], "", (), password_hash, at_utc)


def _rows(
    wanted: Iterable[tuple[str, str, str]], region: str, employer_ids: Sequence[int], password_hash: str,
    at_utc: datetime,
) -> AccountRows:  # fmt: skip
    wanted = list(wanted)
    known = existing_users([username for username, _, _ in wanted])
    users: list[dict[str, Any]] = []
    roles: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for username, role, side in wanted:
        if username in known:
            continue
        user_id = new_id()
        random = Random(username)  # noqa: S311 - the same name every time
        acts_for = employer_ids if side == EMPLOYER else ()
        users.append(
            {
                "id": user_id,
                "username": username,
                "name": make_name(random, random.choice((MALE, FEMALE))),
                "side": side,
                "password_hash": password_hash,
                "password_changed_at_utc": at_utc,
                "must_change_password": False,
                "demo": True,
                "current_employer_id": acts_for[0] if acts_for else None,
            }
        )
        roles.append({"user_id": user_id, "role": role, "region": region})
        links += [{"user_id": user_id, "employer_id": employer_id} for employer_id in acts_for]
    return users, roles, links
