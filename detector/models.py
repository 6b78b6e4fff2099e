"""The models: a CNN that sees one face crop, and an LSTM that sees how its features move over time.

One file holds them all. A model is named by its card (``detector/weights/*.json``); the registry at the end
maps the name to a builder that makes it with random weights.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Scores(NamedTuple):
    """Logits, positive for fake: ``frames`` is (batch, time), ``sequence`` is (batch,)."""

    frames: Tensor
    sequence: Tensor


MAP_CELLS = 7
RINGS = 3
"""Concentric squares of the feature maps: the middle of the face, what lies around it, the edge of the crop."""


def ring_shares() -> Tensor:
    """(3, 7, 7): for each ring the share of each cell in its average."""
    from_middle = (torch.arange(MAP_CELLS) - MAP_CELLS // 2).abs()
    ring = (torch.maximum(from_middle[:, None], from_middle[None, :]) - 1).clamp(min=0)
    inside = F.one_hot(ring, RINGS).permute(2, 0, 1).float()
    return inside / inside.sum(dim=(1, 2), keepdim=True)


class CnnLstm(nn.Module):
    """A frame CNN with a linear output, and a bidirectional LSTM that corrects the frames' average.

    The frame output reads the average over the feature maps. The LSTM reads the averages over three rings of
    them, so that it can tell a face that moves on its own from one that moves with its surroundings, each with
    its difference to the frame before, since one frame alone would be the shorter way to a low loss. Its
    output layer starts at zero: untrained, the sequence output is the mean of the frame outputs, and training
    can only move it where time tells more.
    """

    shares: Tensor
    areas: Tensor

    def __init__(self, cnn: nn.Module, width: int, *, reduced: int = 64, hidden: int = 96) -> None:
        super().__init__()
        self.cnn = cnn
        self.width = width
        self.frame_output = nn.Linear(width, 1)
        self.reduce = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, reduced))
        self.lstm = nn.LSTM(2 * RINGS * reduced, hidden, batch_first=True, bidirectional=True)
        self.sequence_output = nn.Linear(4 * hidden, 1)
        nn.init.zeros_(self.sequence_output.weight)
        nn.init.zeros_(self.sequence_output.bias)
        self.register_buffer("shares", ring_shares(), persistent=False)
        self.register_buffer("areas", 1 / ring_shares().amax(dim=(1, 2)) / MAP_CELLS**2, persistent=False)

    def feature_maps(self, crops: Tensor) -> Tensor:
        """(n, 3, 224, 224) normalised crops to (n, width, 7, 7)."""
        maps: Tensor = self.cnn(crops)
        return maps

    def features(self, crops: Tensor) -> Tensor:
        """(n, 3, 224, 224) normalised crops to (n, 3, width), one row a ring."""
        return torch.einsum("nchw,rhw->nrc", self.feature_maps(crops), self.shares)

    def frame_logits(self, features: Tensor) -> Tensor:
        """(..., 3, width) to (...,)."""
        mean = torch.einsum("...rc,r->...c", features, self.areas)
        logits: Tensor = self.frame_output(mean)
        return logits.squeeze(-1)

    def judge(self, features: Tensor) -> Scores:
        """(batch, time, 3, width) features of consecutive frames to scores."""
        frames = self.frame_logits(features)
        reduced = self.reduce(features).flatten(2)
        moved = F.pad(reduced[:, 1:] - reduced[:, :-1], (0, 0, 1, 0))
        states, _ = self.lstm(torch.cat([reduced, moved], dim=-1))
        summary = torch.cat([states.mean(dim=1), states.amax(dim=1)], dim=-1)
        return Scores(frames, frames.mean(dim=1) + self.sequence_output(summary).squeeze(-1))

    def forward(self, crops: Tensor) -> Scores:
        """(batch, time, 3, 224, 224) normalised crops to scores."""
        batch, time = crops.shape[:2]
        return self.judge(self.features(crops.flatten(0, 1)).unflatten(0, (batch, time)))


class SamePad(nn.Conv2d):
    """A convolution padded as TensorFlow pads: by need, with the odd pixel at the right and bottom.

    The ImageNet weights of EfficientNet-Lite were trained so.
    """

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(
            reversed(x.shape[-2:]), reversed(self.kernel_size), reversed(self.stride), strict=True
        ):
            need = max(0, (-(size // -stride) - 1) * stride + kernel - size)
            pads += [need // 2, need - need // 2]
        return super().forward(F.pad(x, pads) if any(pads) else x)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, where asked, ReLU6."""

    def __init__(
        self, into: int, out: int, kernel: int = 1, stride: int = 1, *, groups: int = 1, act: bool = True
    ):
        padded = SamePad if stride > 1 else nn.Conv2d
        padding = 0 if stride > 1 else kernel // 2
        layers: list[nn.Module] = [
            padded(into, out, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(out, eps=1e-3, momentum=0.01),
        ]
        super().__init__(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class InvertedResidual(nn.Module):
    """MBConv without squeeze-and-excitation (EfficientNet-Lite; Sandler et al. 2018, Tan and Le 2019)."""

    def __init__(self, into: int, out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = into * expand
        self.expand = ConvNorm(into, wide) if expand > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNorm(wide, out, act=False)
        self.residual = stride == 1 and into == out

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


LITE0_STAGES = (
    # output channels, kernel, stride, expansion, blocks
    (16, 3, 1, 1, 1),
    (24, 3, 2, 6, 2),
    (40, 5, 2, 6, 2),
    (80, 3, 2, 6, 3),
    (112, 5, 1, 6, 3),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)


def efficientnet_lite(stages: Sequence[tuple[int, int, int, int, int]] = LITE0_STAGES) -> nn.Sequential:
    """EfficientNet-Lite0 up to its last feature maps: (n, 3, 224, 224) to (n, 1280, 7, 7)."""
    layers: list[nn.Module] = [ConvNorm(3, 32, 3, 2)]
    channels = 32
    for out, kernel, stride, expand, blocks in stages:
        for block in range(blocks):
            layers.append(InvertedResidual(channels, out, kernel, stride if block == 0 else 1, expand))
            channels = out
    return nn.Sequential(*layers, ConvNorm(channels, 1280))


def resnext50() -> nn.Sequential:
    """ResNeXt50 32x4d (Xie et al. 2017) up to its last feature maps: (n, 3, 224, 224) to (n, 2048, 7, 7)."""
    from torchvision.models import resnext50_32x4d

    return nn.Sequential(*list(resnext50_32x4d(weights=None).children())[:-2])


def tiny() -> nn.Sequential:
    """Four small convolutions: runs in milliseconds, for tests of everything around the model."""
    sizes = (3, 8, 16, 24, 32)
    return nn.Sequential(*(ConvNorm(a, b, 3, 2) for a, b in pairwise(sizes)), nn.AvgPool2d(2))


MODELS: dict[str, Callable[[], CnnLstm]] = {
    "efficientnet_lstm": lambda: CnnLstm(efficientnet_lite(), 1280),
    "resnext50_lstm": lambda: CnnLstm(resnext50(), 2048),
    "tiny_lstm": lambda: CnnLstm(tiny(), 32, reduced=8, hidden=8),
}
