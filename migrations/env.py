"""Runs the migrations on the application's own engine, in one write transaction."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy.types import TypeDecorator

extension = current_app.extensions["migrate"]


def render_plain_type(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our own column types as the plain ones below them: a migration must not follow the code."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def run_migrations() -> None:
    settings = dict(extension.configure_args)
    with extension.db.engine.connect() as plain:
        connection = plain.execution_options(write=True)
        context.configure(
            connection=connection,
            target_metadata=extension.db.metadata,
            render_item=render_plain_type,
            **settings,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("run the migrations against a database: flask db upgrade")
run_migrations()
