"""A person before a browser while the product is shaken: tries again, and must only ever read words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

from app.config import DEMO_PASSWORD
from tests.bench.browser import Answer, Browser, Pairs
from tests.faults.installation import PATIENCE_S

# what a person may be answered while parts are away: the act again, later, or not at all, always in words
PLAIN = {200, 302, 303, 401, 404, 409, 422, 503}
_TRACES = re.compile(
    r"Traceback|Internal Server Error|sqlalchemy|psycopg|sqlite3|OperationalError|File \"/", re.I
)
_CHINESE = re.compile(r"[一-鿿]{4}")


class Unfit(AssertionError):
    """An answer that no person should ever get."""


class Visitor(Browser):
    """Somebody signed in. A lost connection and a page that says “later” are tried again."""

    def __init__(self, port: int, username: str) -> None:
        super().__init__(port)
        self._port, self._username = port, username
        self.seen: dict[int | str, int] = {}

    def enter(self) -> None:
        """Sign in, however often it takes."""
        page = self.open("/login")
        if "password" in page.text:
            fields = page.form("password").filled(username=self._username, password=DEMO_PASSWORD)
            answer = self.send("/login", fields)
            assert answer.status in (302, 303), answer.text[:500]

    def twin(self) -> Visitor:
        """The same session in another window, on a connection of its own."""
        other = Visitor(self._port, self._username)
        other._cookies = self._cookies
        return other

    def open(self, path: str) -> Answer:
        """Get a page, trying again while the product is away."""
        return self._repeat(f"GET {path}", lambda: self.get(path))

    def send(self, path: str, fields: Pairs) -> Answer:
        """Post a form, trying again while the product is away: the same form, as a person would."""
        return self._repeat(f"POST {path}", lambda: self.post(path, fields))

    def hand_over(self, path: str, fields: Pairs, file_name: str, content: bytes) -> Answer:
        """Upload a file, trying again while the product is away."""
        return self._repeat(f"upload {path}", lambda: self.upload(path, fields, file_name, content))

    def once(self, method: str, path: str, fields: Pairs | None = None) -> Answer | None:
        """One try: what came back, in words; None where the connection broke."""
        act = (lambda: self.get(path)) if method == "GET" else (lambda: self.post(path, fields or []))
        return self._try(f"{method} {path}", act)

    def _try(self, asked: str, act: Callable[[], Answer]) -> Answer | None:
        try:
            answer = act()
        except (OSError, HTTPException):
            self._count("lost")
            self._connection.close()
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            return None
        self._count(answer.status)
        check_words(asked, answer)
        return answer

    def _repeat(self, asked: str, act: Callable[[], Answer]) -> Answer:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._try(asked, act)
            if answer is not None and answer.status != 503:
                return answer
            if time.monotonic() > deadline:
                raise Unfit(f"{asked}: nothing but {self.seen}")
            time.sleep(0.1)

    def _count(self, what: int | str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1


def check_words(asked: str, answer: Answer) -> None:
    """An answer is a page in words, and “later” says when. Raises: Unfit."""
    if answer.status not in PLAIN:
        raise Unfit(f"{asked}: {answer.status}\n{answer.text[:3000]}")
    if answer.status in (302, 303, 401):
        return
    trace = _TRACES.search(answer.text)
    if trace:
        raise Unfit(f"{asked}: {answer.status} shows {trace.group()}\n{answer.text[:3000]}")
    if answer.status >= 400 and not _CHINESE.search(answer.text):
        raise Unfit(f"{asked}: {answer.status} says nothing\n{answer.text[:3000]}")
