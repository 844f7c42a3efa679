"""The region's clock. Edges read it and hand `now` down; rules and services never look by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

# All regions keep one time without daylight saving, so an offset is enough and needs no zone data.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

_fixed: datetime | None = None


def configure(now: datetime | None) -> None:
    """Make the clock stand still at a naive region time, or run again (None)."""
    global _fixed
    if now is not None and now.tzinfo is not None:
        raise ValueError("the region's clock is naive")
    _fixed = now


def is_fixed() -> bool:
    """Whether the clock stands still (a demonstration or a test)."""
    return _fixed is not None


def now() -> datetime:
    """The region's wall clock, naive, to the second's fraction."""
    if _fixed is not None:
        return _fixed
    return datetime.now(CHINA).replace(tzinfo=None)


def today() -> date:
    """The region's date."""
    return now().date()


def utcnow() -> datetime:
    """The same moment as `now()`, aware, for columns named *_at_utc."""
    return to_utc(now())


def to_utc(moment: datetime) -> datetime:
    """Turn a naive region time into an aware UTC one."""
    return moment.replace(tzinfo=CHINA).astimezone(UTC)


def to_region(moment: datetime) -> datetime:
    """Turn an aware time into the region's naive wall clock."""
    return moment.astimezone(CHINA).replace(tzinfo=None)


def real_utcnow() -> datetime:
    """The machine's time, never moved: leases, lock-outs and session ends must run on in a demonstration."""
    return datetime.now(UTC)
