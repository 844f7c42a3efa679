"""Which of our unique rules a refused write broke, by one name on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError

from app.errors import WangtingError

# PostgreSQL names the constraint, SQLite the columns
_RULES = {
    "uq_declaration_reference": "reference",
    "declaration.reference": "reference",
    "uq_declaration_open_key": "open_declaration",
    "declaration.open_key": "open_declaration",
    "uq_declaration_object_open_key": "open_declaration",
    "declaration_object.open_key": "open_declaration",
    "pk_effect": "effect",
    "effect.declaration_id, effect.effect": "effect",
    "uq_enrolment_open": "open_enrolment",
    "enrolment.person_id, enrolment.fund": "open_enrolment",
    "uq_line_once": "charged_month",
    "contribution_line.person_id, contribution_line.fund, "
    "contribution_line.party, contribution_line.accrual_month": "charged_month",
    "uq_person_person_no": "person",
    "person.person_no": "person",
    "uq_human_task_task_uid": "task",
    "human_task.task_uid": "task",
    "uq_user_account_username": "username",
    "user_account.username": "username",
    "uq_employer_employer_no": "employer_no",
    "employer.employer_no": "employer_no",
    "uq_notice_outbox_id": "notice",
    "notice.outbox_id": "notice",
}


# no unique rule, and met like one: a credit that is about to be paid out stays as it is until then
ORDERED = "ordered"


class Duplicate(WangtingError):
    """A unique rule refused a row; `rule` is one of the values above, or `ORDERED`."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@contextmanager
def unique_rules() -> Iterator[None]:
    """Turn a broken unique rule that we know into Duplicate; anything else passes unchanged."""
    try:
        yield
    except IntegrityError as error:
        rule = _rule(error)
        if rule is None:
            raise
        raise Duplicate(rule) from error


def is_passing(error: BaseException) -> bool:
    """Whether a failure may pass by itself: a lost connection, a deadlock, a database that is busy."""
    return isinstance(error, OperationalError)


def _rule(error: IntegrityError) -> str | None:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return _RULES.get(diagnosis.constraint_name or "")
    _, mark, columns = str(error.orig).partition("UNIQUE constraint failed: ")
    return _RULES.get(columns.strip()) if mark else None
