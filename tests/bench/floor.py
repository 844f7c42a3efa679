"""The floor under every timing: SpiffWorkflow alone on the same diagrams. Imports nothing from the product.

One row per instance, a row lock and one commit for each action; the library's own serializer; services
answer constants. What the product adds on top (forms, rules, registry, tasks, history) is what a ratio shows.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.util.task import TaskState

ROOT = Path(__file__).resolve().parents[2] / "bpmn"
TABLE = "CREATE TABLE IF NOT EXISTS floor_instance (id serial PRIMARY KEY, state text NOT NULL)"


class ConstantServices(PythonScriptEngine):
    """Answers every service call at once."""

    def call_service(self, task: Any, **_call: Any) -> str:
        return json.dumps({"message_code": "", "backpay_months": 0, "reason": ""})


class Floor:
    """Runs one process file with the files it calls."""

    def __init__(self, process_id: str, facts: dict[str, Any]) -> None:
        parser = SpiffBpmnParser()
        for path in sorted((ROOT / "processes").glob("*.bpmn")):
            if "." not in path.stem:  # province-wide files only: one definition for each process id
                parser.add_bpmn_str(path.read_bytes())
        for path in sorted((ROOT / "decisions").glob("*.dmn")):
            parser.add_dmn_str(path.read_bytes())
        self.spec = parser.get_spec(process_id)
        self.subprocesses = parser.get_subprocess_specs(process_id)
        self.facts = facts
        self.engine = ConstantServices(TaskDataEnvironment({}))
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))

    def start(self) -> BpmnWorkflow:
        workflow = BpmnWorkflow(self.spec, self.subprocesses, script_engine=self.engine)
        workflow.data.update(self.facts)
        workflow.task_tree.data.update(self.facts)
        workflow.do_engine_steps()
        return workflow

    def complete(self, workflow: BpmnWorkflow, data: dict[str, Any]) -> None:
        task = next(iter(workflow.get_tasks(state=TaskState.READY, manual=True)))
        task.data.update(data)
        task.run()
        workflow.do_engine_steps()

    def dump(self, workflow: BpmnWorkflow) -> str:
        return self.serializer.serialize_json(workflow)

    def load(self, state: str) -> BpmnWorkflow:
        workflow = self.serializer.deserialize_json(state)
        workflow.script_engine = self.engine
        return workflow

    def file(self, connection: Any) -> int:
        """Start, fill, save: one insert, one commit."""
        workflow = self.start()
        self.complete(workflow, {})
        row = connection.execute(
            "INSERT INTO floor_instance (state) VALUES (%s) RETURNING id", (self.dump(workflow),)
        ).fetchone()
        connection.commit()
        return int(row[0])

    def act(self, connection: Any, instance_id: int, data: dict[str, Any]) -> bool:
        """Lock, load, complete the open task, save: one select, one update, one commit."""
        state = connection.execute(
            "SELECT state FROM floor_instance WHERE id = %s FOR UPDATE", (instance_id,)
        ).fetchone()[0]
        workflow = self.load(state)
        self.complete(workflow, data)
        connection.execute(
            "UPDATE floor_instance SET state = %s WHERE id = %s", (self.dump(workflow), instance_id)
        )
        connection.commit()
        return workflow.is_completed()


class CaseFloor:
    """Cases of one kind, one after the other: filed, then each of some acts with its answer."""

    def __init__(
        self, connection: Any, process_id: str, facts: dict[str, Any], acts: dict[str, dict[str, Any]]
    ) -> None:
        self._connection = connection
        self._floor = Floor(process_id, facts)
        self._acts = acts
        connection.execute(TABLE)
        connection.commit()

    def run(self) -> dict[str, float]:
        """Seconds of each action of one case."""
        began = time.perf_counter()
        instance_id = self._floor.file(self._connection)
        taken = {"file": time.perf_counter() - began}
        ended = False
        for step, answer in self._acts.items():
            began = time.perf_counter()
            ended = self._floor.act(self._connection, instance_id, answer)
            taken[step] = time.perf_counter() - began
        if not ended:
            raise RuntimeError("the floor's case did not end")
        return taken


def fill_times(facts: dict[str, Any], runs: int) -> float:
    """Seconds to start, fill and serialize `runs` processes, without any database."""
    floor = Floor("enrol", facts)
    began = time.perf_counter()
    for _ in range(runs):
        workflow = floor.start()
        floor.complete(workflow, {})
        floor.dump(workflow)
    return time.perf_counter() - began
