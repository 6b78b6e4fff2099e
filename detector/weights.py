"""Weights files and their cards: finding them, and proving that they are what the card says.

A card is a JSON file beside the ``.safetensors`` file of the same name. This module needs the standard
library alone, so that a web process may ask whether weights are installed.
"""

import hashlib
import json
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from detector.config import MARGIN, DetectorConfig
from detector.errors import NoWeights

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling (Platt 1999): probability = sigmoid(scale * logit + offset).

    It holds for faces up to this ``strangeness``.
    """

    scale: float
    offset: float
    label: str
    strangest: float = inf


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """What the detector needs to know of a weights file; the card's other fields are for people.

    model: name in ``detector.models.MODELS``; mean, std: the input's, on the scale 0 to 1; margin: of its
    crops, see ``MARGIN``.
    """

    path: Path
    name: str
    version: str
    model: str
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    calibration: Calibration
    margin: float


def find_weights(config: DetectorConfig) -> WeightsCard:
    """The card of the weights that ``config`` asks for.

    Raises :class:`NoWeights` where the file or its card is missing or the card can't be read. The weights
    themselves are checked against the card when they are loaded.
    """
    path = config.model_path or WEIGHTS_FOLDER / f"{config.backbone}_lstm.safetensors"
    if not path.is_file():
        raise NoWeights(f"{path} is missing")
    return read_card(path)


def read_card(path: Path) -> WeightsCard:
    """The card beside a weights file. Raises :class:`NoWeights` where it is missing or malformed."""
    try:
        fields: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return WeightsCard(
            path=path,
            name=str(fields["name"]),
            version=str(fields["version"]),
            model=str(fields["model"]),
            sha256=str(fields["sha256"]),
            mean=_triple(fields["input"]["mean"]),
            std=_triple(fields["input"]["std"]),
            calibration=_calibration(fields["calibration"]),
            margin=float(fields["input"].get("margin", MARGIN)),
        )
    except FileNotFoundError:
        raise NoWeights(f"{path.with_suffix('.json')} is missing") from None
    except (KeyError, TypeError, ValueError) as error:
        raise NoWeights(f"{path.with_suffix('.json')} is not a card: {error!r}") from error


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _calibration(fields: dict[str, Any]) -> Calibration:
    return Calibration(
        float(fields["scale"]),
        float(fields["offset"]),
        str(fields["label"]),
        float(fields.get("strangest", inf)),
    )


def verified_bytes(card: WeightsCard) -> bytes:
    """The weights file's bytes. Raises :class:`NoWeights` unless their SHA-256 is the card's."""
    content = card.path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise NoWeights(f"{card.path} has the SHA-256 {found}, its card says {card.sha256}")
    return content
