"""What happens to real and fake crops alike: camera, size, noise and compression.

Both members of a pair get the same draw, so that none of it can tell them apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from detector.crops import CROP_PX
from detector.recompression import h264
from detector.training.blending import Image, Rng

Change = Callable[[Image], Image]


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
    """One draw of light, blur, size, noise and compression.

    A manipulation is made at the face's own size in the video and compressed there, so the picture is made
    smaller first and larger again last. Seams finer than the video's own pixels would be a shortcut.
    """

    steps: tuple[Change, ...]
    size: int
    way_back: int
    crf: int | None
    jpeg_quality: int | None

    def __call__(self, images: list[Image]) -> list[Image]:
        """The same for all images; with H.264 they are consecutive frames."""
        side = images[0].shape[0]
        images = [resized(image, self.size, cv2.INTER_AREA) for image in images]
        for step in self.steps:
            images = [step(image) for image in images]
        if self.crf is not None:
            images = h264(images, self.crf)
        elif self.jpeg_quality is not None:
            images = [jpeg(image, self.jpeg_quality) for image in images]
        return [resized(image, side, self.way_back) for image in images]


def draw_quality(rng: Rng) -> Quality:
    steps = [draw_light(rng)]
    for chance, draw in ((0.25, draw_blur), (0.15, draw_sharpening), (0.2, draw_noise)):
        if rng.random() < chance:
            steps.append(draw(rng))
    factor = rng.uniform(0.45, 1.0) if rng.random() < 0.6 else 1.0
    kind = rng.choice(("jpeg", "h264", "none"), p=(0.4, 0.5, 0.1))
    return Quality(
        steps=tuple(steps),
        size=2 * round(factor * CROP_PX / 2),
        way_back=int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))),
        crf=int(rng.integers(18, 34)) if kind == "h264" else None,
        jpeg_quality=int(rng.integers(40, 98)) if kind == "jpeg" else None,
    )


def resized(image: Image, size: int, how: int) -> Image:
    """The square image at another size."""
    if image.shape[0] == size:
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)


def draw_light(rng: Rng) -> Change:
    """Exposure, contrast and colours: a clip's own look must not tell what was changed in it."""
    gain, offset, gamma = rng.uniform(0.85, 1.15), rng.uniform(-18, 18), rng.uniform(0.8, 1.25)
    tint = rng.uniform(0.95, 1.05, 3)
    ramp = 255 * (np.arange(256) / 255) ** gamma
    curves = np.clip(ramp[:, None] * (tint * gain) + offset, 0, 255).astype(np.uint8)
    hue, saturation = rng.uniform(-8, 8), rng.uniform(0.7, 1.3)
    grey = rng.random() < 0.05

    def change(image: Image) -> Image:
        lit = np.stack([curves[image[..., channel], channel] for channel in range(3)], axis=-1)
        hsv = cv2.cvtColor(lit, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + round(hue)) % 180
        hsv[..., 1] = 0 if grey else np.clip(hsv[..., 1] * saturation, 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)

    return change


def draw_sharpening(rng: Rng) -> Change:
    amount, sigma = rng.uniform(0.3, 1.2), rng.uniform(0.6, 2.0)

    def change(image: Image) -> Image:
        soft = cv2.GaussianBlur(image, (0, 0), sigma)
        return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)

    return change


def draw_blur(rng: Rng) -> Change:
    sigma = rng.uniform(0.4, 1.6)
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def draw_noise(rng: Rng) -> Change:
    spread, seed = rng.uniform(1, 8), int(rng.integers(2**31))

    def change(image: Image) -> Image:
        noise = np.random.default_rng(seed).normal(0, spread, image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    return change


def jpeg(image: Image, quality: int) -> Image:
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
