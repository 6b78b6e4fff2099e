"""What happens to real and fake crops alike: camera, size, noise and compression.

Both members of a pair get the same draw, so that none of it can tell them apart.
"""

from collections.abc import Callable

import cv2
import numpy as np

from detector.crops import CROP_PX
from detector.recompression import h264
from detector.training.blending import Image, Rng

Change = Callable[[Image], Image]


def draw_view(rng: Rng, size: int) -> Change:
    """A cached crop of ``size`` pixels to the model's input: moved, turned, scaled and perhaps mirrored."""
    scale, turn = rng.uniform(0.9, 1.12), rng.uniform(-6, 6)
    across, down = rng.uniform(-0.04, 0.04, 2) * CROP_PX
    mirrored = rng.random() < 0.5
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), turn, scale)
    matrix[:, 2] += np.array([across, down]) + (CROP_PX - size) / 2

    def change(image: Image) -> Image:
        view = cv2.warpAffine(
            image, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(view[:, ::-1] if mirrored else view, np.uint8)

    return change


def draw_quality(rng: Rng) -> Change:
    """Light, blur, a smaller picture scaled up again, noise, then compression."""
    steps = [draw_light(rng)]
    if rng.random() < 0.15:
        steps.append(draw_blur(rng))
    if rng.random() < 0.3:
        steps.append(draw_smaller(rng))
    if rng.random() < 0.15:
        steps.append(draw_noise(rng))
    steps.append(draw_compression(rng))

    def change(image: Image) -> Image:
        for step in steps:
            image = step(image)
        return image

    return change


def draw_light(rng: Rng) -> Change:
    gain, offset = rng.uniform(0.8, 1.2), rng.uniform(-20, 20)
    tint = rng.uniform(0.93, 1.07, 3).astype(np.float32)
    grey = rng.random() < 0.05

    def change(image: Image) -> Image:
        values = np.clip(image * (tint * np.float32(gain)) + np.float32(offset), 0, 255).astype(np.uint8)
        return np.repeat(values.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) if grey else values

    return change


def draw_blur(rng: Rng) -> Change:
    sigma = rng.uniform(0.4, 1.6)
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def draw_smaller(rng: Rng) -> Change:
    factor = rng.uniform(0.3, 0.9)
    way_back = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))

    def change(image: Image) -> Image:
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        size = image.shape[1], image.shape[0]
        return np.asarray(cv2.resize(small, size, interpolation=way_back), np.uint8)

    return change


def draw_noise(rng: Rng) -> Change:
    spread, seed = rng.uniform(1, 8), int(rng.integers(2**31))

    def change(image: Image) -> Image:
        noise = np.random.default_rng(seed).normal(0, spread, image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    return change


def draw_compression(rng: Rng) -> Change:
    """JPEG, one H.264 key frame, or nothing."""
    kind = rng.choice(("jpeg", "h264", "none"), p=(0.45, 0.35, 0.2))
    quality, crf = int(rng.integers(35, 98)), int(rng.integers(20, 40))
    if kind == "jpeg":
        return lambda image: jpeg(image, quality)
    if kind == "h264":
        return lambda image: h264([image], crf)[0]
    return lambda image: image


def jpeg(image: Image, quality: int) -> Image:
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
