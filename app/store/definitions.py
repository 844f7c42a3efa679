"""Published versions of definitions, and the bundles that instances are pinned to."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.errors import NotFound
from app.extensions import db
from app.store.ids import new_id
from app.store.models import DefinitionBundle, DefinitionVersion
from app.store.session import insert_rows, is_postgresql

PUBLISHED, RETIRED, HELD_BACK, DRAFT = "published", "retired", "held_back", "draft"


def get_version(version_id: int) -> DefinitionVersion:
    """One version with its content. Raises: NotFound."""
    version = db.session.get(DefinitionVersion, version_id)
    if version is None:
        raise NotFound("there is no such definition version")
    return version


def get_versions(version_ids: Collection[int]) -> list[DefinitionVersion]:
    """Several versions with their content, in one statement, by kind, name and region."""
    if not version_ids:
        return []
    query = select(DefinitionVersion).where(DefinitionVersion.id.in_(version_ids))
    return list(db.session.scalars(query.order_by(*_TAIL)))


_TAIL = (
    DefinitionVersion.kind,
    DefinitionVersion.name,
    DefinitionVersion.region,
    DefinitionVersion.version,
    DefinitionVersion.id,
)


def published_versions(kind: str | None = None, at: datetime | None = None) -> list[DefinitionVersion]:
    """What is published (of one kind): the newest published version of each name and region.

    With `at` (aware), only what is in effect by then.
    """
    query = select(DefinitionVersion).where(DefinitionVersion.status == PUBLISHED)
    if kind is not None:
        query = query.where(DefinitionVersion.kind == kind)
    if at is not None:
        query = query.where(DefinitionVersion.effective_from_utc <= at)
    newest: dict[tuple[str, str, str], DefinitionVersion] = {}
    for version in db.session.scalars(query.order_by(*_TAIL)):
        newest[version.kind, version.name, version.region] = version
    return list(newest.values())


def list_versions(
    kind: str | None = None, name: str | None = None, region: str | None = None
) -> list[DefinitionVersion]:
    """Every version that fits, by kind, name, region and version; at most 2,000."""
    query = select(DefinitionVersion)
    for column, wanted in (
        (DefinitionVersion.kind, kind),
        (DefinitionVersion.name, name),
        (DefinitionVersion.region, region),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return list(db.session.scalars(query.order_by(*_TAIL).limit(2000)))


def versions_mark() -> tuple[int, int]:
    """How many versions there are and the largest id: a row that commits late still changes the count."""
    count, largest = db.session.execute(
        select(func.count(DefinitionVersion.id), func.max(DefinitionVersion.id))
    ).one()
    return count, largest or 0


def process_cache() -> dict[str, Any]:
    """A dict that lives as long as this OS process's engine for this database."""
    return _caches.setdefault(db.engine, {})


def forget_process_caches() -> None:
    """Drop those dicts, for every database."""
    _caches.clear()


_caches: weakref.WeakKeyDictionary[Engine, dict[str, Any]] = weakref.WeakKeyDictionary()


def add_versions(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add versions, in one statement."""
    insert_rows(DefinitionVersion, rows)


def retire_versions(version_ids: Collection[int]) -> None:
    """Take versions out of use for new instances; pinned ones go on with them."""
    if version_ids:
        db.session.execute(
            update(DefinitionVersion)
            .where(
                DefinitionVersion.id.in_(version_ids),
                or_(DefinitionVersion.status == PUBLISHED, DefinitionVersion.status == HELD_BACK),
            )
            .values(status=RETIRED)
        )


def get_bundle(bundle_id: int) -> DefinitionBundle:
    """One bundle. Raises: NotFound."""
    bundle = db.session.get(DefinitionBundle, bundle_id)
    if bundle is None:
        raise NotFound("there is no such definition bundle")
    return bundle


def find_bundle(sha256: str) -> DefinitionBundle | None:
    """The bundle of exactly this set of versions, if one was made."""
    query = select(DefinitionBundle).where(DefinitionBundle.sha256 == sha256)
    return db.session.scalars(query).one_or_none()


def ensure_bundle(sha256: str, kind: str, region: str, version_ids: Sequence[int], now_utc: datetime) -> int:
    """Give the id of the bundle of this set, adding it in the open transaction if nobody else has."""
    dialect = postgresql if is_postgresql() else sqlite
    row = {
        "id": new_id(),
        "sha256": sha256,
        "kind": kind,
        "region": region,
        "version_ids": list(version_ids),
        "created_at_utc": now_utc,
    }
    insert = dialect.insert(DefinitionBundle.__table__).values(row)
    db.session.execute(insert.on_conflict_do_nothing(index_elements=["sha256"]))
    query = select(DefinitionBundle.id).where(DefinitionBundle.sha256 == sha256)
    return db.session.scalars(query).one()
