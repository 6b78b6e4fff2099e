"""Keeping processes alive, and ending them, with real and very small ones."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from truthlens_site import supervisor as module
from truthlens_site.parts import Part
from truthlens_site.supervisor import Supervisor
from truthlens_site.tests.services import wait_until

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True);" + SLEEP
)
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


def part(name: str, code: str, *, ends_last: bool = False) -> Part:
    return Part(name, [sys.executable, "-c", code], ends_last=ends_last)


class Told(list[str]):
    """What the supervisor said."""

    def pids(self, name: str) -> list[int]:
        start = f"Started {name} (process "
        return [int(line[len(start) : -2]) for line in self if line.startswith(start)]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def supervisor(told: Told) -> Iterator[Supervisor]:
    supervisor = Supervisor(told.append)
    yield supervisor
    supervisor.end()


def lives(pid: int) -> bool:
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def group(pid: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(entry.name)) == pid and lives(int(entry.name)):
                found.append(int(entry.name))
    return found


def test_a_part_that_ends_is_started_again_and_each_time_later(supervisor: Supervisor, told: Told) -> None:
    supervisor.start(part("quitter", "raise SystemExit(3)"))
    assert supervisor.watch(lambda: len(told.pids("quitter")) == 3, seconds=20)
    ends = [line for line in told if "ended" in line]
    assert ends[:2] == [
        "The quitter ended (status 3); starting it again in 0.5 s.",
        "The quitter ended (status 3); starting it again in 1 s.",
    ]


def test_what_a_dead_part_left_behind_is_killed_before_it_starts_again(
    supervisor: Supervisor, told: Told
) -> None:
    supervisor.start(part("parent", PARENT))
    (first,) = told.pids("parent")
    wait_until(lambda: len(group(first)) == 2, seconds=10, what="the child's start")
    os.kill(first, signal.SIGKILL)
    assert supervisor.watch(lambda: len(told.pids("parent")) == 2, seconds=10)
    wait_until(lambda: group(first) == [], seconds=10, what="the end of what was left")


def test_the_end_reaches_children_of_parts_too(supervisor: Supervisor, told: Told) -> None:
    supervisor.start(part("parent", PARENT))
    (pid,) = told.pids("parent")
    wait_until(lambda: len(group(pid)) == 2, seconds=10, what="the child's start")
    supervisor.end()
    wait_until(lambda: group(pid) == [], seconds=10, what="the end of the group")


def test_a_part_that_will_not_end_is_killed(
    supervisor: Supervisor, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "END_WITHIN_S", 0.5)
    supervisor.start(part("deaf", STUBBORN))
    (pid,) = told.pids("deaf")
    wait_until(lambda: _ignores_sigterm(pid), seconds=10, what="its deafness")
    supervisor.end()
    assert not lives(pid)


def _ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored, 16) >> (signal.SIGTERM - 1) & 1)


def test_parts_that_others_need_end_last(supervisor: Supervisor, told: Told, tmp_path: Path) -> None:
    note = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open({log!r}, 'a').write({name!r} + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open({log!r} + {name!r}, 'w').close()\n"
        "time.sleep(60)"
    )
    log = str(tmp_path / "ends")
    supervisor.start(part("broker", note.format(log=log, name="broker"), ends_last=True))
    supervisor.start(part("worker", note.format(log=log, name="worker")))
    both = [tmp_path / "endsbroker", tmp_path / "endsworker"]
    wait_until(lambda: all(path.exists() for path in both), seconds=10, what="both starts")
    supervisor.end()
    assert Path(log).read_text() == "worker broker "


def test_stopping_ends_the_watch_at_once(supervisor: Supervisor) -> None:
    supervisor.start(part("sleeper", SLEEP))
    threading.Timer(0.2, supervisor.stop).start()
    assert supervisor.watch(seconds=10) is False
    assert supervisor.stopping.is_set()


def test_a_part_dies_with_the_process_that_started_it() -> None:
    code = (
        "import functools, sys, time; from truthlens_site.parts import Part;"
        "from truthlens_site.supervisor import Supervisor;"
        f"part = Part('x', [sys.executable, '-c', {PARENT!r}]);"
        "Supervisor(functools.partial(print, flush=True)).start(part); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[-1].rstrip(").\n"))
        wait_until(lambda: lives(pid), seconds=10, what="the part's start")
        process.kill()
    wait_until(lambda: not lives(pid), seconds=10, what="the part's end")
    for orphan in group(pid):  # untethered by its maker, unlike ours
        os.kill(orphan, signal.SIGKILL)
