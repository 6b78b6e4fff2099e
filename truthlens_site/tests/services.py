"""Real services for tests: started with a bounded wait, dead when the test run is."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from truthlens_site.broker import broker_answers as broker_answers
from truthlens_site.broker import valkey_command as valkey_command
from truthlens_site.tether import tethered as tethered

START_SECONDS = 30


def missing(service: str) -> NoReturn:
    """Skip for want of a service; on the build machine, where it must be there, fail."""
    if os.environ.get("TRUTHLENS_CI") == "1":
        pytest.fail(f"{service} is not installed, and this run must have it.")
    pytest.skip(f"{service} is not installed.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(happened: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first true answer of ``happened``; fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds:.0f} seconds.")
        time.sleep(0.05)


@contextmanager
def running(command: Sequence[str], *, log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in ``log``; it and its process group are dead when the block ends.

    Tether ``command``, so that it also dies where the test run is killed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask, then kill: the process, and whatever it left in its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="tl-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def valkey() -> Iterator[str]:
    """The embedded broker, as ``up`` starts it. Yields its URL."""
    with short_folder() as folder:
        command = tethered(valkey_command(folder / "valkey.sock", folder))
        with running(command, log=folder / "log"):
            url = f"unix://{folder}/valkey.sock"
            wait_until(lambda: broker_answers(url), seconds=START_SECONDS, what="the broker's start")
            yield url


@contextmanager
def redis() -> Iterator[str]:
    """The system's redis-server on a socket. Yields its URL."""
    binary = shutil.which("redis-server") or missing("redis-server")
    with short_folder() as folder:
        path = folder / "redis.sock"
        command = [binary, "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
        with running(tethered(command), log=folder / "log"):
            url = f"unix://{path}"
            wait_until(lambda: broker_answers(url), seconds=START_SECONDS, what="the broker's start")
            yield url


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        missing("PostgreSQL")
    return Path(found[-1] if found else str(on_path)).parent


def _as_postgres(command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it, who can't read our Python."""
    if os.getuid() != 0:
        return tethered(command)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", *command]


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL cluster of its own, in a temporary folder. Yields the URL of its first database."""
    programs = _postgres_programs()
    with short_folder() as folder:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data, port = str(folder / "data"), free_port()
        create = [str(programs / "initdb"), "-D", data, "-U", "truthlens", "-A", "trust", "-E", "UTF8", "-N"]
        with running(_as_postgres(create), log=folder / "initdb.log", cwd="/") as process:
            assert process.wait(timeout=START_SECONDS) == 0, (folder / "initdb.log").read_text()
        command = [str(programs / "postgres"), "-D", data, "-p", str(port), "-k", str(folder), "-F"]
        with running(_as_postgres(command), log=folder / "log", cwd="/"):
            url = f"postgres://truthlens@127.0.0.1:{port}/postgres"
            wait_until(lambda: _accepts(url), seconds=START_SECONDS, what="PostgreSQL's start")
            yield url


def empty_database(server: str) -> str:
    """A new database on the server. Returns its URL."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{server.rpartition('/')[0]}/{name}"


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
