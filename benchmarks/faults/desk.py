"""The site under test: ``up`` and all that it starts, killed and started again on one state folder."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from truthlens_site.tests.services import end_group, free_port
from truthlens_site.tests.site import MANAGE, MARK, marked_processes, site_environment
from truthlens_site.tether import tethered

READY_S = 90.0
PARTS = ("worker", "job", "decoder", "broker", "web", "supervisor")
"""What can be killed. ``job`` is the process that holds the model, ``decoder`` the one that opens a file."""


class NeverHappened(Exception):
    """The message says what was waited for."""


def wait_for(happened: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise NeverHappened(what)
        time.sleep(0.05)


class Desk:
    """One site. ``wrapper`` goes before its command, as ``setpriv`` and its options do."""

    def __init__(self, folder: Path, variables: Mapping[str, str], wrapper: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state, self.log = folder / "state", folder / "up.log"
        self.media = Path(variables.get("MEDIA_ROOT", self.state / "media"))
        self.port, self._mark = free_port(), uuid4().hex
        self._environment = site_environment(self.state, **variables, **{MARK: self._mark})
        self._wrapper = wrapper
        self._process: subprocess.Popen[bytes] | None = None
        self._said = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end_group(self._process)
        for pid in marked_processes(self._mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def processes(self) -> list[int]:
        return marked_processes(self._mark)

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self._said = self.log.stat().st_size if self.log.exists() else 0
        command = tethered([*self._wrapper, *MANAGE, "up", "--port", str(self.port)])
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._is_ready, READY_S, "the site's start")

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise NeverHappened(f"the site's start: {self.log.read_text(errors='replace')[-2000:]}")
        return "TruthLens is ready" in self.log.read_text(errors="replace")[self._said :]

    def manage(self, *words: str) -> str:
        """What a command of ``manage.py`` prints."""
        finished = subprocess.run(
            [*self._wrapper, *MANAGE, *words],
            env={name: value for name, value in self._environment.items() if name != MARK},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if finished.returncode:
            raise RuntimeError(f"manage.py {' '.join(words)}: {finished.stderr[-2000:]}")
        return finished.stdout

    def kill(self, part: str) -> bool:
        """Kill -9. False: there is no such process now. A killed supervisor is started again."""
        if part == "supervisor":
            return self._kill_all()
        pid = self.pid(part)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def _kill_all(self) -> bool:
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)
        wait_for(lambda: not self.processes, 20, "the end of all that it started")
        self.start()
        return True

    def pids(self, part: str) -> list[int]:
        """That process and, of the web server, the one that answers."""
        pid = self.pid(part)
        return [] if pid is None else [pid, *(children(pid) if part == "web" else ())]

    def pid(self, part: str) -> int | None:
        """The process that does a part's work."""
        parents = {"worker": (), "broker": (), "web": (), "job": ("worker",), "decoder": ("worker", "job")}
        assert self._process is not None
        at: int | None = self._process.pid
        for name in (*parents[part], part):
            at = next((pid for pid in children(at) if MARKS[name] in command_line(pid)), None) if at else None
        return at


MARKS = {
    "worker": b"manage.py\0worker",
    "broker": b"valkey-server",
    "web": b"gunicorn",
    "job": b"spawn_main",
    "decoder": b"detector.decoder",
}
"""In the command line of each."""


def children(pid: int) -> Iterator[int]:
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, listing.read_text().split())


def command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextmanager
def running_desk(folder: Path, variables: Mapping[str, str], wrapper: Sequence[str] = ()) -> Iterator[Desk]:
    """A site that is ready. All of it is dead when the block ends."""
    with Desk(folder, variables, wrapper) as desk:
        desk.start()
        yield desk
