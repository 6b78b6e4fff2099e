"""From uint8 crops to the numbers a model reads. Training, evaluation and serving share it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from detector.config import MARGIN


@dataclass(frozen=True, slots=True)
class Input:
    """How a model wants its crops: channel means and spreads on the scale 0 to 1, and how wide they are cut.

    margin: side of the crop as a multiple of the longer side of the face's box.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    margin: float = MARGIN


LITE = Input((0.498, 0.498, 0.498), (0.502, 0.502, 0.502))
CLOSE = replace(LITE, margin=1.16)
"""Networks trained on views of many sizes tell faces best that are a little larger than those views are on
average (Touvron et al. 2019); how much larger was measured, see docs/experiments.md."""
IMAGENET = Input((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INPUTS: dict[str, Input] = {
    "efficientnet_lstm": CLOSE,
    "efficientnet_lite2_lstm": LITE,
    "efficientnet_duo_lstm": LITE,
    "resnext50_lstm": IMAGENET,
    "tiny_lstm": LITE,
}


def to_tensor(crops: npt.NDArray[np.uint8], how: Input) -> Tensor:
    """(n, height, width, 3) uint8 RGB to (n, 3, height, width) float32, normalised."""
    return normalised(torch.from_numpy(np.ascontiguousarray(crops)), how)


def normalised(crops: Tensor, how: Input) -> Tensor:
    """``to_tensor`` of crops that are a tensor already, on its device."""
    pixels = crops.permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(v, device=crops.device).view(1, 3, 1, 1) * 255 for v in (how.mean, how.std))
    return (pixels - mean) / std
