"""The child process: limits first, then one job, whose outcome goes to the parent through a pipe.

It imports PyAV and nothing else of weight, because every clip waits for its start.
"""

import contextlib
import ctypes
import json
import os
import queue
import resource
import signal
import struct
import sys
import threading
import traceback
from typing import Any, BinaryIO

from detector.codes import Failure
from detector.errors import AnalysisError

Job = dict[str, Any]

PR_SET_PDEATHSIG = 1
OPEN_FILES = 64
AHEAD_BYTES = 48 * 1024 * 1024
"""Decoded frames that may wait for the parent, so that decoding goes on while the parent is busy."""
MOST_AHEAD = 8


class Channel:
    """The child's end of the pipe. A thread writes, so that decoding does not wait for the reader."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._queue: queue.Queue[tuple[bytes, memoryview | bytes] | None] = queue.Queue()
        self._room = threading.Semaphore(MOST_AHEAD)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def limit(self, payload_bytes: int) -> None:
        """Let fewer payloads wait where each is large."""
        for _ in range(MOST_AHEAD - max(1, min(MOST_AHEAD, AHEAD_BYTES // max(1, payload_bytes)))):
            self._room.acquire()

    def send(self, message: dict[str, Any], payload: memoryview | bytes = b"") -> None:
        body = json.dumps(message).encode()
        self._room.acquire()
        self._queue.put((struct.pack(">I", len(body)) + body, payload))

    def close(self) -> None:
        """Return once everything is written."""
        self._queue.put(None)
        self._writer.join()

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            for part in item:
                view = memoryview(part)
                while view:
                    try:
                        view = view[self._pipe.write(view) :]
                    except OSError:  # the parent is gone, and with it the reason to go on
                        os._exit(1)
            del item, part, view
            self._room.release()


def set_limits(job: Job) -> None:
    """Bound what this process may use, and end it with its parent."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere the closed pipe ends it
        # It is the thread that started this child whose end counts, which must not be a passing one.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != job["parent"]:
        os._exit(1)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, int(job.get("written_bytes", 0))),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, int(job["memory_bytes"])),
    ):
        lower(kind, most, most)
    lower(resource.RLIMIT_CPU, int(job["cpu_s"]), int(job["cpu_s"]) + 5)


def lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit, but never above one that is already there."""
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))


def private_pipe() -> BinaryIO:
    """Standard output under another number, so that a library that prints can't spoil the messages."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    return pipe


def do(job: Job, channel: Channel) -> None:
    if job["kind"] == "read":
        from detector.decoding import read

        read(job, channel)
    elif job["kind"] == "probe":
        from detector.decoding import probe

        probe(job, channel)
    elif job["kind"] == "credentials":
        from detector.credentials import read_credentials

        read_credentials(job, channel)
    else:
        from detector.transcoding import transcode

        transcode(job, channel)


def main(job: Job) -> None:
    """Entry of the child."""
    channel = Channel(private_pipe())
    try:
        set_limits(job)
        do(job, channel)
    except AnalysisError as error:
        channel.send({"kind": "error", "code": str(error.code), "detail": error.detail[:2000]})
    except BaseException:
        detail = traceback.format_exc()[-2000:]
        channel.send({"kind": "error", "code": str(Failure.CRASHED), "detail": detail})
    channel.close()
    sys.stdout.flush()
    os._exit(0)
