"""Operators of an employer: who may be one, and that an employer keeps an admin."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from app.domain.permission import EMPLOYER_ROLES

INVITED, ACTIVE, DISABLED, REMOVED = "invited", "active", "disabled", "removed"
STATUS_WORDS = {INVITED: "待激活", ACTIVE: "正常", DISABLED: "已停用", REMOVED: "已删除"}
ADMIN = "admin"
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_NAME = re.compile(r"[^\s<>]{1,30}(?:[ ·.][^\s<>]{1,20}){0,3}")


def is_mobile(phone: str) -> bool:
    """Return whether a text is a mobile number of the country: it is an account's name and takes codes."""
    return _MOBILE.fullmatch(phone) is not None


def check_operator(
    phone: str, name: str, roles: Collection[str], employers: Collection[int], own: Collection[int]
) -> list[tuple[str, str]]:
    """Return what is wrong with an operator's data as (field, code); `own` are the admin's employers."""
    found = []
    if not is_mobile(phone):
        found.append(("username", "operator.phone"))
    if _NAME.fullmatch(name) is None:
        found.append(("name", "operator.name"))
    if not roles or not set(roles) <= set(EMPLOYER_ROLES):
        found.append(("roles", "operator.roles"))
    if not employers or not set(employers) <= set(own):
        found.append(("employers", "operator.employers"))
    return found


def left_without_admin(
    admins: Mapping[int, Collection[int]], user_id: int, stays_admin_of: Collection[int]
) -> list[int]:
    """Return the employers that would have no admin once this account is one of `stays_admin_of` only.

    Shape: admins maps employer to the accounts that are its admins and can sign in now.
    """
    return sorted(
        employer
        for employer, held in admins.items()
        if user_id in held and employer not in stays_admin_of and not set(held) - {user_id}
    )
