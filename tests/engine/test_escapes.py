"""Ways out of the safe language, each tried in every place of a diagram or table where text is evaluated.

Each attempt is made twice: publishing must refuse the file, and the engine must refuse to evaluate the
text even where a diagram got past publishing.
"""

import builtins
from collections.abc import Callable

import pytest

from app.engine import compiling, language, runtime
from app.engine.errors import (
    DefinitionInvalid,
    EngineError,
    ExpressionFailed,
    UnsafeExpression,
)
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import (
    boundary,
    end,
    escaped,
    flows,
    gateway,
    process,
    rule,
    script,
    service,
    table,
    timer,
    user,
)

ESCAPES: dict[str, list[str]] = {
    "dunder walks": [
        "().__class__.__bases__[0].__subclasses__()",
        "''.__class__.__mro__[1].__subclasses__()",
        "fact.__init__.__globals__['os'].system('true')",
        "[].__class__",
        "fact['__class__']",
        "__builtins__",
        "__builtins__['eval']('1')",
    ],
    "imports and builtins": [
        "__import__('os').system('true')",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "open('/etc/passwd').read()",
        "globals()",
        "breakpoint()",
        "input()",
    ],
    "attributes by name": [
        "getattr(fact, 'upper')",
        "vars(fact)",
        "type(fact)",
        "dir(fact)",
        "hasattr(fact, 'x')",
    ],
    "text methods and formats": [
        "fact.upper()",
        "'{0.__class__}'.format(fact)",
        "f'{fact}'",
        "f'{fact.__class__}'",
        "'%s' % fact",
        "'%999999999d' % 1",
        "fact.format_map({})",
    ],
    "hidden loops and functions": [
        "[x for x in fact]",
        "{x: 1 for x in fact}",
        "{x for x in fact}",
        "all(x for x in fact)",
        "(lambda: 1)()",
        "lambda x: x",
        "(fact := 1)",
        "(yield)",
        "(yield from fact)",
        "await fact",
        "[x async for x in fact]",
    ],
    "memory and time": [
        "9 ** 9 ** 9 ** 9",
        "2 ** 100000",
        "'a' * 10 ** 10",
        "1 << 10 ** 9",
        "9" * 1500,
        "1e999",
        "-" * 1900 + "1",
        "(" * 900 + ")" * 900,
        "[" * 90 + "]" * 90,
        "+".join(["1"] * 900),
        "pow(9, 999999)",
        "range(10 ** 12)",
        "'x' * 10_000_000_000",
    ],
    "calls in disguise": [
        "len(*fact)",
        "max(*[1], **{})",
        "max(1, key=len)",
        "sum([], start=[])",
        "get(fact, 'x')()",
        "(len)(fact)(1)",
        "[len][0](fact)",
        "(len if True else max)(fact)",
        "len",
    ],
    "letters in disguise": [
        "ｅｖａｌ('1')",
        "𝓮𝔁𝓮𝓬('1')",
        "ｌｅｎ(fact)",
        "ｆａｃｔ",
        "fac\u200bt",
        "fa\u202ect",
        "'\\x5f\\x5fclass\\x5f\\x5f'",
        "'\\N{LOW LINE}'",
        "事实",
    ],
    "other syntax": [
        "fact[1:2]",
        "fact[::]",
        "{**fact}",
        "[*fact]",
        "~1",
        "1 | 2",
        "1 @ 2",
        "...",
        "b'x'",
        "1j",
        "fact is 1",
        "_hidden",
        "fact; import os",
        "import os",
        "fact if",
    ],
    "statements": [
        "import os",
        "from os import system",
        "def f(): pass",
        "class C: pass",
        "for x in fact: pass",
        "while True: pass",
        "del fact",
        "x: int = 1",
        "fact += 'x'",
        "fact['a'] = 1",
        "fact.a = 1",
        "a = b = 1",
        "a, b = 1, 2",
        "*a, b = fact",
        "len = 1",
        "__builtins__ = 1",
        "_a = 1",
        "ｌｅｎ = 1",
        "global fact",
        "assert False",
        "raise 1",
        "with fact: pass",
        "try: pass\nexcept: pass",
        "@len\ndef f(): pass",
        "return 1",
        "print(1)",
    ],
}
EXPRESSIONS = [(kind, text) for kind, texts in ESCAPES.items() if kind != "statements" for text in texts]
SCRIPTS = [
    *((kind, text) for kind, text in EXPRESSIONS if not text.startswith("import")),
    *(("statements", text) for text in ESCAPES["statements"]),
]

Files = tuple[dict[str, bytes], dict[str, bytes]]


def one(*parts: str, beside: str = "") -> Files:
    return {"p.bpmn": process("p", *parts, beside=beside)}, {}


def in_condition(text: str) -> Files:
    return one(
        gateway("g", "g_e"), end("e"), end("f"), flows("begin -> g", "g -> e"),
        '<bpmn:sequenceFlow id="g_f" sourceRef="g" targetRef="f"><bpmn:conditionExpression>'
        f"{escaped(text)}</bpmn:conditionExpression></bpmn:sequenceFlow>",
    )  # fmt: skip


def in_service_parameter(text: str) -> Files:
    return one(service("s", "x", value=text), end("e"), flows("begin -> s", "s -> e"))


def in_script(text: str) -> Files:
    return one(script("s", text), end("e"), flows("begin -> s", "s -> e"))


def in_prescript(text: str) -> Files:
    extension = f"<spiffworkflow:preScript>{escaped(text)}</spiffworkflow:preScript>"
    return one(user("u", extensions=extension), end("e"), flows("begin -> u", "u -> e"))


def in_postscript(text: str) -> Files:
    extension = (
        '<bpmn:serviceTask id="s"><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="x">'
        "<spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator>"
        f"<spiffworkflow:postScript>{escaped(text)}</spiffworkflow:postScript></bpmn:extensionElements>"
        "</bpmn:serviceTask>"
    )
    return one(extension, end("e"), flows("begin -> s", "s -> e"))


def in_decision_input(text: str) -> Files:
    files, _ = one(rule("r", "d"), end("e"), flows("begin -> r", "r -> e"))
    return files, {"d.dmn": table("d", [text], ["answer"], [(["1"], ["1"])])}


def in_decision_cell(text: str) -> Files:
    files, _ = one(rule("r", "d"), end("e"), flows("begin -> r", "r -> e"))
    return files, {"d.dmn": table("d", ["1"], ["answer"], [([text], ["1"]), (["? == 2"], ["1"])])}


def in_decision_output(text: str) -> Files:
    files, _ = one(rule("r", "d"), end("e"), flows("begin -> r", "r -> e"))
    return files, {"d.dmn": table("d", ["1"], ["answer"], [(["1"], [text])])}


def in_timer(kind: str) -> Callable[[str], Files]:
    def made(text: str) -> Files:
        return one(
            user("u"),
            boundary("late", "u", timer(kind, text), cancels=False),
            end("e"),
            end("f"),
            flows("begin -> u", "u -> e", "late -> f"),
        )

    return made


def in_multi_instance(inner: str) -> Callable[[str], Files]:
    def made(text: str) -> Files:
        loop = (
            "<bpmn:multiInstanceLoopCharacteristics>" + inner.replace("TEXT", escaped(text))
            + "</bpmn:multiInstanceLoopCharacteristics>"
        )  # fmt: skip
        return one(service("s", "x", inner=loop), end("e"), flows("begin -> s", "s -> e"))

    return made


def in_loop_condition(text: str) -> Files:
    loop = (
        "<bpmn:standardLoopCharacteristics testBefore='true'><bpmn:loopCondition>"
        f"{escaped(text)}</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
    )
    return one(service("s", "x", inner=loop), end("e"), flows("begin -> s", "s -> e"))


def in_correlation(text: str) -> Files:
    beside = (
        '<bpmn:collaboration id="c"><bpmn:correlationKey id="k" name="case">'
        "<bpmn:correlationPropertyRef>prop</bpmn:correlationPropertyRef></bpmn:correlationKey>"
        '</bpmn:collaboration><bpmn:message id="m" name="go"/>'
        '<bpmn:correlationProperty id="prop"><bpmn:correlationPropertyRetrievalExpression messageRef="m">'
        f"<bpmn:messagePath>{escaped(text)}</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression>"
        "</bpmn:correlationProperty>"
    )
    return one(
        '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m"/>'
        "</bpmn:intermediateCatchEvent>",
        end("e"),
        flows("begin -> wait", "wait -> e"),
        beside=beside,
    )


def in_payload(text: str) -> Files:
    payload = f"<spiffworkflow:messagePayload>{escaped(text)}</spiffworkflow:messagePayload>"
    return one(
        '<bpmn:intermediateThrowEvent id="tell"><bpmn:messageEventDefinition messageRef="m">'
        f"<bpmn:extensionElements>{payload}</bpmn:extensionElements></bpmn:messageEventDefinition>"
        "</bpmn:intermediateThrowEvent>",
        end("e"),
        flows("begin -> tell", "tell -> e"),
        beside='<bpmn:message id="m" name="go"/>',
    )


EXPRESSION_PLACES: dict[str, Callable[[str], Files]] = {
    "condition": in_condition,
    "service parameter": in_service_parameter,
    "decision input": in_decision_input,
    "decision cell": in_decision_cell,
    "decision output": in_decision_output,
    "timer date": in_timer("timeDate"),
    "timer duration": in_timer("timeDuration"),
    "timer cycle": in_timer("timeCycle"),
    "loop cardinality": in_multi_instance("<bpmn:loopCardinality>TEXT</bpmn:loopCardinality>"),
    "loop completion": in_multi_instance(
        "<bpmn:loopCardinality>2</bpmn:loopCardinality><bpmn:completionCondition>TEXT</bpmn:completionCondition>"
    ),
    "loop condition": in_loop_condition,
    "correlation key": in_correlation,
    "message payload": in_payload,
}
SCRIPT_PLACES: dict[str, Callable[[str], Files]] = {
    "script": in_script,
    "pre-script": in_prescript,
    "post-script": in_postscript,
}
HARMLESS = {
    "condition": "fact == 'x'",
    "service parameter": "fact",
    "decision input": "1",
    "decision cell": "1",
    "decision output": "fact + 'y'",
    "timer date": "'2030-01-01'",
    "timer duration": "'P1D'",
    "timer cycle": "'R2/P1D'",
    "loop cardinality": "1 + 1",
    "loop completion": "fact == 'x'",
    "loop condition": "fact != 'x'",
    "correlation key": "fact",
    "message payload": "{'fact': fact}",
    "script": "a = fact\nb = [a, 1]",
    "pre-script": "a = fact",
    "post-script": "a = fact",
}


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own doors are wired: whoever opens one fails the test."""

    def alarmed(*args: object, **kwargs: object) -> None:
        raise AssertionError("python itself was reached")

    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, alarmed)


def test_there_are_enough_of_them() -> None:
    assert len(ESCAPES) >= 8
    assert len({text for _, text in [*EXPRESSIONS, *SCRIPTS]}) >= 40


def text_id(value: object) -> str:
    return ascii(str(value))[:40]


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("place", [*EXPRESSION_PLACES, *SCRIPT_PLACES])
def test_each_place_runs_a_harmless_text(place: str, services: Services) -> None:
    build = {**EXPRESSION_PLACES, **SCRIPT_PLACES}[place]
    spec = runtime.compile_process("p", *build(HARMLESS[place]))
    outcome = runtime.start(spec, {"fact": "x"}, services, NOW)
    if place == "correlation key":
        outcome = runtime.send(spec, outcome.state, "go", {"fact": "y"}, services, NOW)
    assert outcome.steps


@pytest.mark.parametrize("place", EXPRESSION_PLACES)
def test_publishing_refuses_expressions(place: str) -> None:
    for kind, text in EXPRESSIONS:
        with pytest.raises(DefinitionInvalid):
            runtime.compile_process("p", *EXPRESSION_PLACES[place](text))
            pytest.fail(f"{place}: {kind}: {text[:60]} was accepted")


@pytest.mark.parametrize("place", SCRIPT_PLACES)
def test_publishing_refuses_scripts(place: str) -> None:
    for kind, text in SCRIPTS:
        with pytest.raises(DefinitionInvalid):
            runtime.compile_process("p", *SCRIPT_PLACES[place](text))
            pytest.fail(f"{place}: {kind}: {text[:60]} was accepted")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A diagram that got past publishing: only the running engine is left to refuse."""
    monkeypatch.setattr(compiling, "_refuse", lambda *args: None)


def run_unchecked(files: Files, services: Services) -> None:
    spec = runtime.compile_process("p", *files)
    outcome = runtime.start(spec, {"fact": "x"}, services, NOW)
    if outcome.tasks:
        outcome = runtime.complete(spec, outcome.state, outcome.tasks[0].task_id, {}, services, NOW)
    elif not outcome.completed:
        runtime.send(spec, outcome.state, "go", {"fact": "x"}, services, NOW)


@pytest.mark.usefixtures("unchecked", "alarm")
@pytest.mark.parametrize("place", [*EXPRESSION_PLACES, *SCRIPT_PLACES])
def test_running_refuses_what_publishing_missed(place: str, services: Services) -> None:
    build = {**EXPRESSION_PLACES, **SCRIPT_PLACES}[place]
    for kind, text in SCRIPTS if place in SCRIPT_PLACES else EXPRESSIONS:
        with pytest.raises(UnsafeExpression):
            run_unchecked(build(text), services)
            pytest.fail(f"{place}: {kind}: {text[:60]} ran")


@pytest.mark.parametrize(("kind", "text"), EXPRESSIONS, ids=text_id)
def test_the_language_refuses_expressions(kind: str, text: str) -> None:
    assert language.check_expression(text)
    with pytest.raises(UnsafeExpression):
        language.evaluate(text, {"fact": "x"})


@pytest.mark.parametrize(("kind", "text"), SCRIPTS, ids=text_id)
def test_the_language_refuses_scripts(kind: str, text: str) -> None:
    assert language.check_script(text)
    assert language.check_script(f"a = {text}")
    with pytest.raises(UnsafeExpression):
        language.execute(text, {"fact": "x"})


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a * b", {"a": "x", "b": 10**9}),
        ("a % b", {"a": "%999999999d", "b": 1}),
        ("a + b", {"a": "x" * 9_999, "b": "yy"}),
        ("a * a * a", {"a": 2**60}),
        ("a + a", {"a": [0] * 600}),
        ("max(a, b)", {"a": 1, "b": "x"}),
        ("a[b]", {"a": "x", "b": 99}),
        ("a['real']", {"a": 1}),
        ("int(a)", {"a": "9" * 5000}),
        ("str(a)", {"a": {}}),
        ("round(a, 99)", {"a": 1.5}),
        ("get(a, 'x')", {"a": "text"}),
        ("limited(a)", {"a": 10**6}),
        ("{a: 1}", {"a": []}),
        ("a < b", {"a": None, "b": 1}),
        ("a / b", {"a": 1, "b": 0}),
        ("missing", {}),
    ],
)
def test_what_only_shows_at_run_time_fails_by_name(text: str, data: dict[str, object]) -> None:
    assert language.check_expression(text) == []
    with pytest.raises(ExpressionFailed):
        language.evaluate(text, data)


def test_a_script_leaves_only_plain_data() -> None:
    for text in ("a = {1, 2}", "a = {1: 2}", "a = x"):
        with pytest.raises(EngineError):
            language.execute(text, {"x": object()})


def test_a_document_type_or_entity_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "yy"><!ENTITY z "&x;&x;&x;">]>'
    outside = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd">'
    plain = process("p", end("e"), flows("begin -> e"))
    for hostile in (
        bomb + plain,
        outside + plain,
        bomb + plain.replace(b'id="e"', b'id="&z;"'),
        plain[:-5],
        b"",
        b"PK\x03\x04",
        b"<a>" * 100_000,
        b"<a/>" + b" " * 2_000_001,
        (bomb + plain).decode().encode("utf-16"),
    ):
        with pytest.raises(DefinitionInvalid):
            runtime.compile_process("p", {"p.bpmn": hostile}, {})
        with pytest.raises(DefinitionInvalid):
            runtime.compile_process("p", {"p.bpmn": plain}, {"d.dmn": hostile})
