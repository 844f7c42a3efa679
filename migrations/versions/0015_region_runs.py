"""Runs over a whole region of any kind, with what became of each employer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None

_SAME = (
    "id", "region", "month", "employer_id", "state", "total_employers", "done_employers", "people", "lines",
    "message", "created_by_id", "created_by_name", "created_at_utc", "finished_at_utc", "beat_at_utc",
)  # fmt: skip
_COUNTS = ("filed", "skipped", "refused", "fence", "attempts")


def upgrade() -> None:
    op.create_table(
        "region_run",
        *_same_columns(),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("filed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("after_no", sa.String(length=32), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region_run")),
    )
    op.create_index("ix_region_run_region", "region_run", ["region", "kind", "id"])
    op.create_index("ix_region_run_state", "region_run", ["state", "beat_at_utc"])
    old, new = _bare("assessment_run"), _bare("region_run", "kind", *_COUNTS, "after_no")
    kept = [old.c[name] for name in _SAME]
    zeros = [sa.literal(0)] * len(_COUNTS)
    op.execute(
        new.insert().from_select(
            [*_SAME, "kind", *_COUNTS, "after_no"],
            sa.select(*kept, sa.literal("assess"), *zeros, sa.literal("")),
        )
    )
    op.drop_index("ix_assessment_run_state", table_name="assessment_run")
    op.drop_index("ix_assessment_run_region", table_name="assessment_run")
    op.drop_table("assessment_run")
    op.create_table(
        "region_run_result",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("employer_no", sa.String(length=32), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=24), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["region_run.id"],
            name=op.f("fk_region_run_result_run_id_region_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_region_run_result_employer_id_employer")
        ),
        sa.PrimaryKeyConstraint("run_id", "employer_no", name=op.f("pk_region_run_result")),
    )
    op.create_index("ix_region_run_result_outcome", "region_run_result", ["run_id", "outcome", "employer_no"])


def _same_columns() -> list[sa.Column]:
    return [
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
    ]


def _bare(name: str, *more: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(each) for each in (*_SAME, *more)))


def downgrade() -> None:
    op.drop_index("ix_region_run_result_outcome", table_name="region_run_result")
    op.drop_table("region_run_result")
    op.create_table(
        "assessment_run", *_same_columns(), sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run"))
    )
    op.create_index("ix_assessment_run_region", "assessment_run", ["region", "id"])
    op.create_index("ix_assessment_run_state", "assessment_run", ["state", "beat_at_utc"])
    old, new = _bare("assessment_run"), _bare("region_run", "kind")
    kept = [new.c[name] for name in _SAME]
    op.execute(old.insert().from_select(list(_SAME), sa.select(*kept).where(new.c.kind == "assess")))
    op.drop_index("ix_region_run_state", table_name="region_run")
    op.drop_index("ix_region_run_region", table_name="region_run")
    op.drop_table("region_run")
