"""The composition root: settings in, a wired Flask application out."""

from __future__ import annotations

import importlib
import importlib.util

from flask import Flask

from app import clock, queue
from app.config import ROOT, Config, from_environ
from app.documents import scanner
from app.extensions import babel, csrf, db, login_manager, migrate
from app.store import crypto, files, retention, session, sms

# What is removed (or not yet there) is left out: jobs run without pages.
EDGES = ("app.web", "app.cli")


def create_app(config: Config | None = None) -> Flask:
    """Build the application from settings (default: the environment)."""
    config = config or from_environ()
    app = Flask(
        "app", root_path=str(ROOT / "app"), instance_path=str(config.instance_dir), static_folder=None
    )
    app.config.from_mapping(_flask_settings(config))
    app.extensions["wangting"] = config

    clock.configure(config.now)
    queue.configure(config.redis_url)
    crypto.configure(config.data_keys)
    files.configure(config.storage_url)
    scanner.configure(config.clamd)
    sms.configure(config.sms_url)
    retention.configure(
        retention.Days(config.keep_code_days, config.keep_message_days, config.keep_outbox_days)
    )

    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)
    login_manager.init_app(app)
    csrf.init_app(app)
    babel.init_app(app)
    importlib.import_module("app.store.models")
    if config.embedded_database:
        config.instance_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with app.app_context():
        session.prepare_engine(db.engine)

    for edge in EDGES:
        if importlib.util.find_spec(edge) is not None:
            register = getattr(importlib.import_module(edge), "register", None)
            if register is not None:
                register(app)
    return app


def _flask_settings(config: Config) -> dict[str, object]:
    return {
        "TESTING": config.testing,
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": session.engine_options(config.database_url),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.https,
        "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "app" / "web" / "translations"),
        "MAX_CONTENT_LENGTH": 12 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
    }
