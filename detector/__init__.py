"""Finds out whether the faces in a video were manipulated.

One door: :func:`analyze`. Importing this package does not import torch.
"""

from typing import TYPE_CHECKING

from detector.codes import FAILURE_SENTENCES, REASON_SENTENCES, Failure, Reason, Verdict, sentence
from detector.config import BACKBONES, DetectorConfig, Limits
from detector.errors import AnalysisError, ConfigError, NoWeights
from detector.result import AnalysisResult, Document, ProgressHook, ScoresHook, StopHook, error_document
from detector.weights import WeightsCard, find_weights, verified_bytes

if TYPE_CHECKING:
    from pathlib import Path

__version__ = "0.1.0"


def analyze(
    path: "str | Path",
    *,
    config: DetectorConfig,
    on_progress: ProgressHook | None = None,
    on_scores: ScoresHook | None = None,
    should_stop: StopHook | None = None,
) -> AnalysisResult:
    """Judge the faces of one video file.

    Raises :class:`AnalysisError` with a :class:`Failure` code when the file can't be analysed, and its
    subclass :class:`NoWeights` before anything is decoded when there are no usable weights.
    A clip without a usable face is a result with the verdict *inconclusive*, not an error.
    """
    from detector.pipeline import run  # torch is loaded here and not before

    return run(path, config=config, on_progress=on_progress, on_scores=on_scores, should_stop=should_stop)


def warm(config: DetectorConfig) -> None:
    """Load the model and the face finder into this process, so that the first clip doesn't pay for it.

    Raises :class:`NoWeights` without weights that match their card.
    """
    from detector.engine import warm as warm_engine

    warm_engine(config)


def gpu_memory() -> tuple[int, int] | None:
    """Bytes used and bytes there of the GPU that this process' models are on; None where they are on none."""
    from detector.engine import gpu_memory as measured

    return measured()


def missing_codecs() -> list[str]:
    """What clips need to be read, and copies of them to be made, and the installed PyAV can't do."""
    from detector.codecs import missing_codecs as missing

    return missing()


def check_content(card: WeightsCard) -> None:
    """Raises :class:`NoWeights` unless the weights file has the SHA-256 that its card names."""
    verified_bytes(card)


__all__ = [
    "BACKBONES",
    "FAILURE_SENTENCES",
    "REASON_SENTENCES",
    "AnalysisError",
    "AnalysisResult",
    "ConfigError",
    "DetectorConfig",
    "Document",
    "Failure",
    "Limits",
    "NoWeights",
    "ProgressHook",
    "Reason",
    "ScoresHook",
    "StopHook",
    "Verdict",
    "WeightsCard",
    "analyze",
    "check_content",
    "error_document",
    "find_weights",
    "gpu_memory",
    "missing_codecs",
    "sentence",
    "warm",
]
