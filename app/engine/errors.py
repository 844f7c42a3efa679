"""What the engine refuses, each with a name."""


class EngineError(Exception):
    """Base of everything this package raises by itself; errors of services pass through unchanged."""


class DefinitionInvalid(EngineError):
    """A diagram or decision table cannot be used.

    `file` is the name it was given under, `element` the BPMN id (or ''), `message` says why.
    """

    def __init__(self, file: str, element: str, message: str) -> None:
        super().__init__(f"{file}: {element}: {message}" if element else f"{file}: {message}")
        self.file = file
        self.element = element
        self.message = message


class UnsafeExpression(EngineError):
    """An expression or script uses something outside the safe language."""

    def __init__(self, text: str, problems: list[str]) -> None:
        super().__init__(f"{text[:200]!r}: " + "; ".join(problems))
        self.text = text
        self.problems = problems


class ExpressionFailed(EngineError):
    """A safe expression could not be evaluated on this data (undefined name, wrong type, too large)."""


class ProcessFailed(EngineError):
    """The diagram could not go on (no condition matched, missing data); nothing was changed."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(f"{element}: {message}" if element else message)
        self.element = element
        self.message = message


class NothingWaits(EngineError):
    """A message was sent that this process does not wait for now."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TaskNotOpen(EngineError):
    """The task that should be completed is not open (any more)."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id


class StateUnreadable(EngineError):
    """A stored state is of a format this release does not know, or belongs to another definition."""
