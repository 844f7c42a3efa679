"""Demonstration accounts as the services know them."""

from __future__ import annotations

from app import clock
from app.services import accounts
from app.services.actors import Actor
from app.store.accounts import find_user


def actor_of(username: str) -> Actor:
    """An account by its sign-in name."""
    user = find_user(username)
    account = accounts.load_account(user.id, clock.utcnow()) if user else None
    if account is None:
        raise LookupError(username)
    return account.actor
