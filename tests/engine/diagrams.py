"""Small diagrams for tests, written in a few words."""

from pathlib import Path

FILES = Path(__file__).parent / "files"
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="http://test">'
)


def escaped(text: str) -> str:
    """Return text for XML content and attributes."""
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\n", "&#10;")):
        text = text.replace(raw, entity)
    return text


def properties(**values: str) -> str:
    """Return the extension properties of an element."""
    entries = "".join(f'<spiffworkflow:property name="{k}" value="{escaped(v)}"/>' for k, v in values.items())
    return f"<spiffworkflow:properties>{entries}</spiffworkflow:properties>" if values else ""


def user(key: str, inner: str = "", extensions: str = "", **values: str) -> str:
    """Return a user task."""
    return (
        f'<bpmn:userTask id="{key}" name="{key}"><bpmn:extensionElements>{properties(**values)}{extensions}'
        f"</bpmn:extensionElements>{inner}</bpmn:userTask>"
    )


def service(key: str, name: str, result: str = "", inner: str = "", **parameters: str) -> str:
    """Return a service task."""
    entries = "".join(
        f'<spiffworkflow:parameter id="{k}" type="any" value="{escaped(v)}"/>' for k, v in parameters.items()
    )
    variable = f' resultVariable="{result}"' if result else ""
    return (
        f'<bpmn:serviceTask id="{key}" name="{key}"><bpmn:extensionElements>'
        f'<spiffworkflow:serviceTaskOperator id="{name}"{variable}><spiffworkflow:parameters>{entries}'
        f"</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements>{inner}"
        "</bpmn:serviceTask>"
    )


def script(key: str, text: str, inner: str = "") -> str:
    """Return a script task."""
    body = f"<bpmn:script>{escaped(text)}</bpmn:script>"
    return f'<bpmn:scriptTask id="{key}">{body}{inner}</bpmn:scriptTask>'


def rule(key: str, decision: str) -> str:
    """Return a business rule task."""
    called = f"<spiffworkflow:calledDecisionId>{decision}</spiffworkflow:calledDecisionId>"
    return (
        f'<bpmn:businessRuleTask id="{key}"><bpmn:extensionElements>{called}</bpmn:extensionElements>'
        "</bpmn:businessRuleTask>"
    )


def gateway(key: str, default: str = "", kind: str = "exclusiveGateway") -> str:
    """Return a gateway."""
    attribute = f' default="{default}"' if default else ""
    return f'<bpmn:{kind} id="{key}"{attribute}/>'


def boundary(key: str, on: str, definition: str, cancels: bool = True) -> str:
    """Return a boundary event."""
    return (
        f'<bpmn:boundaryEvent id="{key}" attachedToRef="{on}" cancelActivity="{str(cancels).lower()}">'
        f"{definition}</bpmn:boundaryEvent>"
    )


def message(ref: str) -> str:
    """Return a message event's definition."""
    return f'<bpmn:messageEventDefinition messageRef="{ref}"/>'


def timer(kind: str, text: str) -> str:
    """Return a timer event's definition."""
    return (
        f"<bpmn:timerEventDefinition><bpmn:{kind}>{escaped(text)}</bpmn:{kind}></bpmn:timerEventDefinition>"
    )


def end(key: str, definition: str = "", **values: str) -> str:
    """Return an end event."""
    extensions = f"<bpmn:extensionElements>{properties(**values)}</bpmn:extensionElements>" if values else ""
    return f'<bpmn:endEvent id="{key}">{extensions}{definition}</bpmn:endEvent>'


def flows(*pairs: str) -> str:
    """Return sequence flows, each written `a -> b` or `a -> b if condition`; ids are `a_b`."""
    made = []
    for pair in pairs:
        ends, _, condition = pair.partition(" if ")
        source, target = (part.strip() for part in ends.split("->"))
        inner = (
            f"<bpmn:conditionExpression>{escaped(condition)}</bpmn:conditionExpression>" if condition else ""
        )
        made.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}'
            "</bpmn:sequenceFlow>"
        )
    return "".join(made)


def process(key: str, *parts: str, beside: str = "") -> bytes:
    """Return a BPMN file with one process, a start event `begin` and the given parts."""
    body = "".join(parts)
    return (
        f'{HEAD}{beside}<bpmn:process id="{key}" isExecutable="true"><bpmn:startEvent id="begin"/>{body}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def table(
    key: str,
    inputs: list[str],
    outputs: list[str],
    rules: list[tuple[list[str], list[str]]],
    hit: str = "UNIQUE",
) -> bytes:
    """Return a DMN file with one decision table."""

    def cells(kind: str, texts: list[str], row: int) -> str:
        return "".join(
            f'<{kind} id="{kind}_{row}_{column}"><text>{escaped(text)}</text></{kind}>'
            for column, text in enumerate(texts)
        )

    columns = "".join(
        f'<input id="in_{n}" label="{escaped(e)}"><inputExpression id="ie_{n}" typeRef="string">'
        f"<text>{escaped(e)}</text></inputExpression></input>"
        for n, e in enumerate(inputs)
    ) + "".join(f'<output id="out_{n}" name="{name}" typeRef="string"/>' for n, name in enumerate(outputs))
    rows = "".join(
        f'<rule id="rule_{n}">{cells("inputEntry", left, n)}{cells("outputEntry", right, n)}</rule>'
        for n, (left, right) in enumerate(rules, start=1)
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="t">'
        f'<decision id="{key}" name="{key}"><decisionTable id="table_{key}" hitPolicy="{hit}">{columns}{rows}'
        "</decisionTable></decision></definitions>"
    ).encode()


MESSAGES = '<bpmn:message id="m_discard" name="discard"/><bpmn:message id="m_recall" name="recall"/>'


def journey() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the house's pattern in small: drafting with discard, audit with recall, returns, an end each.

    The golden states of past releases belong to exactly this diagram: it must not change.
    """
    drafting = (
        '<bpmn:subProcess id="drafting"><bpmn:startEvent id="d_begin"/>'
        + user("fill", formJsonSchemaFilename="enrol.json", status="draft", role="handler")
        + service("check", "enrolment.check", "checked", declaration_id="declaration_id")
        + rule("policy", "policy")
        + gateway("pending_needed", "pending_needed_d_end")
        + user("confirm", status="pending", role="handler")
        + end("d_end")
        + flows(
            "d_begin -> fill",
            "fill -> check",
            "check -> policy",
            "policy -> pending_needed",
            "pending_needed -> confirm if pending",
            "pending_needed -> d_end",
            "confirm -> d_end",
        )
        + "</bpmn:subProcess>"
    )
    main = process(
        "enrol",
        drafting,
        boundary("discard", "drafting", message("m_discard")),
        service("discard_draft", "declaration.discard", declaration_id="declaration_id"),
        end("discarded", status="discarded"),
        '<bpmn:callActivity id="audit_case" calledElement="audit"/>',
        boundary("recall", "audit_case", message("m_recall")),
        end("recalled", status="recalled"),
        gateway("decided", "decided_correct"),
        service("apply", "enrolment.apply", declaration_id="declaration_id"),
        end("approved", status="approved"),
        end("rejected", status="rejected"),
        user("correct", formJsonSchemaFilename="enrol.json", status="returned", role="handler"),
        service("check_again", "enrolment.check", "checked", declaration_id="declaration_id"),
        flows(
            "begin -> drafting",
            "drafting -> audit_case",
            "discard -> discard_draft",
            "discard_draft -> discarded",
            "audit_case -> decided",
            "recall -> recalled",
            'decided -> apply if decision == "approve"',
            'decided -> rejected if decision == "reject"',
            "decided -> correct",
            "apply -> approved",
            "correct -> check_again",
            "check_again -> audit_case",
        ),
        beside=MESSAGES,
    )
    audit = process(
        "audit",
        user("first_audit", formJsonSchemaFilename="audit.json", status="submitted", role="auditor"),
        boundary("overdue", "first_audit", timer("timeDuration", '"P7D"'), cancels=False),
        service("remind", "notice.send", declaration_id="declaration_id"),
        end("reminded"),
        end("audited"),
        flows("begin -> first_audit", "first_audit -> audited", "overdue -> remind", "remind -> reminded"),
    )
    policy = table(
        "policy",
        ["region", 'checked["backpay_months"]'],
        ["pending"],
        [(['"320600"', "-"], ["True"]), (['"320500"', "< 3"], ["False"]), (['"320500"', ">= 3"], ["True"])],
    )
    return {"enrol.bpmn": main, "audit.bpmn": audit}, {"policy.dmn": policy}
