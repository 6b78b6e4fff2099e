"""The site as processes: ``manage.py`` and ``up``, on a state folder of the test's own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from truthlens_site.tests.services import free_port, running, wait_until
from truthlens_site.tether import tethered

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
MARK = "TRUTHLENS_TEST_MARK"
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


@cache
def migrated_database() -> bytes:
    """An SQLite file with all tables in it: `migrate` takes seconds, so it is done once."""
    with tempfile.TemporaryDirectory() as name:
        done = manage(Path(name), "migrate", "--verbosity=0")
        assert done.returncode == 0, done.stderr
        return (Path(name) / "db.sqlite3").read_bytes()


def put_database(state: Path) -> None:
    """Tables for the site of that folder, unless it has some."""
    path = state / "db.sqlite3"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        path.write_bytes(migrated_database())


@cache
def kept_folder() -> tempfile.TemporaryDirectory[str]:
    """For static files, which the first site collects and the others find there. Gone with this process."""
    return tempfile.TemporaryDirectory(prefix="static-")


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
    with fresh_site(folder, **{"STATIC_ROOT": kept_folder().name, **variables}) as site:
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
