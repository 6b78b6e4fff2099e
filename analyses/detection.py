"""The one door from this app to the detector: everything of it that the app uses has its name here.

Importing this module does not import torch.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from detector import (
    BACKBONES,
    FAILURE_SENTENCES,
    REASON_SENTENCES,
    AnalysisError,
    AnalysisResult,
    ConfigError,
    DetectorConfig,
    Document,
    Failure,
    Limits,
    NoWeights,
    Reason,
    ScoresHook,
    Verdict,
    WeightsCard,
    analyze,
    check_content,
    error_document,
    find_weights,
    gpu_memory,
    missing_codecs,
    warm,
)
from detector.containers import HEAD_BYTES, container_of, refusal
from detector.model_cards import (
    ModelCard,
    Section,
    find_model_cards,
    known_clips,
    plots_of,
    sections_of,
    unseen_of,
)
from detector.result import STAGES, FrameScore
from detector.verdict import MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS

__all__ = [
    "FAILURE_SENTENCES",
    "HEAD_BYTES",
    "MAX_YAW_DEG",
    "MIN_FACE_PX",
    "MIN_SHARPNESS",
    "REASON_SENTENCES",
    "STAGES",
    "AnalysisError",
    "AnalysisResult",
    "DetectorConfig",
    "Document",
    "Failure",
    "FrameScore",
    "InstalledModel",
    "Limits",
    "ModelCard",
    "NoWeights",
    "Reason",
    "ScoresHook",
    "Section",
    "Verdict",
    "WeightsCard",
    "analyze",
    "check_content",
    "check_weights",
    "config_for",
    "config_of_weights",
    "container_of",
    "error_document",
    "find_weights",
    "gpu_memory",
    "installed_models",
    "known_clips",
    "make_needed_proxy",
    "missing_codecs",
    "model_cards",
    "plots_of",
    "refusal",
    "sections_of",
    "unseen_of",
    "warm",
]


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that an analysis may be asked for. ``backbone`` is empty for the one that the settings name."""

    backbone: str
    weights: WeightsCard


def config_for(backbone: str = "", *, stability: bool = False) -> DetectorConfig:
    """The settings' configuration with the model that an analysis is asked for.

    Raises :class:`NoWeights` for a name that the detector doesn't know.
    """
    config: DetectorConfig = replace(settings.DETECTOR, stability=stability)
    if not backbone:
        return config
    try:
        return replace(config, backbone=backbone, model_path=None)
    except ConfigError as error:
        raise NoWeights(str(error)) from error


def check_weights(backbone: str = "") -> WeightsCard:
    """The card of a model's installed weights. Raises :class:`NoWeights` where there are none to use."""
    return find_weights(config_for(backbone))


def installed_models() -> tuple[InstalledModel, ...]:
    """What an analysis may be asked for: the settings' own model first, and no weights twice."""
    found: dict[str, InstalledModel] = {}
    for backbone in ("", *BACKBONES):
        with suppress(NoWeights):
            weights = check_weights(backbone)
            found.setdefault(weights.sha256, InstalledModel(backbone, weights))
    return tuple(found.values())


def config_of_weights(sha256: str) -> DetectorConfig | None:
    """The site's settings with the installed weights of that SHA-256; None where they aren't installed."""
    backbones = (model.backbone for model in installed_models() if model.weights.sha256 == sha256)
    return next((config_for(backbone) for backbone in backbones), None)


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
