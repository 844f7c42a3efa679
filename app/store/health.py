"""Small questions to the database, for the doctor."""

from __future__ import annotations

from sqlalchemy import func, select, text

from app.extensions import db
from app.store.models import Declaration, Person


def database_name() -> str:
    """The database's kind and version."""
    dialect = db.engine.dialect.name
    query = "select sqlite_version()" if dialect == "sqlite" else "show server_version"
    return f"{dialect} {db.session.execute(text(query)).scalar()}"


def migration_revision() -> str | None:
    """The migration that the database is at."""
    return db.session.execute(text("select version_num from alembic_version")).scalar()


def sample_ciphers() -> list[bytes]:
    """The newest ciphertexts of each kind, to try the keys on."""
    newest = (
        select(Declaration.data_cipher).order_by(Declaration.id.desc()).limit(1),
        select(Person.id_cipher).order_by(Person.id.desc()).limit(1),
        select(Person.id_cipher).order_by(Person.id).limit(1),
    )
    return [found for query in newest if (found := db.session.execute(query).scalar()) is not None]


def count_statuses() -> dict[str, int]:
    """How many declarations there are of each status."""
    rows = db.session.execute(select(Declaration.status, func.count()).group_by(Declaration.status))
    return {row[0]: row[1] for row in rows}
