"""The day on which an insured person died."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("died_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "died_on")
