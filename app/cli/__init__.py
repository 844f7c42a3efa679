"""The `flask` commands, one module per group; the same floor as the pages: parse, call one service, print.

Each module lists its commands and groups in `COMMANDS`.
"""

import importlib
import importlib.util

from flask import Flask

_MODULES = (
    "adjusting",
    "audit",
    "calc",
    "declaration",
    "definitions",
    "demo",
    "doctor",
    "imports",
    "ledger",
    "template",
)


def register(app: Flask) -> None:
    """Give the application its commands."""
    for name in _MODULES:
        if importlib.util.find_spec(f"app.cli.{name}") is None:
            continue
        for command in importlib.import_module(f"app.cli.{name}").COMMANDS:
            app.cli.add_command(command)
