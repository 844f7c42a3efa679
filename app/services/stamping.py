"""Filing many forms at the price of few runs: cases that get the same answers share one run of the engine.

The services of a diagram are called for every case, with its own data. Their answers decide which way the
diagram takes; for each distinct sequence of answers the engine runs once, and its state is stamped for
every further case. A diagram that looks at a case's own values cannot share: its cases run one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app.engine.outcome import Data
from app.engine.prepared import NotPreparable, PreparedStart, prepare
from app.services import filing, host
from app.services.actors import Actor
from app.services.cases import Case
from app.services.filing import Target
from app.services.host import Context
from app.store.ids import new_reference

OWN = "declaration_id"


@dataclass(slots=True)
class _Fork:
    """A place where the engine asked a service: the question, and what follows each answer."""

    name: str = ""
    given: Data = field(default_factory=dict)
    after: dict[bytes, _Fork] = field(default_factory=dict)
    start: PreparedStart | None = None


class Stamper:
    """Files the forms of one batch, made at one moment for one employer; ask a new one for the next."""

    def __init__(self, actor: Actor, target: Target, now: datetime, batch_id: int | None) -> None:
        self.shares = True
        self._actor = actor
        self._target = target
        self._now = now
        self._batch_id = batch_id
        self._root: _Fork | None = None

    def file(self, values: Mapping[str, Any]) -> Case:
        """Make a case and fill its form, as a single filing does. Raises: what the services refuse."""
        case = self._blank(values)
        if not self.shares:
            return self._file_alone(values)
        context = Context(case, self._actor, self._now)
        answers: list[Data | None] = []
        fork = self._root
        while fork is not None and fork.start is None:
            answer = host.serve(context, fork.name, _own(fork.given, case))
            answers.append(answer)
            fork = fork.after.get(_key(answer))
        if fork is None or fork.start is None:
            try:
                fork = self._learn(context, answers)
            except NotPreparable:
                self.shares = False
                return self._file_alone(values)
        assert fork.start is not None  # noqa: S101 - a learned way ends in one
        stamped = fork.start.stamp({OWN: case.declaration.id})
        host.absorb(case, stamped.outcome, self._actor, self._now)
        return case

    def _learn(self, context: Context, known: list[Data | None]) -> _Fork:
        """Run the engine once with this case's answers, and remember the way.

        What was asked already is not asked twice: its effects are with the case.
        """
        case, asked = context.case, list[tuple[str, Data, Data | None]]()

        def call(name: str, given: Data, _data: Mapping[str, Any]) -> Data | None:
            place = len(asked)
            answer = known[place] if place < len(known) else host.serve(context, name, _own(given, case))
            asked.append((name, {key: value for key, value in given.items() if key != OWN}, answer))
            return answer

        start = prepare(
            case.bundle.spec,
            host.routing_facts(case),
            (OWN,),
            [(self._form_element(), {})],
            call,
            self._now,
        )
        return self._remember(asked, start)

    def _remember(self, asked: list[tuple[str, Data, Data | None]], start: PreparedStart) -> _Fork:
        if self._root is None:
            self._root = _Fork()
        fork = self._root
        for name, given, answer in asked:
            fork.name, fork.given = name, given
            fork = fork.after.setdefault(_key(answer), _Fork())
        fork.start = start
        return fork

    def _form_element(self) -> str:
        """The element whose form starts a case: the first user task with the kind's own form."""
        description = self._target.bundle.description(self._target.bundle.kind)
        for element in description.elements.values():
            if element.form == self._target.bundle.kind and element.properties.get("status") == "draft":
                return element.id
        raise NotPreparable("no form starts a case")

    def _blank(self, values: Mapping[str, Any]) -> Case:
        target = self._target
        return host.blank_case(
            self._actor,
            target.bundle.kind,
            target.employer,
            values,
            self._now,
            reference=new_reference(self._now.date()),
            channel=target.channel,
            bundle=target.bundle,
            parameters=target.parameters,
            registry=target.registry,
            batch_id=self._batch_id,
        )

    def _file_alone(self, values: Mapping[str, Any]) -> Case:
        case = filing.open_case(self._actor, self._target, values, self._now, batch_id=self._batch_id)
        filing.fill(case, self._actor, self._now, submit_now=False)
        return case


def _own(given: Data, case: Case) -> Data:
    return {**given, OWN: case.declaration.id}


def _key(answer: Data | None) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)
