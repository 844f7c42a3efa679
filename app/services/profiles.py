"""What operators look after themselves: their mail and their address (the password has its own page)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.errors import FieldError, NotFound, Rejected
from app.services import account_log
from app.services.actors import Actor
from app.store import sign_in as store
from app.store.accounts import get_user
from app.store.crypto import decrypt_json, encrypt_json
from app.store.session import transaction

FIELDS = ("email", "address")
LENGTHS = {"email": 100, "address": 200}
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
# The words are message ids of the translation catalogue.
WORDS = {"email": "请填写正确的电子邮箱", "address": "地址中不能有尖括号，最多 200 字"}


def own_profile(actor: Actor) -> dict[str, str]:
    """What the account keeps of itself; empty texts where nothing was entered. Raises: NotFound."""
    if actor.id is None:
        raise NotFound("account")
    sealed = get_user(actor.id).profile_cipher
    known = decrypt_json(sealed) if sealed else {}
    return {name: str(known.get(name) or "") for name in FIELDS}


def change_own(actor: Actor, data: Mapping[str, str], address: str = "") -> bool:
    """Keep the account's own data, sealed; says whether anything changed.

    The record names the changed fields and not their contents. Source: Jiangsu manual 2.1.
    Raises: Rejected, NotFound.
    """
    new = {name: str(data.get(name) or "").strip() for name in FIELDS}
    errors = []
    if new["email"] and (len(new["email"]) > LENGTHS["email"] or not _EMAIL.fullmatch(new["email"])):
        errors.append(FieldError("email", "profile.email", WORDS["email"]))
    if len(new["address"]) > LENGTHS["address"] or set(new["address"]) & set("<>"):
        errors.append(FieldError("address", "profile.address", WORDS["address"]))
    if errors:
        raise Rejected(errors)
    old = own_profile(actor)
    changed = sorted(name for name in FIELDS if old[name] != new[name])
    if not changed or actor.id is None:
        return False
    with transaction():
        store.lock_user(actor.id).profile_cipher = encrypt_json(new)
        detail = {"changed": changed}
        account_log.record("profile.changed", user_id=actor.id, actor=actor, address=address, detail=detail)
    return True
