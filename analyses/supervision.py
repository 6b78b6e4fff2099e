"""One spawned child process: kept warm, watched while it works, killed when it overruns.

The child is spawned and never forked, because a process that has run torch must not fork. Requests and
answers are pickled over a pipe; one request is under way at a time.
"""

import logging
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import NamedTuple

from analyses.detection import FrameScore, ScoresHook
from analyses.lifeline import die_with_parent
from analyses.log_context import bound, current
from analyses.vitals import Vitals

logger = logging.getLogger(__name__)

TICK_S = 0.2
WARM_UP_LIMIT_S = 180.0
GRACE_S = 5.0
STOP_WITHIN_S = 1.0
"""Who cancels waits for two seconds at most: one for the word to get here, one for the child to obey."""

ProgressHook = Callable[[str, int, int], None]
StopHook = Callable[[], bool]


class SupervisionError(Exception):
    """The child gave no answer."""


class Overran(SupervisionError):
    """It was killed at its limit."""


class Died(SupervisionError):
    """It ended in the middle of a request."""


class Stopped(SupervisionError):
    """It was asked to stop, didn't in time, and was killed."""


class ChildLost(SupervisionError):
    """It didn't get as far as taking the request, so the request isn't to blame."""


class Interrupted(SupervisionError):
    """This process was asked to end, and killed it."""


class ChildBroke(SupervisionError):
    """It met an exception that nobody expected. The message is the child's traceback."""


class Request(NamedTuple):
    """``about``: what lines of the log are about while it is answered."""

    number: int
    content: object
    about: Mapping[str, str]


class Stop(NamedTuple):
    number: int


class Progress(NamedTuple):
    stage: str
    done: int
    total: int


class Scores(NamedTuple):
    duration_s: float
    scores: Sequence[FrameScore]


class Hooks(NamedTuple):
    """Whom the parent tells, and asks, while a request runs."""

    on_progress: ProgressHook
    on_scores: ScoresHook
    should_stop: StopHook


class Answer(NamedTuple):
    content: object


class Broken(NamedTuple):
    trace: str


class Port:
    """The child's side of one request."""

    def __init__(self, connection: Connection, number: int, vitals: Vitals) -> None:
        self.vitals = vitals
        self._connection = connection
        self._number = number
        self._stopped = False

    def on_progress(self, stage: str, done: int, total: int) -> None:
        self._connection.send(Progress(stage, done, total))

    def on_scores(self, duration_s: float, scores: Sequence[FrameScore]) -> None:
        self._connection.send(Scores(duration_s, scores))

    def should_stop(self) -> bool:
        while not self._stopped and self._connection.poll():
            message = self._connection.recv()
            self._stopped = isinstance(message, Stop) and message.number == self._number
        return self._stopped


Handler = Callable[[object, Port], object]
"""Runs in the child. A module-level function, so that it can be named to a spawned process."""


def serve(connection: Connection, handler: Handler, parent: int, vitals: Vitals) -> None:
    """The child's life: answer one request after the other until the parent closes the pipe."""
    die_with_parent(parent)
    for signum in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the parent decides
        signal.signal(signum, signal.SIG_IGN)
    with suppress(EOFError, OSError):  # the parent hung up
        while True:
            message = connection.recv()
            if isinstance(message, Request):
                connection.send(_answer(Port(connection, message.number, vitals), handler, message))


def _answer(port: Port, handler: Handler, request: Request) -> Answer | Broken:
    try:
        with bound(request.about):
            return Answer(handler(request.content, port))
    except Exception:
        return Broken(traceback.format_exc())


class Child(NamedTuple):
    process: SpawnProcess
    connection: Connection
    vitals: Vitals

    def send(self, message: Request | Stop) -> None:
        """Raises :class:`ChildLost` when it is gone."""
        try:
            self.connection.send(message)
        except OSError as error:
            raise ChildLost(f"the child is gone: {error}") from error

    def next_message(self) -> object:
        """The next message, or None after a tick without one. Raises :class:`Died` when it is gone."""
        try:
            if self.connection.poll(TICK_S):
                return self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join(GRACE_S)
            raise Died(f"exit status {self.process.exitcode}") from error
        if not self.process.is_alive() and not self.connection.poll():
            raise Died(f"exit status {self.process.exitcode}")
        return None

    def kill(self) -> None:
        self.process.kill()
        self.process.join(GRACE_S)
        self.connection.close()


class Supervisor:
    """Hands requests to the child, which is replaced whenever it dies, breaks or has to be killed.

    ``warm_up``: the request that a fresh child gets first. Its answer only means that the child is ready.
    """

    def __init__(self, handler: Handler, warm_up: object) -> None:
        self._handler = handler
        self._warm_up = warm_up
        self._child: Child | None = None
        self._ready = False
        self._interrupted = False
        self._numbers = count(1)

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._child.process.pid if self._child else None

    @property
    def vitals(self) -> Vitals:
        """What the child says of itself; nothing where there is none. May be asked by any thread."""
        child = self._child
        return child.vitals if child else Vitals()

    @property
    def interrupted(self) -> bool:
        return self._interrupted

    def start(self) -> None:
        """Start the child, if there is none, and let it warm up; doesn't wait for it."""
        if self._child is not None and self._child.process.is_alive():
            return
        self.close()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        vitals: Vitals = context.RawValue(Vitals)
        # Not a daemon: those may not have children, and the decoder is one.
        arguments = (theirs, self._handler, os.getpid(), vitals)
        process = context.Process(target=serve, args=arguments, daemon=False)
        process.start()
        theirs.close()
        self._child = Child(process, ours, vitals)
        self._child.send(Request(next(self._numbers), self._warm_up, current()))

    def run(
        self,
        request: object,
        *,
        limit_s: float,
        on_progress: ProgressHook,
        should_stop: StopHook,
        on_scores: ScoresHook | None = None,
    ) -> object:
        """The child's answer to ``request``.

        ``should_stop`` is asked at every tick while the request runs, and while the child warms up.
        Raises a :class:`SupervisionError` where there is no answer; a fresh child is then on its way.
        """
        try:
            child = self._warm_child(should_stop)
            number = next(self._numbers)
            child.send(Request(number, request, current()))
            return self._collect(
                child, number, limit_s, Hooks(on_progress, on_scores or _nobody, should_stop)
            )
        except BaseException as error:
            self.close()
            if isinstance(error, SupervisionError) and not self._interrupted:
                self.start()
            raise

    def interrupt(self) -> None:
        """End whatever runs, now and from now on. May be called in a signal handler."""
        self._interrupted = True

    def close(self) -> None:
        """Kill the child, if there is one."""
        child, self._child, self._ready = self._child, None, False
        if child is not None:
            child.kill()

    def _warm_child(self, should_stop: StopHook) -> Child:
        """The child once it is ready. Raises :class:`ChildLost` if it dies on the way there."""
        self.start()
        assert self._child is not None
        if not self._ready:
            try:
                self._collect(self._child, 0, WARM_UP_LIMIT_S, Hooks(_nobody, _nobody, should_stop))
            except ChildBroke as error:
                logger.error("The detector could not be warmed up:\n%s", error)
            except (Died, Overran) as error:
                raise ChildLost(f"while warming up: {error}") from error
            self._ready = True
        return self._child

    def _collect(self, child: Child, number: int, limit_s: float, hooks: Hooks) -> object:
        deadline = monotonic() + limit_s
        stop_deadline: float | None = None
        while True:
            message = child.next_message()
            if isinstance(message, Answer):
                return message.content
            if isinstance(message, Broken):
                raise ChildBroke(message.trace)
            if isinstance(message, Progress):
                hooks.on_progress(*message)
            if isinstance(message, Scores):
                hooks.on_scores(*message)
            if self._interrupted:
                raise Interrupted
            if monotonic() > deadline:
                raise Overran(f"after {limit_s:g} s")
            if stop_deadline is None and hooks.should_stop():
                child.send(Stop(number))
                stop_deadline = monotonic() + STOP_WITHIN_S
            elif stop_deadline is not None and monotonic() > stop_deadline:
                raise Stopped


def _nobody(*_: object) -> None: ...
