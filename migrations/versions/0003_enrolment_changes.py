"""The history of enrolments: what each declaration changed, with the values before and after."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_change",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("declaration_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("at_utc", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_change_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["declaration_id"],
            ["declaration.id"],
            name=op.f("fk_enrolment_change_declaration_id_declaration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_change")),
    )
    op.create_index("ix_enrolment_change_enrolment", "enrolment_change", ["enrolment_id", "id"])
    op.create_index("ix_enrolment_change_declaration", "enrolment_change", ["declaration_id"])


def downgrade() -> None:
    op.drop_index("ix_enrolment_change_declaration", table_name="enrolment_change")
    op.drop_index("ix_enrolment_change_enrolment", table_name="enrolment_change")
    op.drop_table("enrolment_change")
