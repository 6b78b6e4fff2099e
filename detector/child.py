"""A child process under limits, in which files from strangers are opened, and the parent's end of its pipe.

The child is a fresh interpreter, never a fork: a fork after torch has run can hang. It gets an empty
environment and the file as an open descriptor, so neither secrets nor names reach it. What it sends is not
trusted: every length is checked before anything is allocated.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, Self, cast

from detector.codes import Failure
from detector.config import Limits
from detector.errors import AnalysisError
from detector.result import StopHook

Message = dict[str, Any]

BOOT = "import sys, json; job = json.loads(sys.argv[1]); sys.path[:] = job['modules']; \
from detector.decoder import main; main(job)"
PACKAGE_ROOT = str(Path(__file__).resolve().parent.parent)
LENGTH = struct.Struct(">I")
LONGEST_MESSAGE = 65_536
PIPE_BYTES = 1 << 20
POLL_MS = 100
LAST_BREATH_S = 10.0


class LimitedChild:
    """One job in one child. Every error it can end in is an AnalysisError with its code."""

    def __init__(
        self,
        job: Message,
        *,
        limits: Limits,
        files: Sequence[BinaryIO] = (),
        should_stop: StopHook | None = None,
    ) -> None:
        self.waited_s = 0.0
        self._wall_s = limits.decode_wall_s
        self._should_stop = should_stop
        self._process = subprocess.Popen(
            command(job, limits),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={},
            cwd="/",
            pass_fds=[file.fileno() for file in files],
            start_new_session=True,
        )
        self._pipe = cast(BinaryIO, self._process.stdout)
        with contextlib.suppress(OSError, AttributeError):  # a larger pipe is only faster
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=30)
        self._pipe.close()

    def message(self) -> Message:
        """The child's next message. Raises the AnalysisError that the child or its death tells of."""
        self._ask()
        head = bytearray(LENGTH.size)
        self.fill(memoryview(head))
        (length,) = LENGTH.unpack(head)
        if length > LONGEST_MESSAGE:
            raise AnalysisError(Failure.CRASHED, f"the decoder sent a message of {length} bytes")
        body = bytearray(length)
        self.fill(memoryview(body))
        try:
            message = dict(json.loads(body))
            if message["kind"] == "error":
                raise AnalysisError(Failure(message["code"]), str(message["detail"]))
        except (ValueError, KeyError, TypeError) as error:
            raise AnalysisError(Failure.CRASHED, f"the decoder sent nonsense: {error!r}") from error
        return message

    def fill(self, view: memoryview) -> None:
        """Fill a buffer of bytes from the pipe."""
        while view:
            self._wait()
            count = self._pipe.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise self._death()
            view = view[count:]

    def _wait(self) -> None:
        """Wait until there is something to read. Time in which the caller was busy does not count."""
        while True:
            began = perf_counter()
            ready = self._poll.poll(min(POLL_MS, max(1.0, 1000 * (self._wall_s - self.waited_s))))
            self.waited_s += perf_counter() - began
            if ready:
                return
            self._ask()
            if self.waited_s > self._wall_s:
                raise AnalysisError(Failure.TIMED_OUT, f"decoding took over {self._wall_s:g} s")

    def _ask(self) -> None:
        if self._should_stop is not None and self._should_stop():
            raise AnalysisError(Failure.CANCELLED)

    def _death(self) -> AnalysisError:
        try:
            status = self._process.wait(timeout=LAST_BREATH_S)
        except subprocess.TimeoutExpired:
            return AnalysisError(Failure.CRASHED, "the decoder closed its pipe and went on")
        if status == -signal.SIGXCPU:
            return AnalysisError(Failure.TIMED_OUT, "the decoder used up its processor time")
        return AnalysisError(Failure.CRASHED, f"the decoder ended with status {status}")


def command(job: Message, limits: Limits) -> list[str]:
    """The child's command line; it looks for modules where this process does, but not in a current folder."""
    modules = [PACKAGE_ROOT, *(entry for entry in sys.path if Path(entry).is_absolute())]
    settings = {
        "modules": modules,
        "parent": os.getpid(),
        "memory_bytes": limits.decode_memory_bytes,
        "cpu_s": limits.decode_cpu_s,
        "max_pixels": limits.max_pixels,
        "max_duration_s": limits.max_duration_s,
    }
    return [sys.executable, "-I", "-S", "-c", BOOT, json.dumps({**settings, **job})]
