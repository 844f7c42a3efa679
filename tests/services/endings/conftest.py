"""Nanjing's desks, where insurance ends or turns: an operator, two auditors and a counter clerk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from app.services import audits, declarations, materials
from app.services.actors import Actor
from app.services.results import Receipt
from tests.documents.samples import picture
from tests.services.conftest import task_of
from tests.services.endings.people import withdrawal_form
from tests.services.test_materials import work


@dataclass(frozen=True)
class Desk:
    """Files a case with its one document and has both auditors approve it."""

    handler: Actor
    auditor: Actor
    senior: Actor
    now: datetime

    def file(self, kind: str, form: dict, item: str) -> str:
        made = declarations.file(self.handler, kind, form, self.now).reference
        materials.upload(self.handler, made, item, "a.jpg", picture(), self.now)
        work(self.now)
        declarations.proceed(self.handler, made, "next", self.now)
        return made

    def first_audit(self, reference: str) -> Receipt:
        return audits.decide(self.auditor, task_of(reference), "approve", "", [], self.now)

    def approve(self, reference: str) -> Receipt:
        self.first_audit(reference)
        return audits.decide(self.senior, task_of(reference), "approve", "", [], self.now)


@pytest.fixture
def handler(person: Callable[[str], Actor]) -> Actor:
    return person("nanjing.handler")


@pytest.fixture
def auditor(person: Callable[[str], Actor]) -> Actor:
    return person("nanjing.auditor")


@pytest.fixture
def senior(person: Callable[[str], Actor]) -> Actor:
    return person("nanjing.senior")


@pytest.fixture
def counter(person: Callable[[str], Actor]) -> Actor:
    return person("nanjing.counter")


@pytest.fixture
def desk(handler: Actor, auditor: Actor, senior: Actor, now: datetime) -> Desk:
    return Desk(handler, auditor, senior, now)


@pytest.fixture
def withdrawn(desk: Desk) -> Callable[..., Receipt]:
    """Somebody's account paid out, approved by both auditors."""

    def make(found, **more) -> Receipt:
        return desk.approve(desk.file("withdrawal", withdrawal_form(found, **more), "withdrawal_picture"))

    return make
