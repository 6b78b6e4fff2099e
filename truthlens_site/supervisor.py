"""Keeps the parts of the site alive, and ends them all together.

Each part runs in a session of its own, so that Ctrl-C reaches the supervisor alone, and is tethered to it,
so that the kernel kills the part should the supervisor be killed.
"""

import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from truthlens_site.parts import Part
from truthlens_site.tether import tethered

LOOK_EVERY_S = 0.2
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_AFTER_S = 60.0
END_WITHIN_S = 4.5


class Keeper:
    """Starts one part, and starts it again with growing delays when it ends."""

    def __init__(self, part: Part, say: Callable[[str], None]) -> None:
        self.part = part
        self._say = say
        self._delay = FIRST_DELAY_S
        self._due = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            tethered(self.part.command),
            env=os.environ | self.part.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._say(f"Started {self.part.name} (process {self._process.pid}).")

    def look(self) -> None:
        """Notice an end, and start again when it is time."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return
        status = self._process.poll()
        if status is not None:
            self._ended(status)

    def _ended(self, status: int) -> None:
        now = time.monotonic()
        if now - self._started > STEADY_AFTER_S:
            self._delay = FIRST_DELAY_S
        self._say(f"The {self.part.name} ended ({_manner(status)}); starting it again in {self._delay:g} s.")
        self.kill()  # what it started must not hold its port or its socket
        self._process = None
        self._due = now + self._delay
        self._delay = min(2 * self._delay, LONGEST_DELAY_S)

    def ask_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """Kill the process and all that is left of its group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)


class Supervisor:
    """Runs parts until :meth:`stop` is called, by a signal or by anybody."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._keepers: list[Keeper] = []
        self.stopping = threading.Event()
        self._hurry = threading.Event()

    def listen(self) -> None:
        """End on SIGINT and SIGTERM, at once on the second."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        if self.stopping.is_set():
            self._hurry.set()
        self.stopping.set()

    def start(self, part: Part) -> None:
        keeper = Keeper(part, self._say)
        self._keepers.append(keeper)
        keeper.start()

    def watch(self, until: Callable[[], bool] = lambda: False, *, seconds: float = math.inf) -> bool:
        """Keep the parts alive until the site is to stop, ``until`` is true, or time is up.

        Returns whether ``until`` was true.
        """
        deadline = time.monotonic() + seconds
        while not self.stopping.is_set() and time.monotonic() < deadline:
            if until():
                return True
            for keeper in self._keepers:
                keeper.look()
            self.stopping.wait(LOOK_EVERY_S)
        return False

    def end(self) -> None:
        """End all parts: first those that work, then those they need. What does not end is killed."""
        for last in (False, True):
            self._end([keeper for keeper in self._keepers if keeper.part.ends_last is last])

    def _end(self, keepers: list[Keeper]) -> None:
        for keeper in keepers:
            keeper.ask_to_end()
        deadline = time.monotonic() + END_WITHIN_S
        while not all(keeper.has_ended() for keeper in keepers):
            if self._hurry.is_set() or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for keeper in keepers:
            keeper.kill()


def _manner(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
