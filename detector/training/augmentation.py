"""What happens to real and fake crops alike: camera, size, noise and compression.

Both members of a pair get the same draw, so that none of it can tell them apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from detector.crops import CROP_PX
from detector.recompression import h264
from detector.training.blending import Image, Rng

Change = Callable[[Image], Image]

CAMERA = v2.Compose(
    [
        v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.3),
        v2.RandomApply([v2.ColorJitter(hue=0.04)], p=0.4),
        v2.RandomGrayscale(p=0.05),
        v2.RandomApply([v2.GaussianBlur(kernel_size=7, sigma=(0.4, 1.6))], p=0.25),
        v2.RandomAdjustSharpness(sharpness_factor=2.0, p=0.15),
        v2.RandomApply([v2.GaussianNoise(sigma=0.02)], p=0.2),
    ]
)
"""Light, colours, focus and noise, as one picture or all frames of a clip get them."""


def draw_view(rng: Rng, size: int) -> Change:
    """A cached crop of ``size`` pixels to the model's input: moved, turned, scaled and perhaps mirrored."""
    scale, turn = rng.uniform(0.88, 1.2), rng.uniform(-10, 10)
    stretch = rng.uniform(0.93, 1.07)
    across, down = rng.uniform(-0.04, 0.04, 2) * CROP_PX
    mirrored = rng.random() < 0.5
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), turn, scale)
    matrix[0] = matrix[0] * stretch + [0, 0, (1 - stretch) * size / 2]
    matrix[:, 2] += np.array([across, down]) + (CROP_PX - size) / 2

    def change(image: Image) -> Image:
        view = cv2.warpAffine(
            image, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(view[:, ::-1] if mirrored else view, np.uint8)

    return change


@dataclass(frozen=True, slots=True)
class Quality:
    """One draw of light, blur, size, noise and compression, given by ``seed`` for all images it is used on.

    A manipulation is made at the face's own size in the video and compressed there, so the picture is made
    smaller first and larger again last. Seams finer than the video's own pixels would be a shortcut.
    """

    seed: int
    size: int
    way_back: int
    crf: int | None
    jpeg_quality: int | None

    def __call__(self, images: Sequence[Image]) -> list[Image]:
        """The same for all images; with H.264 they are consecutive frames."""
        side = images[0].shape[0]
        small = photographed([resized(image, self.size, cv2.INTER_AREA) for image in images], self.seed)
        if self.crf is not None:
            small = h264(small, self.crf)
        elif self.jpeg_quality is not None:
            small = [jpeg(image, self.jpeg_quality) for image in small]
        return [resized(image, side, self.way_back) for image in small]


@dataclass(frozen=True, slots=True)
class Qualities:
    """What qualities are drawn from: down to this share of the size, up to this constant rate factor."""

    smallest: float = 0.45
    strongest_crf: int = 33


def draw_quality(rng: Rng, qualities: Qualities) -> Quality:
    factor = rng.uniform(qualities.smallest, 1.0) if rng.random() < 0.6 else 1.0
    kind = rng.choice(("jpeg", "h264", "none"), p=(0.4, 0.5, 0.1))
    return Quality(
        seed=int(rng.integers(2**31)),
        size=2 * round(factor * CROP_PX / 2),
        way_back=int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))),
        crf=int(rng.integers(18, qualities.strongest_crf + 1)) if kind == "h264" else None,
        jpeg_quality=int(rng.integers(40, 98)) if kind == "jpeg" else None,
    )


def photographed(images: Sequence[Image], seed: int) -> list[Image]:
    """All images through the same draw of :data:`CAMERA`; its transforms take torch's own random numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # seeding by torch.manual_seed is slow without a GPU
        taken: Tensor = CAMERA(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))
    return list(np.ascontiguousarray(taken.permute(0, 2, 3, 1).numpy()))


def resized(image: Image, size: int, how: int) -> Image:
    """The square image at another size."""
    if image.shape[0] == size:
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)


def jpeg(image: Image, quality: int) -> Image:
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
