"""The migrations make exactly the tables of the models, and can be taken back."""

import flask_migrate
from sqlalchemy import inspect

from app.extensions import db


def test_models_and_migrations_agree(app):
    with app.app_context():
        flask_migrate.check()


def test_down_and_up_again(app):
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        assert "contribution_line" in inspect(db.engine).get_table_names()
