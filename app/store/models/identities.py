"""Who a person was before a correction of number, name, sex or birth date."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class IdentityChange(Model):
    """One correction of a person's identity, by which declaration: values before and after, as ciphertext.

    `changed` names the columns that changed; `old_hash` finds the person by a number of before.
    """

    __tablename__ = "identity_change"
    __table_args__ = (
        Index("ix_identity_change_person", "person_id", "id"),
        Index("ix_identity_change_hash", "old_hash"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[list] = mapped_column(JSON, default=list)
    before_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    after_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    old_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
