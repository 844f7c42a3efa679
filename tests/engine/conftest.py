"""A recording service and the small journey, compiled once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from app.engine.runtime import ProcessSpec, compile_process
from tests.engine.diagrams import journey

NOW = datetime(2026, 11, 8, 10, 0)


class Services:
    """Stands for the host's services: records calls, answers, fails when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any] | None] = {"enrolment.check": {"backpay_months": 0}}
        self.failures: dict[str, Exception] = {}

    def __call__(
        self, name: str, parameters: dict[str, Any], data: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        self.calls.append((name, parameters))
        if name in self.failures:
            raise self.failures[name]
        return self.answers.get(name)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture(scope="session")
def enrol() -> ProcessSpec:
    bpmn, decisions = journey()
    return compile_process("enrol", bpmn, decisions)
