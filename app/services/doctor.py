"""Is the installation well? Each check says what it found and, where something is wrong, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from app import clock, queue
from app.definitions import current, seeds
from app.documents import scanner
from app.services.leases import SCHEDULER
from app.store import health, imports, incidents, instances, leases, outbox, sms
from app.store.crypto import CryptoError, decrypt_bytes

OK, WARNING, PROBLEM = "ok", "warning", "problem"
OVERDUE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `level` is ok, warning (look at it) or problem (mend it)."""

    check: str
    level: str
    message: str


def examine(newest_migration: str | None) -> list[Finding]:
    """Run all checks. Shape: `newest_migration` is the newest one that this release brings."""
    found = _guarded("database", lambda: _database(newest_migration))
    if any(each.level == PROBLEM for each in found):
        # nothing else can be asked without the tables
        return [*found, *_guarded("redis", _redis)]
    for name, check in CHECKS.items():
        found += _guarded(name, check)
    return found


def _guarded(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a check that cannot run is a finding, not the doctor's end
        return [Finding(name, PROBLEM, f"{type(error).__name__}: {str(error).splitlines()[0]}")]


def _database(newest_migration: str | None) -> list[Finding]:
    name, revision = health.database_name(), health.migration_revision()
    if newest_migration is not None and revision != newest_migration:
        words = f"{name} is at migration {revision}, this release needs {newest_migration}: flask db upgrade"
        return [Finding("database", PROBLEM, words)]
    return [Finding("database", OK, f"{name}, migration {revision}")]


def _redis() -> list[Finding]:
    if queue.is_available():
        return [Finding("redis", OK, "answers")]
    return [Finding("redis", PROBLEM, "does not answer: see REDIS_URL; what is due waits in the outbox")]


def _definitions() -> list[Finding]:
    regions = current.regions()
    if not regions:
        return [Finding("definitions", PROBLEM, "nothing is published: flask definitions seed")]
    found = [Finding("definitions", OK, f"{len(regions)} regions: {', '.join(name for _, name in regions)}")]
    for region, name in regions:
        for kind in current.kinds(region):
            found += _guarded(f"process {kind} {name}", partial(_compiles, kind, region))
    return found


def _compiles(kind: str, region: str) -> list[Finding]:
    current.current_bundle(kind, region).spec  # noqa: B018 - compiling it is the check
    return []


def _held_back() -> list[Finding]:
    words = "the repository's file changed, but a designer has published a newer version of his own"
    return [Finding("held back", WARNING, f"{key.path}: {words}") for key in seeds.held_back()]


def _keys() -> list[Finding]:
    try:
        tried = [decrypt_bytes(each) for each in health.sample_ciphers()]
    except CryptoError as error:
        return [Finding("keys", PROBLEM, str(error))]
    return [Finding("keys", OK, f"{len(tried)} samples opened")]


def _incidents() -> list[Finding]:
    count = incidents.count_open()
    return [Finding("incidents", WARNING if count else OK, f"{count} open")]


def _outbox() -> list[Finding]:
    waiting, overdue = outbox.count_waiting(clock.real_utcnow() - OVERDUE_AFTER)
    words = f"{waiting} waiting, {overdue} of them for more than {OVERDUE_AFTER.seconds // 60} minutes"
    return [Finding("outbox", PROBLEM if overdue else OK, words)]


def _batches() -> list[Finding]:
    waiting, overdue = imports.count_waiting(clock.real_utcnow() - OVERDUE_AFTER)
    words = f"{waiting} in work, {overdue} untouched for more than {OVERDUE_AFTER.seconds // 60} minutes"
    return [Finding("batches", PROBLEM if overdue else OK, words)]


def _scheduler() -> list[Finding]:
    lease = leases.find_lease(SCHEDULER)
    if lease is None or lease[1] < clock.real_utcnow():
        return [Finding("scheduler", WARNING, "none is running: timers and the outbox are not looked after")]
    return [Finding("scheduler", OK, f"held by {lease[0]}")]


def _cases() -> list[Finding]:
    counts = ", ".join(f"{status} {count}" for status, count in sorted(health.count_statuses().items()))
    stuck = instances.count_by_status().get(instances.INCIDENT, 0)
    level = WARNING if stuck else OK
    return [Finding("cases", level, f"{counts or 'none'}; {stuck} with an incident")]


def _scanner() -> list[Finding]:
    if not scanner.is_configured():
        words = "CLAMD_ADDRESS is not set: uploaded materials are not scanned for viruses"
        return [Finding("scanner", WARNING, words)]
    try:
        return [Finding("scanner", OK, scanner.version())]
    except scanner.ScannerAway as error:
        return [Finding("scanner", PROBLEM, f"{error}; materials wait until it answers")]


def _text_messages() -> list[Finding]:
    where = "kept in the database, none is sent (SMS_URL)" if sms.scheme() == sms.LOCAL else "are sent"
    return [Finding("text messages", OK, f"{sms.scheme()}: {where}")]


CHECKS: dict[str, Callable[[], list[Finding]]] = {
    "redis": _redis,
    "definitions": _definitions,
    "held back": _held_back,
    "keys": _keys,
    "incidents": _incidents,
    "outbox": _outbox,
    "batches": _batches,
    "scheduler": _scheduler,
    "cases": _cases,
    "scanner": _scanner,
    "text messages": _text_messages,
}
