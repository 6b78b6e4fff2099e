"""What supervised children do in tests. Module-level functions, so that a spawned process can find them."""

import os
import signal
import time

from analyses.detection import FrameScore
from analyses.supervision import Port


def play(request: object, port: Port) -> object:
    """Do what the request names: a small language of ways to behave."""
    match request:
        case ("echo", value):
            return value
        case ("pid",):
            return os.getpid()
        case ("count", int(total)):
            for done in range(1, total + 1):
                port.on_progress("decode", done, total)
            return total
        case ("score", int(total)):
            for frame in range(total):
                port.on_scores(4.0, [FrameScore(frame, frame / 25, 1, (0, 0, 90, 120), 0.5)])
            return total
        case ("sleep", float(seconds)):
            time.sleep(seconds)
            return "slept"
        case ("until stopped",):
            while not port.should_stop():
                time.sleep(0.01)
            return "stopped"
        case ("die",):
            os.kill(os.getpid(), signal.SIGKILL)
        case ("break",):
            raise RuntimeError("nobody expected this")
    return None


def die_warming_up(request: object, port: Port) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    return None
