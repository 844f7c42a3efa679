"""What an open declaration keeps others away from, and what a merge of two records moved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class DeclarationObject(Model):
    """Somebody whom a declaration is about, where a declaration may be about many.

    `open_key` is set while the case is open: the unique rule keeps every other declaration away, whether
    that one is about this person alone or about a hundred. Rows of a declaration about many people stay
    when it is decided, without the key; `person_hash` finds them. One about a single person has a row only
    while it is open.
    """

    __tablename__ = "declaration_object"
    __table_args__ = (
        Index("ix_declaration_object_declaration", "declaration_id"),
        Index("ix_declaration_object_person", "person_hash"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    open_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    person_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class PersonMove(Model):
    """One row of the registry that went from one record of a person to another, by which declaration.

    `subject` is enrolment, line, entry, order or alias (a record that had been merged before).
    """

    __tablename__ = "person_move"
    __table_args__ = (
        Index("ix_person_move_row", "subject", "row_id"),
        Index("ix_person_move_from", "from_person_id"),
    )

    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16), primary_key=True)
    row_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    from_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    to_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
