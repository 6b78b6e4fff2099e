"""The models: a CNN that sees one face crop, and an LSTM that sees how its features move over time.

One file holds them all. A model is named by its card (``detector/weights/*.json``); the registry at the end
maps the name to a builder that makes it with random weights.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Scores(NamedTuple):
    """Logits, positive for fake: ``frames`` is (batch, time), ``sequence`` is (batch,)."""

    frames: Tensor
    sequence: Tensor


SMALL_PX, CELLS = 56, 7
"""Motion is measured on pictures of 56 x 56 pixels, in 7 x 7 cells."""
LAGS = (1, 2, 4)
MOTIONS = (len(LAGS) + 1) * CELLS**2
GREY_LEVELS = 128.0
"""Grey levels in a unit of EfficientNet's input; others differ, and so do the mean and spread they keep."""
SCOPE_DIRECTIONS = 64
"""Directions in which the features of photographed faces differ most."""


class CnnLstm(nn.Module):
    """A frame CNN with a linear output, and a bidirectional LSTM that corrects the frames' average.

    The LSTM reads what the frames can't tell one by one: how the CNN's output wavers around its average, and
    how much each cell of the crop moves from frame to frame, so that a face that moves on its own can be told
    from one that moves with its surroundings. Its output layer starts at zero: untrained, the sequence output
    is the mean of the frame outputs, and training can only move it where time tells more.
    """

    motion_mean: Tensor
    motion_spread: Tensor
    scope_mean: Tensor
    scope_basis: Tensor
    scope_spread: Tensor

    def __init__(
        self,
        cnn: nn.Module,
        width: int,
        *,
        scope_width: int | None = None,
        motion: int = 48,
        hidden: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.cnn = cnn
        self.width = width
        self.scope_width = scope_width or width
        self.dropout = dropout
        self.frame_output = nn.Linear(width, 1)
        self.register_buffer("motion_mean", torch.zeros(MOTIONS))
        self.register_buffer("motion_spread", torch.ones(MOTIONS))
        self.register_buffer("scope_mean", torch.zeros(self.scope_width))
        self.register_buffer("scope_basis", torch.zeros(SCOPE_DIRECTIONS, self.scope_width))
        self.register_buffer("scope_spread", torch.ones(()))
        self.motion = nn.Linear(MOTIONS, motion)
        self.lstm = nn.LSTM(motion + 2, hidden, batch_first=True, bidirectional=True)
        self.sequence_output = nn.Linear(4 * hidden, 1)
        nn.init.zeros_(self.sequence_output.weight)
        nn.init.zeros_(self.sequence_output.bias)

    @property
    def features_width(self) -> int:
        return self.width + SMALL_PX**2

    def feature_maps(self, crops: Tensor) -> Tensor:
        """(n, 3, 224, 224) normalised crops to (n, width, 7, 7)."""
        maps: Tensor = self.cnn(crops)
        return maps

    def features(self, crops: Tensor) -> Tensor:
        """(n, 3, 224, 224) normalised crops to (n, features_width): mean of the maps, small picture."""
        return torch.cat([self.feature_maps(crops).mean(dim=(2, 3)), small_picture(crops)], dim=1)

    def frame_logits(self, features: Tensor) -> Tensor:
        """(..., features_width) to (...,)."""
        logits: Tensor = self.frame_output(features[..., : self.width])
        return logits.squeeze(-1)

    def strangeness(self, features: Tensor) -> Tensor:
        """(n, features_width) features of one face to how far from those of training faces it lies, ().

        What is measured is the squared distance from the subspace in which training faces differ, on average
        1 for those (Hotelling's Q statistic; Jackson and Mudholkar 1979), as the mean over the frames. Of an
        ensemble only the first network's features count, whichever knows strange faces best.
        """
        away = features[:, : self.scope_width] - self.scope_mean
        inside = away @ self.scope_basis.T
        return (away.square().sum(dim=1) - inside.square().sum(dim=1)).mean() / self.scope_spread

    def judge(self, features: Tensor) -> Scores:
        """(batch, time, features_width) features of consecutive frames to scores."""
        return self.judge_motion(self.frame_logits(features), motion_of(features[..., self.width :]))

    def judge_motion(self, frames: Tensor, motion: Tensor) -> Scores:
        """(batch, time) frame logits and their (batch, time, 196) motion to scores."""
        wavering = frames - frames.mean(dim=1, keepdim=True)
        turning = F.pad(wavering[:, 1:] - wavering[:, :-1], (1, 0))
        moved = (motion - self.motion_mean) / self.motion_spread
        moved = F.relu(self.motion(F.dropout(moved, self.dropout, self.training)))
        moved = F.dropout(moved, self.dropout, self.training)
        states, _ = self.lstm(torch.cat([moved, wavering[..., None] / 2, turning[..., None] / 2], dim=-1))
        summary = torch.cat([states.mean(dim=1), states.amax(dim=1)], dim=-1)
        summary = F.dropout(summary, self.dropout, self.training)
        return Scores(frames, frames.mean(dim=1) + self.sequence_output(summary).squeeze(-1))

    def forward(self, crops: Tensor) -> Scores:
        """(batch, time, 3, 224, 224) normalised crops to scores."""
        batch, time = crops.shape[:2]
        return self.judge(self.features(crops.flatten(0, 1)).unflatten(0, (batch, time)))


def small_picture(crops: Tensor) -> Tensor:
    """(n, 3, 224, 224) to the brightness of 56 x 56 pixels, (n, 3136)."""
    red, green, blue = crops.unbind(dim=1)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    return F.avg_pool2d(brightness, crops.shape[-1] // SMALL_PX).flatten(1)


def motion_of(small: Tensor) -> Tensor:
    """(batch, time, 3136) small pictures to (batch, time, 196) logarithms of how much each cell changed.

    The changes are those to the frames 1, 2 and 4 before, and the bend between the neighbours of a frame; a
    frame that lacks these has zeros.
    """
    pictures = small.unflatten(-1, (SMALL_PX, SMALL_PX)) * GREY_LEVELS
    changes = [
        F.pad(pictures[:, lag:] - pictures[:, :-lag], (0, 0, 0, 0, lag, 0))
        if pictures.shape[1] > lag
        else torch.zeros_like(pictures)
        for lag in LAGS
    ]
    bend = torch.zeros_like(pictures)
    bend[:, 1:-1] = pictures[:, 2:] - 2 * pictures[:, 1:-1] + pictures[:, :-2]
    cells = [F.avg_pool2d(change.abs(), SMALL_PX // CELLS).flatten(2) for change in (*changes, bend)]
    return torch.cat(cells, dim=-1).log1p()


def mirrored(motion: Tensor) -> Tensor:
    """(..., 196) motion as it would be in the mirrored video."""
    cells: Tensor = motion.unflatten(-1, (-1, CELLS, CELLS)).flip(-1)
    return cells.flatten(-3)


class SamePad(nn.Conv2d):
    """A convolution padded as TensorFlow pads: by need, with the odd pixel at the right and bottom.

    The ImageNet weights of EfficientNet-Lite were trained so.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.padded(x))

    def padded(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(
            reversed(x.shape[-2:]), reversed(self.kernel_size), reversed(self.stride), strict=True
        ):
            need = max(0, (-(size // -stride) - 1) * stride + kernel - size)
            pads += [need // 2, need - need // 2]
        return F.pad(x, pads) if any(pads) else x


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

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, *act = self
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d) or norm.training:
            return super().forward(x)  # type: ignore[no-any-return, no-untyped-call]
        assert norm.running_mean is not None
        assert norm.running_var is not None
        # A norm that keeps its statistics is a factor and an offset. In the convolution they cost nothing,
        # where a pass over the maps costs a quarter of a training step on a CPU.
        factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight = (conv.weight * factor[:, None, None, None]).contiguous(memory_format=torch.channels_last)
        offset = norm.bias - norm.running_mean * factor
        x = conv.padded(x) if isinstance(conv, SamePad) else x
        out = F.conv2d(x, weight, offset, conv.stride, conv.padding, groups=conv.groups)
        # In place, a gradient would need a copy of what was there.
        return F.relu6(out, inplace=not torch.is_grad_enabled()) if act else out


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
LITE2_STAGES = (
    (16, 3, 1, 1, 1),
    (24, 3, 2, 6, 3),
    (48, 5, 2, 6, 3),
    (88, 3, 2, 6, 4),
    (120, 5, 1, 6, 4),
    (208, 5, 2, 6, 5),
    (352, 3, 1, 6, 1),
)


def efficientnet_lite(stages: Sequence[tuple[int, int, int, int, int]]) -> nn.Sequential:
    """EfficientNet-Lite up to its last feature maps: (n, 3, 224, 224) to (n, 1280, 7, 7)."""
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


class Ensemble(nn.Module):
    """Networks side by side, their maps one above the other: (n, 3, 224, 224) to (n, sum of widths, 7, 7).

    Trained apart, with other samples or from other starts, they err in part differently; a linear output
    over all maps can be the mean of their outputs (Lakshminarayanan et al. 2017).
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([member(x) for member in self.members], dim=1)


def tiny() -> nn.Sequential:
    """Four small convolutions: runs in milliseconds, for tests of everything around the model."""
    sizes = (3, 8, 16, 24, 32)
    return nn.Sequential(*(ConvNorm(a, b, 3, 2) for a, b in pairwise(sizes)), nn.AvgPool2d(2))


MODELS: dict[str, Callable[[], CnnLstm]] = {
    "efficientnet_lstm": lambda: CnnLstm(efficientnet_lite(LITE0_STAGES), 1280),
    "efficientnet_lite2_lstm": lambda: CnnLstm(efficientnet_lite(LITE2_STAGES), 1280),
    "efficientnet_duo_lstm": lambda: CnnLstm(
        Ensemble(efficientnet_lite(stages) for stages in (LITE0_STAGES, LITE2_STAGES)),
        2 * 1280,
        scope_width=1280,
    ),
    "resnext50_lstm": lambda: CnnLstm(resnext50(), 2048),
    "tiny_lstm": lambda: CnnLstm(tiny(), 32, motion=8, hidden=8),
}
