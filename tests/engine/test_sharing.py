"""One parsed specification is shared by all threads of a process."""

from concurrent.futures import ThreadPoolExecutor

from app.engine import runtime
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import end, flows, process, user

LOOP = (
    "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>people</bpmn:loopDataInputRef>"
    "<bpmn:loopDataOutputRef>votes</bpmn:loopDataOutputRef>"
    '<bpmn:inputDataItem id="person"/><bpmn:outputDataItem id="vote"/>'
    "</bpmn:multiInstanceLoopCharacteristics>"
)


def test_threads_run_loops_on_one_specification() -> None:
    spec = runtime.compile_process(
        "p", {"p": process("p", user("ask", LOOP), end("e"), flows("begin -> ask", "ask -> e"))}, {}
    )

    def run(number: int) -> list[int]:
        services = Services()
        outcome = runtime.start(spec, {"people": [1, 2, 3]}, services, NOW)
        for index, task in enumerate(outcome.tasks):
            outcome = runtime.complete(
                spec, outcome.state, task.task_id, {"vote": number + index}, services, NOW
            )
        assert outcome.completed
        votes: list[int] = outcome.data["votes"]
        return votes

    with ThreadPoolExecutor(8) as pool:
        for number, votes in enumerate(pool.map(run, range(200))):
            assert votes == [number, number + 1, number + 2]
