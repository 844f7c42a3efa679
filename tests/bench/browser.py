"""A small browser: one keep-alive connection, cookies, and the forms of a page."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

Pairs = list[tuple[str, str]]


@dataclass
class Form:
    """A form of a page: where it posts to, its hidden and filled fields, and its buttons."""

    action: str
    fields: Pairs = field(default_factory=list)
    buttons: Pairs = field(default_factory=list)

    def filled(self, **values: str | list[str]) -> Pairs:
        """The fields with some replaced; a list becomes a field that is there several times."""
        kept = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            kept += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        return kept


@dataclass
class Answer:
    """What came back, and how long it took from the first byte sent to the last one read."""

    status: int
    text: str
    location: str
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)

    def forms(self) -> list[Form]:
        reader = _Forms()
        reader.feed(self.text)
        return reader.forms

    def form(self, button: str) -> Form:
        """The form that has a button or field of this name."""
        for each in self.forms():
            if any(name == button for name, _ in [*each.buttons, *each.fields]):
                return each
        raise LookupError(f"no form with {button} in\n{self.text[:2000]}")

    @property
    def token(self) -> str:
        """The token that every form of the page carries."""
        return next(value for each in self.forms() for name, value in each.fields if name == "csrf_token")

    def mark(self, name: str) -> list[str]:
        """The values of an attribute, such as data-ref."""
        return re.findall(rf'{name}="([^"]*)"', self.text)


class Browser:
    """Somebody signed in over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}

    def sign_in(self, username: str, password: str) -> None:
        page = self.get("/login").form("password")
        answer = self.post("/login", page.filled(username=username, password=password))
        if answer.status not in (302, 303):
            raise RuntimeError(f"{username} cannot sign in: {answer.status}\n{answer.text[:500]}")

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Pairs) -> Answer:
        return self._ask("POST", path, urlencode(fields).encode())

    def upload(self, path: str, fields: Pairs, file_name: str, content: bytes) -> Answer:
        """Post a form with one file in its field `file`."""
        edge = "----wangting-7MA4YWxkTrZu0gW"
        head = f"--{edge}\r\nContent-Disposition: form-data; name="
        parts = [f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields]
        parts.append(f'{head}"file"; filename="{file_name}"\r\n\r\n')
        body = "".join(parts).encode() + content + f"\r\n--{edge}--\r\n".encode()
        return self._ask("POST", path, body, f"multipart/form-data; boundary={edge}")

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: bytes | None, kind: str = "application/x-www-form-urlencoded"
    ) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = kind
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        took = time.perf_counter() - began
        for line in response.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        location = response.headers.get("Location", "")
        parts = urlsplit(location)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return Answer(response.status, content.decode(), path, took, dict(response.headers))


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._take(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def _take(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            form.fields.append((self._select, value))
        elif tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "textarea" and name:
            form.fields.append((name, ""))
        elif tag == "input" and name:
            kind = given.get("type", "text")
            if kind == "submit":
                form.buttons.append((name, value))
            elif kind not in ("checkbox", "radio") or "checked" in given:
                form.fields.append((name, value))
