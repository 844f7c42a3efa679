"""People of each city who act through the pages, and the registry that they act on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock as region_clock
from app.clock import to_utc
from app.definitions.current import parameters
from app.extensions import db
from app.services import accounts, demo, throttle
from app.services.actors import Actor
from app.store.models import Declaration, HumanTask, User
from tests.matrix import model, registry
from tests.matrix.forms import Filled
from tests.matrix.pages import Browser, Page


def _picture() -> bytes:
    """A small picture, made here."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\x00" + b"\xff" * 24) * 8
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*each) for each in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


PICTURE = _picture()


def actor_of(username: str) -> Actor:
    """The actor behind an account of the demonstration."""
    db.session.rollback()
    user_id = db.session.scalars(select(User.id).where(User.username == username)).one()
    account = accounts.load_account(user_id, to_utc(region_clock.now()))
    assert account is not None
    return account.actor


def declaration(reference: str) -> Declaration:
    """A declaration's row as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Declaration).where(Declaration.reference == reference)).one()


def task_id(reference: str) -> int:
    """The only open task of a case."""
    db.session.rollback()
    return db.session.scalars(select(HumanTask.id).where(HumanTask.reference == reference)).one()


@dataclass
class Desk:
    """The auditor of a city at the pages."""

    app: Flask
    username: str
    _browser: Browser | None = None

    @property
    def browser(self) -> Browser:
        if self._browser is None:
            self._browser = Browser(self.app, self.username)
        return self._browser

    def decide(self, reference: str, decision: str, opinion: str = "", fields: tuple[str, ...] = ()) -> str:
        """Claim the case on its page and decide it there; gives the status then."""
        self.browser.open(f"/cases/{reference}")
        self.browser.press(action="/inbox/claim")
        assert declaration(reference).status == "in_audit"
        self.browser.open(f"/cases/{reference}")
        typed: dict[str, object] = {"opinion": opinion}
        if fields:
            typed["return_fields"] = list(fields)
        page = self.browser.press(("decision", decision), **typed)
        assert page.status == 200, page.words("//main")
        return declaration(reference).status


@dataclass
class Hall:
    """One city's handler at the pages, its auditor, and the employer that is chosen."""

    app: Flask
    city: model.City
    slug: str
    hand: Browser
    desk: Desk
    employer_id: int
    _people: dict[str, list[demo.DemoPerson]]
    _blank: tuple[tuple[object, ...], Page] | None = None

    @property
    def employer(self) -> model.Employer:
        return registry.employer_of(self.employer_id)

    @property
    def today(self):
        return region_clock.today()

    def peek(self, case: str) -> demo.DemoPerson:
        """The next person of a case of the demonstration, who may be met again."""
        if case not in self._people:
            self._people[case] = demo.demo_people(self.city.code, case, 40)
        return self._people[case][0]

    def citizen(self, case: str) -> demo.DemoPerson:
        """The next person of a case of the demonstration; each is met once."""
        person = self.peek(case)
        self._people[case].pop(0)
        return person

    def choose(self, place: int) -> None:
        """Act for another employer of the city (1 to 3)."""
        self.employer_id = registry.employer_id(f"{self.city.code}{place:05d}")
        self.hand.open("/hall")
        self.hand.send(
            "/hall/employer", [("csrf_token", self.hand.token()), ("employer_id", str(self.employer_id))]
        )

    def check(self, filled: Filled, address: str = "/declare/enrol") -> Page:
        """Fill the blank form (or the one at the address) and press on: the check page, or the form again."""
        held = (address, self.employer_id, region_clock.now())
        if self._blank and self._blank[0] == held:
            # nothing came of the last time: the same blank form is still good
            self.hand.page = self._blank[1]
        else:
            self._blank = (held, self.hand.open(address))
        button = ("action", "file" if self.city.way.wizard else "check")
        page = self.hand.press(button, **filled.typed)
        if page.status != 422:
            self._blank = None
        return page

    def file(self, filled: Filled, address: str = "/declare/enrol") -> str:
        """Fill, check and file; gives the reference."""
        page = self.check(filled, address)
        assert page.status == 200, (page.refusals, page.words("//main"))
        if self.city.way.wizard:
            return self.through_the_wizard(page)
        return self.file_checked()

    def file_checked(self) -> str:
        """Press the button of the check page that is open."""
        ticks = self.hand.page.tree.xpath("//input[@name='confirmed']")
        page = self.hand.press(("action", "file"), **({"confirmed": "1"} if ticks else {}))
        assert page.status == 200, page.refusals
        assert page.mark("ref"), page.text[-3000:]
        return page.mark("ref")

    def through_the_wizard(self, page: Page) -> str:
        """Confirm and hand in the materials: then the case waits for submission."""
        reference = page.mark("case")
        assert page.mark("status") == "draft", page.text[-3000:]
        self.proceed(reference, "next")
        self.hand_in_materials(reference)
        assert self.status(reference) == "pending"
        return reference

    def proceed(self, reference: str, decision: str) -> Page:
        """Take a step of the wizard from the case's page."""
        self.hand.open(f"/cases/{reference}")
        return self.hand.press(("decision", decision))

    def hand_in_materials(self, reference: str) -> None:
        """Give one picture for each item that the page asks for, confirm, and go on."""
        address = f"/cases/{reference}/materials"
        items = self.hand.open(address).tree.xpath("//@data-item")
        assert items
        for item in items:
            pairs = [("csrf_token", self.hand.token()), ("item", item)]
            assert self.hand.send(address, pairs, file=(PICTURE, "photo.png")).status == 200
        self.hand.open(address)
        self.hand.press(("decision", "next"), action=f"{address}/done", materials_confirmed="1")

    def submit(self, reference: str) -> Page:
        """Hand a pending record over from its page."""
        self.hand.open(f"/cases/{reference}")
        if self.city.way.wizard:
            return self.hand.press(("decision", "submit"))
        return self.hand.press(action=f"/cases/{reference}/submit")

    def discard(self, reference: str) -> Page:
        """Remove a case from its page, and say yes."""
        self.hand.open(f"/cases/{reference}")
        self.hand.press(action=f"/cases/{reference}/discard")
        return self.hand.press(action=f"/cases/{reference}/discard")

    def recall(self, reference: str) -> Page:
        """Take a case back from its page, and say yes."""
        self.hand.open(f"/cases/{reference}")
        self.hand.press(action=f"/cases/{reference}/recall")
        return self.hand.press(action=f"/cases/{reference}/recall")

    def status(self, reference: str) -> str:
        return declaration(reference).status


@pytest.fixture(autouse=True)
def in_context(request: pytest.FixtureRequest) -> Iterator[None]:
    if "database" not in request.fixturenames:
        yield
        return
    app = request.getfixturevalue("app")
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    throttle._local.clear()
    with app.app_context():
        yield
        db.session.remove()


@pytest.fixture
def hall(app: Flask, clock) -> Callable[[str], Hall]:
    """`hall("320500")` opens a city's hall: its handler is signed in and acts for the first employer."""

    def enter(code: str) -> Hall:
        slug = parameters(code).slug
        return Hall(
            app, model.City(code), slug, Browser(app, f"{slug}.handler"), Desk(app, f"{slug}.auditor"),
            registry.employer_id(f"{code}00001"), {},
        )  # fmt: skip

    return enter
