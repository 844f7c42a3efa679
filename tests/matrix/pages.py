"""A browser without scripts: it opens pages, types into the controls it finds there and presses buttons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import urlsplit

from flask import Flask
from lxml import html

PASSWORD = "Wangting-2026"
SESSION = "session"
_SESSIONS: dict[tuple[int, str], str] = {}


class NotOnPage(AssertionError):
    """What was to be typed or pressed is not there, or may not be changed."""


@dataclass
class Page:
    """An answer as a person sees it."""

    status: int
    address: str
    text: str
    tree: html.HtmlElement = field(repr=False)

    def mark(self, name: str) -> str:
        """The value of a data mark, "" where no element carries it."""
        found = self.tree.xpath(f"//@data-{name}")
        return str(found[0]) if found else ""

    def words(self, path: str) -> list[str]:
        """The texts of the elements of a path, blanks folded."""
        return [" ".join(each.text_content().split()) for each in self.tree.xpath(path)]

    @property
    def refusals(self) -> list[str]:
        """The sentences of the error summary."""
        return self.words("//*[@role='alert']//li")

    @property
    def linked_fields(self) -> list[str]:
        """The fields that the error summary leads to."""
        links = self.tree.xpath("//*[@role='alert']//li//a/@href")
        return [link.partition("#field-")[2] for link in links]


class Browser:
    """One signed-in person."""

    def __init__(self, app: Flask, username: str) -> None:
        self.username = username
        self._client = app.test_client()
        # every test starts from the same accounts: a session that was opened once stays good
        key = (id(app), username)
        if key in _SESSIONS:
            self._client.set_cookie(SESSION, _SESSIONS[key])
            self.open("/account")
        else:
            self.open("/login")
            self.press(username=username, password=PASSWORD, action="/login")
            _SESSIONS[key] = self._client.get_cookie(SESSION).value
        if self.page.address == "/login":
            raise AssertionError(f"{username} is not let in: {self.page.refusals}")

    def open(self, address: str) -> Page:
        """Open an address, following redirections."""
        return self._keep("GET", address)

    def press(self, button: tuple[str, str] | None = None, action: str = "", **typed: object) -> Page:
        """Type into the form that has the button (or the action) and press it."""
        form = self._form(button, action)
        pairs = [(name, value) for name, value in form.form_values() if value is not None]
        for name, value in typed.items():
            pairs = _typed(form, pairs, name, value)
        address = form.get("action") or self.page.address
        if button is not None:
            pairs.append(button)
            pressed = form.xpath(".//button[@name=$name and @value=$value]", name=button[0], value=button[1])
            address = next((each.get("formaction") for each in pressed if each.get("formaction")), address)
        return self.send(address, pairs)

    def send(self, address: str, pairs: Iterable[tuple[str, str]], **files: tuple[bytes, str]) -> Page:
        """Post pairs as a form does, with files (bytes, name) where there are any."""
        data: dict[str, list[object]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(str(value))
        for name, (content, file_name) in files.items():
            data.setdefault(name, []).append((BytesIO(content), file_name))
        return self._keep("POST", address, data)

    def token(self) -> str:
        """The form token of the page that is open."""
        return str(self.page.tree.xpath("//meta[@name='csrf-token']/@content")[0])

    def _form(self, button: tuple[str, str] | None, action: str) -> html.FormElement:
        for form in self.page.tree.forms:
            if action and urlsplit(form.get("action") or self.page.address).path != action:
                continue
            if button is None:
                return form
            for each in form.xpath(
                ".//button[@name=$name and @value=$value]", name=button[0], value=button[1]
            ):
                if each.get("disabled") is None:
                    return form
        raise NotOnPage(f"{button or action} on {self.page.address}: {self.page.words('//main')}")

    def _keep(self, method: str, address: str, data: dict[str, list[object]] | None = None) -> Page:
        # A request of its own context: the test's context would lend it its session and its form token.
        answer = Context().run(self._client.open, address, method=method, data=data, follow_redirects=True)
        text = answer.get_data(as_text=True)
        tree = html.document_fromstring(text) if text.strip() else html.document_fromstring("<p></p>")
        self.page = Page(answer.status_code, answer.request.path, text, tree)
        return self.page


def _typed(
    form: html.FormElement, pairs: list[tuple[str, str]], name: str, value: object
) -> list[tuple[str, str]]:
    controls = form.xpath(".//*[@name=$name][not(@type='hidden')]", name=name)
    if not controls:
        raise NotOnPage(f"{name} is not in the form")
    if controls[0].get("type") == "checkbox":
        return _ticked(controls, pairs, name, value)
    if controls[0].get("readonly") is not None or controls[0].get("disabled") is not None:
        raise NotOnPage(f"{name} cannot be changed")
    if controls[0].tag == "select":
        offered = controls[0].xpath(".//option/@value")
        if str(value) not in offered:
            raise NotOnPage(f"{name} does not offer {value}: {offered[:20]}")
    return [pair for pair in pairs if pair[0] != name] + [(name, str(value))]


def _ticked(controls, pairs: list[tuple[str, str]], name: str, value: object) -> list[tuple[str, str]]:
    """Tick the boxes whose codes are all wanted; boxes that cannot be unticked stay."""
    wanted = set(value) if isinstance(value, (list, tuple, set)) else {str(value)}
    boxes = [each for each in controls if each.get("disabled") is None]
    ticked = [each.get("value", "1") for each in boxes if set(each.get("value", "1").split(",")) <= wanted]
    own = {each.get("value", "1") for each in boxes}
    return [pair for pair in pairs if pair[0] != name or pair[1] not in own] + [(name, box) for box in ticked]


def only(values: Mapping[str, object]) -> dict[str, object]:
    """What a person types: nothing where there is nothing to say."""
    return {name: value for name, value in values.items() if value not in (None, "", ())}
