"""The scanner's protocol, against a daemon of the test's own."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from app.documents import scanner
from app.documents.scanner import ScannerAway

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            wire, _ = listener.accept()
        except OSError:
            return
        with wire, wire.makefile("rb") as file:
            command = b""
            while not command.endswith(b"\0"):
                command += file.read(1)
            if command == b"zVERSION\0":
                wire.sendall(b"ClamAV 1.4.2/27000\0")
                continue
            content = b""
            while size := struct.unpack("!I", file.read(4))[0]:
                content += file.read(size)
            wire.sendall(_words(content))


def _words(content: bytes) -> bytes:
    if b"EICAR" in content:
        return b"stream: Eicar-Test-Signature FOUND\0"
    if b"strange" in content:
        return b"INSTREAM size limit exceeded. ERROR\0"
    return b"stream: OK\0"


@pytest.fixture
def daemon(tmp_path) -> Iterator[str]:
    path = tmp_path / "clamd.socket"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    thread = threading.Thread(target=_serve, args=(listener,), daemon=True)
    thread.start()
    yield str(path)
    # closing alone does not wake the one who waits in accept
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    scanner.configure("")


def test_clean_infected_and_undecided(daemon):
    scanner.configure(daemon)
    assert scanner.is_configured()
    assert scanner.version().startswith("ClamAV")
    assert scanner.find_threat(bytes(200_000)) is None
    assert scanner.find_threat(EICAR) == "Eicar-Test-Signature"
    with pytest.raises(ScannerAway, match="size limit"):
        scanner.find_threat(b"strange")


def test_nobody_answers(tmp_path):
    scanner.configure(f"unix:{tmp_path / 'none'}")
    with pytest.raises(ScannerAway, match="does not answer"):
        scanner.find_threat(b"x")
    scanner.configure("127.0.0.1:1")
    with pytest.raises(ScannerAway):
        scanner.version()
    scanner.configure("")
    assert not scanner.is_configured()
