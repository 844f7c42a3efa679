"""What every test shares: private servers, a browser, and the rule that nothing is skipped."""

import atexit
import importlib.util
import os
import shutil
import tempfile

import pytest

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.postgres",
    "tests.fixtures.redis",
    "tests.fixtures.server",
    *(["tests.fixtures.database"] if importlib.util.find_spec("tests.fixtures.database") else []),
]

# The machine's own installation must neither be read nor touched by a test.
for _name in (
    "DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "DATA_KEYS",
    "DEMO_PASSWORD", "SMS_URL", "WANGTING_NOW", "WANGTING_DEMO", "WANGTING_INSTANCE",
):  # fmt: skip
    os.environ.pop(_name, None)


# Commands that tests start in the repository make their secrets here.
os.environ["WANGTING_INSTANCE"] = tempfile.mkdtemp(prefix="wt-instance-")
atexit.register(shutil.rmtree, os.environ["WANGTING_INSTANCE"], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """A skipped test hides that something was not tried: it fails."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """The same for a module that skips itself."""
    return _refuse_skip((yield))


def _refuse_skip(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"nothing may be skipped here: {reason}"
    return report
