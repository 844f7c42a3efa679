"""Who acts for an employer where nobody has signed in: commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.errors import NotFound
from app.services.accounts import load_account
from app.services.actors import Actor
from app.store.accounts import find_user, operators_of
from app.store.employers import get_employer_by_no

FILING_ROLES = ("handler", "admin")


def operator_of(employer_no: str, username: str | None, now_utc: datetime) -> Actor:
    """An account that acts for the employer: the one named, else its first operator.

    Raises: NotFound, with what is missing.
    """
    employer = get_employer_by_no(employer_no)
    if username:
        user = find_user(username)
        chosen = user.id if user is not None else None
    else:
        chosen = next(iter(operators_of(employer.id, FILING_ROLES)), None)
    account = load_account(chosen, now_utc) if chosen is not None else None
    if account is None or not account.active or employer.id not in account.actor.employer_ids:
        who = f"{username} does not act" if username else "nobody acts"
        raise NotFound(f"{who} for employer {employer_no}")
    return replace(account.actor, employer_id=employer.id)
