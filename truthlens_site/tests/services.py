"""Real services for tests: started with a bounded wait, dead when the test run is."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, Self
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from truthlens_site.broker import broker_answers as broker_answers
from truthlens_site.broker import valkey_command as valkey_command
from truthlens_site.tether import tethered as tethered

START_SECONDS = 30
INITDB = ("-A", "trust", "-E", "UTF8", "-N")


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
    deadline, pause = time.monotonic() + seconds, 0.02
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds:.0f} seconds.")
        time.sleep(pause)
        pause = min(1.5 * pause, 0.3)  # what takes long is not hurried by being asked


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


class PostgresServer:
    """A PostgreSQL cluster of its own in ``folder``, new or a copy of ``files``, while the block lasts."""

    def __init__(self, folder: Path, files: Path | None = None) -> None:
        self._folder, self._programs, self._port = folder, _postgres_programs(), free_port()
        self._files = files
        self._run = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its first database."""
        return f"postgres://truthlens@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        data = self._folder / "data"
        if self._files:
            shutil.copytree(self._files, data)
        if os.getuid() == 0:
            for path in (self._folder, *self._folder.rglob("*")):
                shutil.chown(path, "postgres", "postgres")
        if not data.exists():
            self._create()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run.close()

    def restart(self) -> None:
        """As its own service does: clients are cut off, and find nobody for a moment."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=START_SECONDS)
        self._run.close()
        self._start()

    def cut_connections(self) -> None:
        """End all connections but the one that asks."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def _create(self) -> None:
        log = self._folder / "initdb.log"
        command = [str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-U", "truthlens"]
        with running(_as_postgres([*command, *INITDB]), log=log, cwd="/") as process:
            assert process.wait(timeout=START_SECONDS) == 0, log.read_text()

    def _start(self) -> None:
        data, folder = str(self._folder / "data"), str(self._folder)
        command = [str(self._programs / "postgres"), "-D", data, "-p", str(self._port), "-k", folder, "-F"]
        started = running(_as_postgres(command), log=self._folder / "log", cwd="/")
        self._process = self._run.enter_context(started)
        wait_until(lambda: _accepts(self.url), seconds=START_SECONDS, what="PostgreSQL's start")


@contextmanager
def postgres(files: Path | None = None) -> Iterator[str]:
    """A PostgreSQL cluster of its own, in a temporary folder. Yields the URL of its first database."""
    with short_folder() as folder, PostgresServer(folder, files) as server:
        yield server.url


def new_database(server: str, template: str = "template1", name: str = "") -> str:
    """A new database on the server, empty or a copy of another one there. Returns its URL."""
    name = name or f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
        names = Identifier(name), Identifier(template)
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return f"{server.rpartition('/')[0]}/{name}"


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
