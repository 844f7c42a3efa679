"""Text messages that the local gateway keeps instead of sending."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class SmsMessage(Model):
    """One text message, sealed. `outbox_id` makes it come once, however often the job runs."""

    __tablename__ = "sms_message"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    outbox_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    phone_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    phone_last4: Mapped[str] = mapped_column(String(4))
    text_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
