"""Whether the database has been set up at all."""

from sqlalchemy import inspect

from app.extensions import db


def has_table(name: str) -> bool:
    """Tell whether a table exists: commands that only calculate also work before the first migration."""
    return inspect(db.engine).has_table(name)
