"""Previews of late figures, and what of them has been written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "adjustment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("first_month", sa.String(length=7), nullable=False),
        sa.Column("last_month", sa.String(length=7), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by_name", sa.String(length=64), nullable=False),
        sa.Column("created_at_utc", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by_name", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at_utc", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_adjustment_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("run_id", name=op.f("uq_adjustment_run_id")),
    )
    op.create_index("ix_adjustment_region", "adjustment", ["region", "id"])
    op.create_table(
        "adjustment_chunk",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=False),
        sa.Column("after_person_id", sa.BigInteger(), nullable=False),
        sa.Column("until_person_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("employer_fen", sa.BigInteger(), nullable=False),
        sa.Column("employee_fen", sa.BigInteger(), nullable=False),
        sa.Column("allocation_fen", sa.BigInteger(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_adjustment_chunk_employer_id_employer")
        ),
        sa.ForeignKeyConstraint(
            ["adjustment_id"], ["adjustment.id"], name=op.f("fk_adjustment_chunk_adjustment_id_adjustment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment_chunk")),
        sa.UniqueConstraint(
            "adjustment_id",
            "employer_id",
            "after_person_id",
            name=op.f("uq_adjustment_chunk_adjustment_id"),
        ),
    )


def downgrade() -> None:
    op.drop_table("adjustment_chunk")
    op.drop_index("ix_adjustment_region", table_name="adjustment")
    op.drop_table("adjustment")
    # whoever had this counted or written asks anew once the tables are back
    op.execute("DELETE FROM run WHERE kind IN ('adjust_count', 'adjust_write')")
