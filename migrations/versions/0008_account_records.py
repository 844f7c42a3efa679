"""What happens to accounts, sealed row by row; one-time codes; an account's own mail and address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.models.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_utc", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_account_event")),
    )
    op.create_index("ix_account_event_user", "account_event", ["user_id", "seq"])
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at_utc", UtcDateTime(), nullable=False),
        sa.Column("expires_at_utc", UtcDateTime(), nullable=False),
        sa.Column("verified_at_utc", UtcDateTime(), nullable=True),
        sa.Column("spent_at_utc", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    op.create_index("ix_one_time_code_subject", "one_time_code", ["subject", "id"])
    op.add_column("user_account", sa.Column("profile_cipher", sa.LargeBinary(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION account_event_stays() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'account_event is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER account_event_stays BEFORE UPDATE OR DELETE ON account_event "
            "FOR EACH ROW EXECUTE FUNCTION account_event_stays()"
        )
    else:
        for act in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER account_event_no_{act} BEFORE {act} ON account_event "
                "BEGIN SELECT RAISE(ABORT, 'account_event is append-only'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER account_event_stays ON account_event")
        op.execute("DROP FUNCTION account_event_stays()")
    op.drop_column("user_account", "profile_cipher")
    op.drop_index("ix_one_time_code_subject", table_name="one_time_code")
    op.drop_table("one_time_code")
    op.drop_index("ix_account_event_user", table_name="account_event")
    op.drop_table("account_event")
