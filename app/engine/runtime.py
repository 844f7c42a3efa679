"""Start, complete, send and wake a process over an opaque state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.engine.outcome import Outcome, ServiceCall


class ProcessSpec:
    """A parsed process with everything it calls; opaque, hashable, shared inside one OS process."""

    process_id: str


def compile_process(
    process_id: str, bpmn: Mapping[str, bytes], decisions: Mapping[str, bytes]
) -> ProcessSpec:
    """Parse a process with its call activities and decision tables.

    Shape: file name -> content. Raises: DefinitionInvalid (file, element, message).
    """
    raise NotImplementedError


def start(spec: ProcessSpec, data: Mapping[str, Any], call: ServiceCall, now: datetime) -> Outcome:
    """Start a process and run it to its first wait.

    Raises: ProcessFailed, ExpressionFailed, and what `call` raises, unchanged.
    """
    raise NotImplementedError


def complete(
    spec: ProcessSpec, state: bytes, task_id: str, data: Mapping[str, Any], call: ServiceCall, now: datetime
) -> Outcome:
    """Complete an open user task with its form data and run on to the next wait. Raises: TaskNotOpen."""
    raise NotImplementedError


def send(
    spec: ProcessSpec, state: bytes, message: str, data: Mapping[str, Any], call: ServiceCall, now: datetime
) -> Outcome:
    """Deliver a message and run on. Raises: NothingWaits when nothing waits for it."""
    raise NotImplementedError


def wake(spec: ProcessSpec, state: bytes, call: ServiceCall, now: datetime) -> Outcome:
    """Fire the timers that are due at `now` and run on."""
    raise NotImplementedError
