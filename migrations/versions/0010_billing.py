"""What was assessed, payment notices, postings, and the columns of lines that they need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contribution_line", sa.Column("wage_fen", sa.BigInteger(), nullable=True))
    op.add_column(
        "contribution_line",
        sa.Column("collection_method", sa.String(length=2), server_default="02", nullable=False),
    )
    for name in ("interest_fen", "late_fee_fen", "other_fen"):
        op.add_column(
            "contribution_line", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        )
    op.add_column("contribution_line", sa.Column("late_from", sa.Date(), nullable=True))
    op.add_column("contribution_line", sa.Column("notice_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_line_notice", "contribution_line", ["notice_id"])
    op.create_index(
        "ix_line_without_notice",
        "contribution_line",
        ["employer_id", "due_month"],
        sqlite_where=sa.text("notice_id IS NULL"),
        postgresql_where=sa.text("notice_id IS NULL"),
    )
    _assessments()
    _notices()


def _assessments() -> None:
    op.create_table(
        "assessment",
        sa.Column("employer_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("started_at_utc", UtcDateTime(), nullable=False),
        sa.Column("finished_at_utc", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_assessment_employer_id_employer")
        ),
        sa.PrimaryKeyConstraint("employer_id", "month", name=op.f("pk_assessment")),
    )
    op.create_index("ix_assessment_region", "assessment", ["region", "month"])
    op.create_table(
        "assessment_run",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("total_employers", sa.Integer(), nullable=False),
        sa.Column("done_employers", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by_name", sa.String(length=64), nullable=False),
        sa.Column("created_at_utc", UtcDateTime(), nullable=False),
        sa.Column("finished_at_utc", UtcDateTime(), nullable=True),
        sa.Column("beat_at_utc", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run")),
    )
    op.create_index("ix_assessment_run_region", "assessment_run", ["region", "id"])
    op.create_index("ix_assessment_run_state", "assessment_run", ["state", "beat_at_utc"])


def _notices() -> None:
    op.create_table(
        "payment_notice",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=False),
        sa.Column("due_month", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("made_at_utc", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_payment_notice_employer_id_employer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_notice")),
        sa.UniqueConstraint("number", name=op.f("uq_payment_notice_number")),
        sa.UniqueConstraint("employer_id", "due_month", "kind", name=op.f("uq_payment_notice_employer_id")),
    )
    op.create_index("ix_payment_notice_region", "payment_notice", ["region", "due_month", "id"])
    op.create_table(
        "notice_serial",
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_notice_serial")),
    )
    op.create_table(
        "payment_posting",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("voucher", sa.String(length=64), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("late_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("posted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("posted_by_name", sa.String(length=64), nullable=False),
        sa.Column("posted_at_utc", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["payment_notice.id"], name=op.f("fk_payment_posting_notice_id_payment_notice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_posting")),
        sa.UniqueConstraint("notice_id", "voucher", name=op.f("uq_payment_posting_notice_id")),
    )
    op.create_table(
        "order_posting",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("posted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("posted_by_name", sa.String(length=64), nullable=False),
        sa.Column("posted_at_utc", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["payment_order.id"], name=op.f("fk_order_posting_order_id_payment_order")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_posting")),
    )


def downgrade() -> None:
    for table in ("order_posting", "payment_posting", "notice_serial"):
        op.drop_table(table)
    op.drop_index("ix_payment_notice_region", table_name="payment_notice")
    op.drop_table("payment_notice")
    op.drop_index("ix_assessment_run_state", table_name="assessment_run")
    op.drop_index("ix_assessment_run_region", table_name="assessment_run")
    op.drop_table("assessment_run")
    op.drop_index("ix_assessment_region", table_name="assessment")
    op.drop_table("assessment")
    op.drop_index("ix_line_without_notice", table_name="contribution_line")
    op.drop_index("ix_line_notice", table_name="contribution_line")
    for name in (
        "notice_id", "late_from", "other_fen", "late_fee_fen", "interest_fen", "collection_method", "wage_fen",
    ):  # fmt: skip
        op.drop_column("contribution_line", name)
