"""How long there is left, in words, with a tone and an icon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from app.domain.calendar import add_working_days, working_days_left
from app.domain.parameters import ParameterSet

_NO_LIMIT_YEAR = 9000


@dataclass(frozen=True, slots=True)
class Left:
    """The time left until a deadline; `tone` is good, warn, bad or "" where nothing presses."""

    text: str
    tone: str
    icon: str


def time_left(due_at: datetime, now: datetime, parameters: ParameterSet) -> Left:
    """The time left in working days, in hours on the last day."""
    if due_at.year > _NO_LIMIT_YEAR:
        return Left(_("不限时"), "", "clock")
    days = working_days_left(now, due_at, parameters.holidays, parameters.workdays)
    if due_at < now:
        return Left(_late(now - due_at, -days), "bad", "alert-circle")
    if due_at.date() == now.date():
        hours = max(int((due_at - now).total_seconds() // 3600), 0)
        words = _("还剩 %(number)s 小时", number=hours) if hours else _("还剩不到 1 小时")
        return Left(words, "warn", "clock")
    # a deadline on a day off is that of the working day before
    words = _("还剩 %(number)s 个工作日", number=days) if days else _("今日到期")
    return Left(words, "warn" if days <= 1 else "good", "clock" if days <= 1 else "circle-check")


def _late(past: timedelta, working_days: int) -> str:
    if working_days > 0:
        return _("已超期 %(number)s 天", number=working_days)
    hours = int(past.total_seconds() // 3600)
    return _("已超期 %(number)s 小时", number=hours) if hours else _("刚刚超期")


def soon(now: datetime, parameters: ParameterSet) -> datetime:
    """The moment until which work is pressing: the end of the next working day."""
    last = add_working_days(now, 1, parameters.holidays, parameters.workdays)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
