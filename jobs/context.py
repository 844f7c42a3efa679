"""The application that jobs of this process run in: made once, entered once per job."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from app.factory import create_app

Given = ParamSpec("Given")
Result = TypeVar("Result")

_application: Any = None


def application() -> Any:
    """The application of this process, made at first use."""
    global _application
    if _application is None:
        _application = create_app()
    return _application


def use(application: Any) -> None:
    """Let jobs of this process run in an application that is there already; None forgets it."""
    global _application
    _application = application


def in_application(job: Callable[Given, Result]) -> Callable[Given, Result]:
    """Run a job inside an application context of its own."""

    @wraps(job)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with application().app_context():
            return job(*args, **kwargs)

    return run
