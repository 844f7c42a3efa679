"""The S3-compatible store against a small server of the test's own, with the same promises as the folder."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.config import ConfigError
from app.errors import NotFound
from app.store import files
from app.store.files import BadKeyError, FileStore


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as one object needs; signatures are not looked at, but must be there."""

    kept: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes = b"", *, head: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Wed, 18 Nov 2026 02:00:00 GMT")
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def _key(self) -> str:
        assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=test-key/")
        return self.path.partition("?")[0]

    def do_PUT(self) -> None:
        self.kept[self._key()] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def _list(self, asked: dict[str, list[str]]) -> None:
        wanted = f"{self._key().rstrip('/')}/{asked['prefix'][0]}"
        entries = "".join(
            f"<Contents><Key>{key.partition('/papers/')[2]}</Key><Size>{len(content)}</Size>"
            '<LastModified>2026-11-18T02:00:00.000Z</LastModified><ETag>"1"</ETag></Contents>'
            for key, content in sorted(self.kept.items())
            if key.startswith(wanted)
        )
        self._answer(200, f"<ListBucketResult>{entries}</ListBucketResult>".encode())

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" in asked:
            self._list(asked)
            return
        found = self.kept.get(self._key())
        missing = b"<Error><Code>NoSuchKey</Code></Error>"
        self._answer(404, missing) if found is None else self._answer(200, found)

    def do_HEAD(self) -> None:
        found = self.kept.get(self._key())
        self._answer(404, head=True) if found is None else self._answer(200, found, head=True)

    def do_POST(self) -> None:
        """Several objects are deleted at once; those that are not there count as deleted."""
        bucket = self._key().rstrip("/")
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>([^<]+)</Key>", asked)
        for key in keys:
            self.kept.pop(f"{bucket}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, bytes]]]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    kept: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (Bucket,), {"kept": kept}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"s3://papers/office?endpoint=http://127.0.0.1:{server.server_port}", kept
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return files.store_at(f"file:{tmp_path}")
    return files.store_at(request.getfixturevalue("bucket")[0])


def test_both_kinds_promise_the_same(store: FileStore) -> None:
    key, content = "materials/1/2/original", bytes(range(256)) * 5000
    assert not store.exists(key)
    with pytest.raises(NotFound):
        store.get(key)
    with pytest.raises(NotFound):
        store.open(key)
    store.put(key, b"first")
    store.put(key, content)
    assert store.exists(key)
    assert store.get(key) == content
    with store.open(key) as file:
        assert file.read() == content
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    for bad in ("../x", "/etc/passwd", "a/../b", ""):
        with pytest.raises(BadKeyError):
            store.put(bad, b"")


def test_what_lies_below_a_folder(store: FileStore) -> None:
    for key in ("materials/1/2/original", "materials/1/2/page-1", "imports/202611/3.sealed"):
        store.put(key, b"x")
    found = dict(store.list_keys("materials"))
    assert set(found) == {"materials/1/2/original", "materials/1/2/page-1"}
    assert all(changed.tzinfo is not None for changed in found.values())
    assert dict(store.list_keys("nothing")) == {}
    store.drop_drafts(datetime.now(UTC))
    assert set(dict(store.list_keys("imports"))) == {"imports/202611/3.sealed"}


def test_what_a_kill_left_of_a_file(tmp_path: Path) -> None:
    folder = files.store_at(f"file:{tmp_path}")
    folder.put("materials/1/2/original", b"x")
    left = tmp_path / "materials/1/2/.draft-abc"
    left.write_bytes(b"half")
    assert list(dict(folder.list_keys("materials"))) == ["materials/1/2/original"]
    folder.drop_drafts(datetime(2020, 1, 1, tzinfo=UTC))
    assert left.exists()
    folder.drop_drafts(datetime.now(UTC) + timedelta(seconds=1))
    assert not left.exists()
    assert folder.exists("materials/1/2/original")


def test_where_objects_lie(bucket: tuple[str, dict[str, bytes]]) -> None:
    url, kept = bucket
    files.store_at(url).put("imports/1.bin", b"x")
    assert kept == {"/papers/office/imports/1.bin": b"x"}


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "ftp://x"])
def test_an_address_that_means_nothing(url: str) -> None:
    with pytest.raises(ConfigError):
        files.store_at(url)
