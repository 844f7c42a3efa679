"""Indexes of the inbox, of decisions and of searches by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UNCLAIMED = "claimed_by_id IS NULL"
_DECIDED = "action IN ('decided_approve', 'decided_reject', 'decided_return')"


def upgrade() -> None:
    op.drop_index("ix_task_inbox_kind", table_name="human_task")
    op.drop_index("ix_task_employer", table_name="human_task")
    _partial("ix_task_open", "human_task", ["region", "role", "due_at_utc", "id"], _UNCLAIMED)
    _partial("ix_task_open_kind", "human_task", ["region", "role", "kind", "due_at_utc", "id"], _UNCLAIMED)
    op.create_index("ix_task_employer", "human_task", ["employer_id", "role", "due_at_utc", "id"])
    op.create_index("ix_declaration_name", "declaration", ["region", "person_name"])
    _partial(
        "ix_declaration_decided", "declaration", ["region", "decided_at_utc"], "decided_at_utc IS NOT NULL"
    )
    _partial("ix_event_decided", "event", ["actor_id", "at_utc", "id"], _DECIDED)


def downgrade() -> None:
    op.drop_index("ix_event_decided", table_name="event")
    op.drop_index("ix_declaration_decided", table_name="declaration")
    op.drop_index("ix_declaration_name", table_name="declaration")
    op.drop_index("ix_task_employer", table_name="human_task")
    op.drop_index("ix_task_open_kind", table_name="human_task")
    op.drop_index("ix_task_open", table_name="human_task")
    op.create_index("ix_task_employer", "human_task", ["employer_id", "role", "id"])
    op.create_index("ix_task_inbox_kind", "human_task", ["region", "role", "kind", "due_at_utc", "id"])


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )
