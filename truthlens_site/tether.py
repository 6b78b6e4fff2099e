"""Runs a command that dies with the process that started it.

    python tether.py PARENT_PID COMMAND...

Replaces itself by the command, having asked the kernel to kill it when its parent ends, however the parent
ends. A program of its own, because the parent has threads and must not run Python between fork and exec.
Standard library alone; run by its path.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str]) -> list[str]:
    """``command``, tethered to this process. Start it from the main thread: a thread's end counts too."""
    return [sys.executable, "-ISs", __file__, str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":  # elsewhere the parent's own clean-up has to do
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the request was made
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
