"""Long work of any kind as runs with what became of each; when what a file says was confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SAME = (
    "id", "region", "month", "employer_id", "state", "people", "lines", "message", "created_by_id",
    "created_by_name", "created_at_utc", "finished_at_utc", "beat_at_utc",
)  # fmt: skip
_OLD, _NEW = ("total_employers", "done_employers"), ("total", "done")
_COUNTS = ("filed", "skipped", "refused", "fence", "attempts")


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("confirmed_at_utc", UtcDateTime(), nullable=True))
    op.create_table(
        "run",
        *_same_columns("total", "done"),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("filed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("after_no", sa.String(length=32), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_region", "run", ["region", "kind", "id"])
    op.create_index("ix_run_state", "run", ["state", "beat_at_utc"])
    op.create_index("ix_run_batch", "run", ["batch_id", "id"])
    old, new = _bare("assessment_run", *_OLD), _bare("run", *_NEW, "kind", *_COUNTS, "after_no")
    kept = [old.c[name] for name in (*_SAME, *_OLD)]
    zeros = [sa.literal(0)] * len(_COUNTS)
    op.execute(
        new.insert().from_select(
            [*_SAME, *_NEW, "kind", *_COUNTS, "after_no"],
            sa.select(*kept, sa.literal("assess"), *zeros, sa.literal("")),
        )
    )
    op.drop_index("ix_assessment_run_state", table_name="assessment_run")
    op.drop_index("ix_assessment_run_region", table_name="assessment_run")
    op.drop_table("assessment_run")
    op.create_table(
        "run_result",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(length=32), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=24), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_run_result_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_run_result_employer_id_employer")
        ),
        sa.PrimaryKeyConstraint("run_id", "place", name=op.f("pk_run_result")),
    )
    op.create_index("ix_run_result_outcome", "run_result", ["run_id", "outcome", "place"])


def _same_columns(total: str, done: str) -> list[sa.Column]:
    return [
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("employer_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(total, sa.Integer(), nullable=False),
        sa.Column(done, sa.Integer(), nullable=False),
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
    op.drop_column("import_batch", "confirmed_at_utc")
    op.drop_index("ix_run_result_outcome", table_name="run_result")
    op.drop_table("run_result")
    op.create_table(
        "assessment_run",
        *_same_columns("total_employers", "done_employers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run")),
    )
    op.create_index("ix_assessment_run_region", "assessment_run", ["region", "id"])
    op.create_index("ix_assessment_run_state", "assessment_run", ["state", "beat_at_utc"])
    old, new = _bare("assessment_run", *_OLD), _bare("run", *_NEW, "kind")
    kept = [new.c[name] for name in (*_SAME, *_NEW)]
    op.execute(old.insert().from_select([*_SAME, *_OLD], sa.select(*kept).where(new.c.kind == "assess")))
    op.drop_index("ix_run_batch", table_name="run")
    op.drop_index("ix_run_state", table_name="run")
    op.drop_index("ix_run_region", table_name="run")
    op.drop_table("run")
