"""The site as processes: ``manage.py`` and ``up``, on a state folder of the test's own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    state = Path(variables.get("TRUTHLENS_STATE", folder / "state"))
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
