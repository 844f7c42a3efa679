"""Whom a declaration about many people keeps others away from, and what a merge of two records moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UNPAID = "received_on IS NULL AND reversed_by_id IS NULL"


def upgrade() -> None:
    op.create_table(
        "declaration_object",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("declaration_id", sa.BigInteger(), nullable=False),
        sa.Column("open_key", sa.String(length=80), nullable=True),
        sa.Column("person_hash", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["declaration_id"],
            ["declaration.id"],
            name=op.f("fk_declaration_object_declaration_id_declaration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration_object")),
        sa.UniqueConstraint("open_key", name=op.f("uq_declaration_object_open_key")),
    )
    op.create_index("ix_declaration_object_declaration", "declaration_object", ["declaration_id"])
    op.create_index("ix_declaration_object_person", "declaration_object", ["person_hash"])
    # What is open keeps its objects: the id of the declaration is as good as a new one.
    op.execute(
        "INSERT INTO declaration_object (id, declaration_id, open_key) "
        "SELECT id, id, open_key FROM declaration WHERE open_key IS NOT NULL"
    )
    op.create_table(
        "person_move",
        sa.Column("declaration_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_person_id", sa.BigInteger(), nullable=False),
        sa.Column("to_person_id", sa.BigInteger(), nullable=False),
        sa.Column("at_utc", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name=op.f("fk_person_move_declaration_id_declaration")
        ),
        sa.ForeignKeyConstraint(
            ["from_person_id"], ["person.id"], name=op.f("fk_person_move_from_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["to_person_id"], ["person.id"], name=op.f("fk_person_move_to_person_id_person")
        ),
        sa.PrimaryKeyConstraint("declaration_id", "subject", "row_id", name=op.f("pk_person_move")),
    )
    op.create_index("ix_person_move_row", "person_move", ["subject", "row_id"])
    op.create_index("ix_person_move_from", "person_move", ["from_person_id"])
    op.create_index("ix_person_merged", "person", ["merged_into_id"], **_where("merged_into_id IS NOT NULL"))
    op.create_index("ix_line_unpaid", "contribution_line", ["employer_id", "due_month"], **_where(_UNPAID))


def _where(words: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


def downgrade() -> None:
    op.drop_index("ix_line_unpaid", table_name="contribution_line")
    op.drop_index("ix_person_merged", table_name="person")
    op.drop_index("ix_person_move_from", table_name="person_move")
    op.drop_index("ix_person_move_row", table_name="person_move")
    op.drop_table("person_move")
    op.drop_index("ix_declaration_object_person", table_name="declaration_object")
    op.drop_index("ix_declaration_object_declaration", table_name="declaration_object")
    op.drop_table("declaration_object")
