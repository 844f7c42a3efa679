"""`flask declaration show REF`: one case with everything that is known of it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from flask.cli import AppGroup

from app.domain.money import format_yuan, from_fen
from app.errors import NotFound
from app.services.results import AmountLine, CaseView
from app.services.views import inspect_case

group = AppGroup("declaration", help="Look at declarations.")


@group.command("show")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(reference: str, as_json: bool) -> None:
    """Show a declaration with its data, tasks, events and lines."""
    try:
        document = as_document(inspect_case(reference))
    except NotFound:
        click.echo(f"there is no declaration {reference}", err=True)
        sys.exit(1)
    click.echo(json.dumps(document, ensure_ascii=False, indent=2) if as_json else _text(document))


def as_document(case: CaseView) -> dict[str, Any]:
    """A case as outside readers get it: amounts as texts with two decimals, times as ISO texts."""
    return {
        "reference": case.reference,
        "status": case.status,
        "kind": case.kind,
        "region": case.region,
        "channel": case.channel,
        "employer": {"employer_no": case.employer_no, "name": case.employer_name},
        "person": {"id": case.person_id, "name": case.person_name, "id_masked": case.id_masked},
        "data": dict(case.data),
        "message": {"code": case.message_code, "text": case.message},
        "decision": case.decision,
        "opinion": case.opinion,
        "return_fields": list(case.return_fields),
        "changed_fields": list(case.changed_fields),
        "warnings": [asdict(each) for each in case.warnings],
        "created_at": case.created_at.isoformat(),
        "submitted_at": case.submitted_at.isoformat() if case.submitted_at else None,
        "decided_at": case.decided_at.isoformat() if case.decided_at else None,
        "incident": case.incident_id,
        "tasks": [
            {
                "id": task.id,
                "process": task.process_id,
                "element": task.element_id,
                "title": task.title,
                "role": task.role,
                "status": task.status,
                "due_at": task.due_at.isoformat(),
                "claimed_by": task.claimed_by or None,
            }
            for task in case.tasks
        ],
        "events": [
            {
                "process": event.process_id,
                "element": event.element_id,
                "name": event.element_name,
                "action": event.action,
                "actor": event.actor or None,
                "at": event.at.isoformat(),
            }
            for event in case.events
        ],
        "lines": [_line(line) for line in case.lines],
    }


def _line(line: AmountLine) -> dict[str, Any]:
    return {
        "fund": line.fund,
        "party": line.party,
        "due_type": line.due_type,
        "due_month": line.due_month,
        "accrual_month": line.accrual_month,
        "base": format_yuan(from_fen(line.base_fen)),
        "rate": line.rate,
        "fixed": None if line.fixed_fen is None else format_yuan(from_fen(line.fixed_fen)),
        "amount": format_yuan(from_fen(line.amount_fen)),
    }


def _text(document: dict[str, Any]) -> str:
    rows = [
        f"{document['reference']}  {document['kind']}  {document['status']}",
        f"{document['employer']['employer_no']} {document['employer']['name']}",
        f"{document['person']['name']} {document['person']['id_masked']}",
        *(f"  task   {task['element']:<20} {task['title']} ({task['role']})" for task in document["tasks"]),
        *(
            f"  event  {event['at']}  {event['action']:<12} {event['element']:<20} {event['actor'] or ''}"
            for event in document["events"]
        ),
        *(
            f"  line   {line['accrual_month']} {line['fund']:<6} {line['party']:<20} {line['amount']:>12}"
            for line in document["lines"]
        ),
    ]
    return "\n".join(rows)


COMMANDS = [group]
