"""Published versions of processes, decisions, forms and parameters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class DefinitionVersion(Model):
    """One version of one file. `kind` process|decision|form|parameters; `region` "" is province-wide.

    `origin` is seed (from the repository) or designer; `status` draft, published, retired or held_back.
    """

    __tablename__ = "definition_version"
    __table_args__ = (
        UniqueConstraint("kind", "name", "region", "version"),
        Index("ix_definition_current", "status", "kind", "name", "region"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    region: Mapped[str] = mapped_column(String(6), default="")
    version: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16), default="seed")
    note: Mapped[str] = mapped_column(String(255), default="")
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    effective_from_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class DefinitionBundle(Model):
    """The set of versions that instances of one kind and region start with; `sha256` names the set."""

    __tablename__ = "definition_bundle"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    region: Mapped[str] = mapped_column(String(6))
    version_ids: Mapped[list] = mapped_column(JSON)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
