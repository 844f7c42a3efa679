"""`make run`: the whole product on one machine, in the foreground.

Prepares the database, then runs Redis, the web server, the workers and the scheduler until Ctrl-C. They stop
in the order web, scheduler, workers, Redis, so that nobody loses the ground under running work.
"""

import fcntl
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

import redis

from app.cli.embedded import (
    embedded_environment,
    instance_folder,
    private_folder,
    redis_argv,
    redis_socket,
)
from app.cli.supervisor import Part, Stopped, Supervisor, say
from app.config import DEMO_PASSWORD, Config, ConfigError, from_environ

_WEB, _SCHEDULER, _WORKER, _REDIS = range(4)
_PYTHON = [sys.executable, "-m"]
_WAIT_REDIS_S = 15
_WAIT_WEB_S = 60


class CannotStart(Exception):
    """Something outside stands in the way; the text says what and what to do."""


def main() -> int:
    """Run until stopped; exit code 0 after Ctrl-C, 1 after a failure."""
    supervisor = Supervisor()
    supervisor.listen()
    lock: IO[str] | None = None
    try:
        own_redis = not os.environ.get("REDIS_URL")
        embedded_environment()
        os.environ.setdefault("REDIS_URL", f"unix://{redis_socket(instance_folder(os.environ))}")
        config = from_environ()
        lock = _only_one(config.instance_dir)
        check_port(config.host, config.port)
        if own_redis:
            supervisor.start(redis_part(config))
        _wait_for_redis(supervisor, config.redis_url)
        _prepare(supervisor, config)
        for part in product_parts(config):
            supervisor.start(part)
        _wait_for_web(supervisor, config)
        say(welcome(config))
        say(f"{supervisor.watch()}: stopping everything")
        return 1
    except Stopped:
        say("")
        return 0
    except (CannotStart, ConfigError, PermissionError) as failure:
        say(str(failure))
        return 1
    finally:
        supervisor.stop_all()
        if lock:
            lock.close()
        say("Stopped")


def product_parts(config: Config) -> list[Part]:
    """The parts above Redis, in the order in which they start."""
    count = int(os.environ.get("JOB_WORKERS", "2"))
    workers = [Part(f"worker {number}", [*_PYTHON, "jobs.worker"], _WORKER) for number in range(1, count + 1)]
    scheduler = Part("scheduler", [*_PYTHON, "jobs.scheduler"], _SCHEDULER)
    return [*workers, scheduler, Part("web server", web_argv(config), _WEB)]


def web_argv(config: Config) -> list[str]:
    """The command of the web server."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    argv = [
        *_PYTHON, "gunicorn", "--bind", f"{host}:{config.port}", "--worker-class", "gthread",
        "--workers", os.environ.get("WEB_WORKERS", "2"), "--threads", os.environ.get("WEB_THREADS", "4"),
        "--timeout", "60", "--graceful-timeout", "8", "--keep-alive", "15", "--no-control-socket",
        "--log-level", "warning",
    ]  # fmt: skip
    memory = Path("/dev/shm")  # noqa: S108 - the server's heartbeat file must not wait for a busy disk
    if memory.is_dir():
        argv += ["--worker-tmp-dir", str(memory)]
    return [*argv, "wsgi:app"]


def redis_part(config: Config) -> Part:
    """The installation's own Redis, on the socket that the configuration names."""
    path = Path(config.redis_url.removeprefix("unix://"))
    private_folder(path.parent)
    log = ("--loglevel", "warning", "--logfile", str(path.parent / "redis.log"))
    return Part("Redis", redis_argv(path, *log), _REDIS)


def check_port(host: str, port: int) -> None:
    """Find out before anything starts whether the address is free.

    Raises: CannotStart.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as failure:
            raise CannotStart(
                f"Cannot listen on {host} port {port}: {failure.strerror}. "
                f"Another one: make run PORT={port + 1}"
            ) from failure


def welcome(config: Config) -> str:
    """What a person needs to know now: the address and, in a demo, the accounts."""
    lines = ["", f"Wangting is ready: http://{config.host}:{config.port}/"]
    if config.demo:
        word = DEMO_PASSWORD if config.demo_password == DEMO_PASSWORD else "as set in DEMO_PASSWORD"
        lines += [
            "",
            f"Demo accounts, one password for all: {word}",
            "  employers  <city>.handler  <city>.reviewer  <city>.admin",
            "  agency     <city>.auditor  <city>.senior  <city>.supervisor  <city>.counter",
            "  operation  designer1  designer2  sysadmin  secadmin  auditadmin",
            "  cities     nantong huaian lianyungang suzhou nanjing weinan",
        ]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])


def _only_one(instance: Path) -> IO[str]:
    private_folder(instance)
    lock = (instance / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as failure:
        lock.close()
        raise CannotStart("This installation is already running: stop that one first") from failure
    return lock


def _prepare(supervisor: Supervisor, config: Config) -> None:
    steps = [
        ("Bringing the database up to date", ["db", "upgrade"]),
        ("Reading the definitions", ["definitions", "seed"]),
    ]
    if config.demo:
        steps.append(("Loading demo data where the database is empty", ["demo", "load"]))
    for title, arguments in steps:
        if supervisor.run(title, [*_PYTHON, "flask", *arguments]) != 0:
            raise CannotStart(f"`flask {' '.join(arguments)}` failed: see the lines above")


def _wait_for_redis(supervisor: Supervisor, url: str) -> None:
    deadline = time.monotonic() + _WAIT_REDIS_S
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError as failure:
                if time.monotonic() > deadline:
                    raise CannotStart(f"Redis does not answer: {failure}") from failure
                supervisor.pause(0.05)


def _wait_for_web(supervisor: Supervisor, config: Config) -> None:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    reachable = f"[{reachable}]" if ":" in reachable else reachable
    web = next(part for part in supervisor.parts if part.stop_rank == _WEB)
    deadline = time.monotonic() + _WAIT_WEB_S
    while web.exit_code is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{reachable}:{config.port}/healthz", timeout=2):
                return
        except urllib.error.HTTPError as answer:
            raise CannotStart(
                f"The web server answers {answer.code} at /healthz: see the lines above"
            ) from answer
        except OSError:
            supervisor.pause(0.1)
    raise CannotStart("The web server did not start: see the lines above")


if __name__ == "__main__":
    sys.exit(main())
