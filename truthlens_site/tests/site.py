"""The site as processes: ``manage.py`` and ``up``, on a state folder of the test's own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from detector.tests.once import made_once
from truthlens_site.tests.services import (
    PostgresServer,
    free_port,
    new_database,
    running,
    short_folder,
    wait_until,
)
from truthlens_site.tether import tethered

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
MARK = "TRUTHLENS_TEST_MARK"
MIGRATED = "migrated"
READY_SECONDS = 60


def site_environment(state: Path, **variables: str) -> dict[str, str]:
    """An environment without the developer's settings."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {"TRUTHLENS_STATE": str(state), "TRUTHLENS_ENV_FILE": os.devnull}
    return kept | own | variables


def manage(state: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs ``manage.py`` to its end."""
    return subprocess.run(
        [*MANAGE, *words],
        env=site_environment(state, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def printed_by(script: str, *arguments: str, url: str, state: Path, **variables: str) -> str:
    """What a script prints that runs in a process of its own, on the database at ``url``."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "TRUTHLENS_STATE": str(state),
        "TRUTHLENS_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
        "EMAIL_URL": "dummymail://",  # the console's letters would stand among what is printed
        **variables,
    }
    command = [sys.executable, "-c", script, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def migrated_database() -> bytes:
    """An SQLite file with all tables in it: `migrate` takes seconds, so it is done once."""

    def migrate(target: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            done = manage(Path(name), "migrate", "--verbosity=0")
            assert done.returncode == 0, done.stderr
            shutil.move(Path(name) / "db.sqlite3", target)

    return made_once("db.sqlite3", migrate).read_bytes()


def migrated_cluster() -> Path:
    """The files of a PostgreSQL cluster whose database ``MIGRATED`` has all tables."""

    def migrate(target: Path) -> None:
        with short_folder() as folder, tempfile.TemporaryDirectory() as state:
            with PostgresServer(folder) as server:
                url = new_database(server.url, name=MIGRATED)
                done = manage(Path(state), "migrate", "--verbosity=0", DATABASE_URL=url)
                assert done.returncode == 0, done.stderr
            shutil.copytree(folder / "data", target)

    return made_once("postgresql", migrate)


def put_database(state: Path) -> None:
    """Tables for the site of that folder, unless it has some."""
    path = state / "db.sqlite3"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        path.write_bytes(migrated_database())


def collected_static() -> Path:
    """A folder of static files to be copied for every site that is to be ready soon."""

    def collect(target: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            done = manage(Path(name), "collectstatic", "--no-input", "--verbosity=0", STATIC_ROOT=str(target))
        assert done.returncode == 0, done.stderr

    return made_once("static", collect)


@dataclass(frozen=True, slots=True)
class RunningSite:
    """A site that ``up`` runs. Every process of it carries ``mark`` in its environment."""

    state: Path
    port: int
    mark: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def pid(self, part: str) -> int:
        """The latest process of a part."""
        return int(re.findall(rf"Started {part} \(process (\d+)\)", self.output)[-1])

    def processes(self) -> list[int]:
        """Everything that this site started and that lives, ``up`` included."""
        return marked_processes(self.mark)


def marked_processes(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile
            if wanted in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found


@contextmanager
def running_site(folder: Path, **variables: str) -> Iterator[RunningSite]:
    """``up`` on a free port, ready. All of it is dead when the block ends."""
    if "DATABASE_URL" not in variables:
        put_database(state_of(folder, variables))
    static = folder / "collected"
    if not static.exists():  # a copy of its own: `up` looks through the folder, and writes what it finds old
        shutil.copytree(collected_static(), static)
    with fresh_site(folder, **{"STATIC_ROOT": str(static), **variables}) as site:
        yield site


def state_of(folder: Path, variables: Mapping[str, str]) -> Path:
    return Path(variables.get("TRUTHLENS_STATE", folder / "state"))


@contextmanager
def fresh_site(folder: Path, **variables: str) -> Iterator[RunningSite]:
    """The same with a database and static files that it makes itself."""
    state = state_of(folder, variables)
    port, mark = free_port(), uuid4().hex
    log = folder / f"up-{mark}.log"
    environment = site_environment(state, **variables, **{MARK: mark})
    command = tethered([*MANAGE, "up", "--port", str(port)])
    try:
        with running(command, log=log, env=environment) as process:
            site = RunningSite(state, port, mark, log, process)
            wait_until(
                lambda: "TruthLens is ready" in site.output or process.poll() is not None,
                seconds=READY_SECONDS,
                what="the site's start",
            )
            assert process.poll() is None, site.output
            yield site
    finally:
        for pid in marked_processes(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
