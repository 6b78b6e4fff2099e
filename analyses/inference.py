"""The detector in the worker's child process: what is asked of it, and what it does in there.

The child is the only process that loads torch, and it never touches the database.
"""

import logging
import logging.config
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from analyses import detection
from analyses.detection import AnalysisError, AnalysisResult, DetectorConfig, Failure, Limits, ScoresHook
from analyses.log_context import be_part
from analyses.supervision import Died, Overran, Port, ProgressHook, StopHook, Stopped, Supervisor
from analyses.vitals import Vitals

logger = logging.getLogger(__name__)


class WarmUp(NamedTuple):
    config: DetectorConfig


class Analyze(NamedTuple):
    path: Path
    config: DetectorConfig


class MakeProxy(NamedTuple):
    path: Path
    target: Path
    limits: Limits


class Refusal(NamedTuple):
    """The detector's own error, as plain values."""

    code: Failure
    detail: str


def handle(request: object, port: Port) -> AnalysisResult | Refusal | bool:
    """The child's side: answer one request. True for a proxy that was needed and made."""
    settle_in()
    try:
        match request:
            case WarmUp(config):
                detection.warm(config)
                tell_vitals(port.vitals, config)
                return True
            case Analyze(path, config):
                return judge(path, config, port)
            case MakeProxy(path, target, limits):
                return detection.make_needed_proxy(path, target, limits)
    except AnalysisError as error:
        return Refusal(error.code, error.detail)
    raise TypeError(f"not a request: {request!r}")


def judge(path: Path, config: DetectorConfig, port: Port) -> AnalysisResult:
    result = detection.analyze(
        path,
        config=config,
        on_progress=port.on_progress,
        on_scores=port.on_scores,
        should_stop=port.should_stop,
    )
    tell_vitals(port.vitals, config)
    logger.info("Judged in %.1f s.", result.timing.total_s)
    return result


def tell_vitals(vitals: Vitals, config: DetectorConfig) -> None:
    """Of a model that is loaded: its content was checked against its card then."""
    vitals.model_sha256 = detection.find_weights(config).sha256.encode()
    vitals.gpu_used, vitals.gpu_total = detection.gpu_memory() or (0, 0)


@cache
def settle_in() -> None:
    """What a fresh child needs before its first request: Django isn't set up here, nor is its log."""
    be_quiet()
    be_part("child")
    logging.config.dictConfig(settings.LOGGING)


def be_quiet() -> None:
    """Threads that wait must sleep: spinning ones slow everything down on a machine with few cores.

    Read by the OpenMP library when torch loads it, so this comes first.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")


@cache
def supervisor() -> Supervisor:
    """This process's supervisor. Its child starts with the first request, or with ``start()``."""
    return Supervisor(handle, WarmUp(settings.DETECTOR))


def analyze_in_child(
    path: Path,
    *,
    config: DetectorConfig,
    on_progress: ProgressHook,
    should_stop: StopHook,
    on_scores: ScoresHook | None = None,
) -> AnalysisResult:
    """The worker's side: analyse one file. The child keeps every model that it was ever asked for.

    Raises :class:`AnalysisError` for whatever the file can be blamed for, a killed or overrunning child
    too; other ``SupervisionError`` for what it can't.
    """
    answer = _ask(Analyze(path, config), on_progress, should_stop, on_scores)
    if not isinstance(answer, AnalysisResult):
        raise TypeError(f"not a result: {answer!r}")
    return answer


@contextmanager
def playable_copy(path: Path) -> Iterator[Path | None]:
    """A copy that browsers can play, or None where they can play the file itself.

    The copy is gone afterwards. Raises as :func:`analyze_in_child` does.
    """
    with tempfile.TemporaryDirectory(prefix="copy-", dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        target = Path(folder) / "proxy.mp4"
        made = _ask(MakeProxy(path, target, _whole_clip_limits()), _tell_nobody, _never)
        yield target if made else None


def _whole_clip_limits() -> Limits:
    """A copy decodes and encodes every frame, not samples: it may take as long as an analysis."""
    seconds = settings.ANALYSIS_TIMEOUT_S
    return replace(settings.DETECTOR.limits, decode_wall_s=seconds, decode_cpu_s=2 * seconds)


def _ask(
    request: object,
    on_progress: ProgressHook,
    should_stop: StopHook,
    on_scores: ScoresHook | None = None,
) -> object:
    """The child's answer; what happened to the child becomes the failure code that the file gets."""
    try:
        answer = supervisor().run(
            request,
            limit_s=settings.ANALYSIS_TIMEOUT_S,
            on_progress=on_progress,
            on_scores=on_scores,
            should_stop=should_stop,
        )
    except Overran as error:
        raise AnalysisError(Failure.TIMED_OUT, f"killed {error}") from error
    except Died as error:
        raise AnalysisError(Failure.CRASHED, str(error)) from error
    except Stopped as error:
        raise AnalysisError(Failure.CANCELLED, "killed, as it didn't stop in time") from error
    if isinstance(answer, Refusal):
        raise AnalysisError(answer.code, answer.detail)
    return answer


def _tell_nobody(stage: str, done: int, total: int) -> None: ...


def _never() -> bool:
    return False
