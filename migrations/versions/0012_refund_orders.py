"""Orders to pay what is due back to an employer, and the credits that they take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NEW = ("number", "employer_id", "ordered_by_id", "ordered_by_name", "cancelled_by_name", "cancelled_at_utc")


def upgrade() -> None:
    op.add_column("contribution_line", sa.Column("order_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_line_order",
        "contribution_line",
        ["order_id"],
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    _set_postings_aside()
    with op.batch_alter_table("payment_order") as batch:
        batch.alter_column("declaration_id", existing_type=sa.BigInteger(), nullable=True)
        batch.alter_column("person_id", existing_type=sa.BigInteger(), nullable=True)
        # an employer's name is longer than a person's
        batch.alter_column("payee", existing_type=sa.String(length=100), type_=sa.String(length=128))
        batch.add_column(sa.Column("number", sa.String(length=24), nullable=True))
        batch.add_column(sa.Column("employer_id", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("ordered_by_id", sa.BigInteger(), nullable=True))
        batch.add_column(
            sa.Column("ordered_by_name", sa.String(length=64), server_default="", nullable=False)
        )
        batch.add_column(
            sa.Column("cancelled_by_name", sa.String(length=64), server_default="", nullable=False)
        )
        batch.add_column(sa.Column("cancelled_at_utc", UtcDateTime(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_payment_order_employer_id_employer"), "employer", ["employer_id"], ["id"]
        )
        batch.create_unique_constraint(op.f("uq_payment_order_number"), ["number"])
    _put_postings_back()
    op.create_index("ix_payment_order_employer", "payment_order", ["employer_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_payment_order_employer", table_name="payment_order")
    op.execute(
        "DELETE FROM order_posting WHERE order_id IN (SELECT id FROM payment_order WHERE number IS NOT NULL)"
    )
    op.execute("DELETE FROM payment_order WHERE number IS NOT NULL")
    _set_postings_aside()
    with op.batch_alter_table("payment_order") as batch:
        batch.drop_constraint(op.f("uq_payment_order_number"), type_="unique")
        batch.drop_constraint(op.f("fk_payment_order_employer_id_employer"), type_="foreignkey")
        for name in reversed(_NEW):
            batch.drop_column(name)
        batch.alter_column("payee", existing_type=sa.String(length=128), type_=sa.String(length=100))
        batch.alter_column("person_id", existing_type=sa.BigInteger(), nullable=False)
        batch.alter_column("declaration_id", existing_type=sa.BigInteger(), nullable=False)
    _put_postings_back()
    op.drop_index("ix_line_order", table_name="contribution_line")
    op.drop_column("contribution_line", "order_id")


def _set_postings_aside() -> None:
    """SQLite makes the table anew, and does not let it go while rows of another one name its rows."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE TEMPORARY TABLE posting_aside AS SELECT * FROM order_posting")
        op.execute("DELETE FROM order_posting")


def _put_postings_back() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO order_posting SELECT * FROM posting_aside")
        op.execute("DROP TABLE posting_aside")
