"""Batch files, their rows, materials, and leases of background work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class ImportBatch(Model):
    """One uploaded batch file: the truth about its progress. `fence` rises with each lease taken."""

    __tablename__ = "import_batch"
    __table_args__ = (
        Index("ix_batch_employer", "employer_id", "kind", "id"),
        Index("ix_batch_state", "state", "lease_until_utc"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    kind: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(255))
    file_key: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(Integer)
    settings_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    bundle_id: Mapped[int] = mapped_column(ForeignKey("definition_bundle.id"))
    state: Mapped[str] = mapped_column(String(16), default="queued")  # queued running finished failed stopped
    total_rows: Mapped[int] = mapped_column(Integer, default=0)
    done_rows: Mapped[int] = mapped_column(Integer, default=0)
    accepted_rows: Mapped[int] = mapped_column(Integer, default=0)
    rejected_rows: Mapped[int] = mapped_column(Integer, default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    lease_until_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stop_requested: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    purge_after_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # when somebody confirmed what the form wants confirmed after the import
    confirmed_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportRow(Model):
    """One row of a batch file. `cells_cipher` is the row as it came; errors are [{field, code, message}]."""

    __tablename__ = "import_row"
    __table_args__ = (Index("ix_import_row_state", "batch_id", "state", "row_number"),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    row_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))  # waiting accepted rejected
    cells_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    errors: Mapped[list] = mapped_column(JSON, default=list)
    warnings: Mapped[list] = mapped_column(JSON, default=list)
    declaration_id: Mapped[int | None] = mapped_column(BigInteger)


class Material(Model):
    """An uploaded supporting document of a case; bytes live in the file store under `file_key`."""

    __tablename__ = "material"
    __table_args__ = (
        Index("ix_material_declaration", "declaration_id", "item"),
        # one document may stand for several people of a batch
        Index("ix_material_file", "file_key"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    item: Mapped[str] = mapped_column(String(48))
    file_name: Mapped[str] = mapped_column(String(255))
    file_key: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="received")  # received ready refused
    pages: Mapped[int] = mapped_column(Integer, default=0)
    thumbnail_key: Mapped[str | None] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text, default="")
    scan: Mapped[str] = mapped_column(String(16), default="none")
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class BatchFile(Model):
    """A document of a batch that belongs to nobody yet; `candidates` are declarations to choose from."""

    __tablename__ = "batch_file"
    __table_args__ = (Index("ix_batch_file_batch", "batch_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(48), default="")
    reason: Mapped[str] = mapped_column(String(32))
    candidates: Mapped[list] = mapped_column(JSON, default=list)
    file_name: Mapped[str] = mapped_column(String(255))
    file_key: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int] = mapped_column(Integer, default=0)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class Lease(Model):
    """A named right to do background work (one scheduler per installation), held until `until_utc`."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(Integer, default=0)
    until_utc: Mapped[datetime] = mapped_column(UtcDateTime)
