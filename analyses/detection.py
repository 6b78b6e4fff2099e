"""The one door from this app to the detector: everything of it that the app uses has its name here.

Importing this module does not import torch.
"""

from pathlib import Path

from django.conf import settings

from detector import (
    FAILURE_SENTENCES,
    REASON_SENTENCES,
    AnalysisError,
    AnalysisResult,
    DetectorConfig,
    Document,
    Failure,
    Limits,
    NoWeights,
    Reason,
    Verdict,
    WeightsCard,
    analyze,
    error_document,
    find_weights,
    warm,
)
from detector.containers import HEAD_BYTES, container_of, refusal
from detector.model_cards import ModelCard, find_model_cards, plots_of, sections_of
from detector.result import STAGES

__all__ = [
    "FAILURE_SENTENCES",
    "HEAD_BYTES",
    "REASON_SENTENCES",
    "STAGES",
    "AnalysisError",
    "AnalysisResult",
    "DetectorConfig",
    "Document",
    "Failure",
    "Limits",
    "ModelCard",
    "NoWeights",
    "Reason",
    "Verdict",
    "analyze",
    "check_weights",
    "container_of",
    "error_document",
    "make_needed_proxy",
    "model_cards",
    "plots_of",
    "refusal",
    "sections_of",
    "warm",
]


def check_weights() -> WeightsCard:
    """The card of the installed weights. Raises :class:`NoWeights` where there are none to use."""
    return find_weights(settings.DETECTOR)


def model_cards() -> tuple[ModelCard, ...]:
    """Cards of the shipped weights and of those that this site uses, the latter first."""
    return find_model_cards(settings.DETECTOR, settings.BASE_DIR / "benchmarks" / "results")


def make_needed_proxy(path: Path, target: Path, limits: Limits) -> bool:
    """Write a copy that browsers can play to ``target``; False where they can play the file itself."""
    from detector.proxy import make_proxy, needs_proxy  # loads the decoder's library

    if not needs_proxy(path):
        return False
    make_proxy(path, target, limits=limits)
    return True
