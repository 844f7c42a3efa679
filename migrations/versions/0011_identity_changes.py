"""Identities as they were before a correction, and an index for the counter's own lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_change",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("declaration_id", sa.BigInteger(), nullable=False),
        sa.Column("at_utc", UtcDateTime(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("before_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("after_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("old_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["declaration_id"], ["declaration.id"], name=op.f("fk_identity_change_declaration_id_declaration")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_identity_change_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_change")),
    )
    op.create_index("ix_identity_change_person", "identity_change", ["person_id", "id"])
    op.create_index("ix_identity_change_hash", "identity_change", ["old_hash"])
    op.create_index(
        "ix_declaration_counter",
        "declaration",
        ["region", "id"],
        sqlite_where=sa.text("channel = '02'"),
        postgresql_where=sa.text("channel = '02'"),
    )


def downgrade() -> None:
    op.drop_index("ix_declaration_counter", table_name="declaration")
    op.drop_table("identity_change")
