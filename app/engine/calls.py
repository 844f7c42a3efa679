"""The one choke point: every expression, script and service call of a diagram passes through here."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from SpiffWorkflow.bpmn.script_engine import BasePythonScriptEngineEnvironment, PythonScriptEngine

from app.engine.decisions import DecisionTable
from app.engine.errors import ExpressionFailed
from app.engine.language import evaluate, execute, parse_expression, plain
from app.engine.outcome import Data, ServiceCall


class SafeEnvironment(BasePythonScriptEngineEnvironment):
    """Evaluates and executes in the safe language only; has no globals to protect or to shadow."""

    def evaluate(
        self, expression: str, context: Mapping[str, Any], external_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return an expression's value over the task's data (and the library's own additions)."""
        scope = {**external_context, **context} if external_context else context
        return evaluate(expression, scope)

    def execute(self, script: str, context: Data, external_context: Mapping[str, Any] | None = None) -> bool:
        """Run a script's assignments on the task's data."""
        execute(script, context)
        return True


class Engine(PythonScriptEngine):
    """The library's script engine for one action: the safe language, `now` and the caller's services.

    Errors come out as they are: the library's own wrapping hides what a service raised.
    """

    def __init__(self, call: ServiceCall, now: datetime, environment: SafeEnvironment | None = None) -> None:
        super().__init__(environment or SafeEnvironment())
        self.now = now
        self.failure: BaseException | None = None
        self._call = call

    def validate(self, expression: str) -> None:
        """Raise SyntaxError where the text is outside the safe language."""
        problems = parse_expression(expression).problems
        if problems:
            raise SyntaxError("; ".join(problems))

    def evaluate(self, task: Any, expression: str, external_context: Mapping[str, Any] | None = None) -> Any:
        """Return an expression's value over a task's data."""
        return self.environment.evaluate(expression, task.data, external_context)

    def execute(self, task: Any, script: str, external_context: Mapping[str, Any] | None = None) -> bool:
        """Run a script's assignments on a task's data."""
        self.environment.execute(script, task.data)
        return True

    def parameter(self, task: Any, expression: str) -> Any:
        """Return the value of a service's parameter."""
        return self.evaluate(task, expression)

    def decide(self, task: Any, table: DecisionTable) -> Data:
        """Return a decision table's answers on a task's data."""
        return table.decide(task.data, self.environment.evaluate)

    def serve(self, task: Any, name: str, parameters: Data) -> Data | None:
        """Call a service of the caller's and return its result as plain data.

        What the service raises is remembered, so that it is not taken for a failure of the diagram.
        """
        try:
            result = self._call(name, plain(parameters), MappingProxyType(task.data))
        except BaseException as failure:
            self.failure = failure
            raise
        if result is None:
            return None
        try:
            copied: Data = plain(result)
        except ExpressionFailed as failure:
            raise ExpressionFailed(f"service {name} returned what is not plain data: {failure}") from None
        return copied
