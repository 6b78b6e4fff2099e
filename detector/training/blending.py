"""Pseudo-fakes from real faces alone.

Self-blended images (Shiohara and Yamasaki 2022): a face is pasted over itself after one of the two copies
changed a little, so that only the traces of pasting tell fake from real. Blends of two people (Li et al.
2020) add the seams and mismatches of real swaps. Masks come from five landmarks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]
Mask = npt.NDArray[np.float32]
Rng = np.random.Generator

FACE = np.array([[-0.5, 0], [0.5, 0], [0, 0.55], [-0.42, 1.05], [0.42, 1.05]], np.float32)
"""Eyes, nose and mouth corners of a typical frontal face, in units of the distance between the eyes."""

OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "face": (
        (-0.95, -0.45), (-0.5, -0.62), (0, -0.6), (0.5, -0.62), (0.95, -0.45), (1.05, 0.2), (0.95, 0.9),
        (0.7, 1.4), (0.35, 1.72), (0, 1.8), (-0.35, 1.72), (-0.7, 1.4), (-0.95, 0.9), (-1.05, 0.2),
    ),
    "inner": (
        (-0.85, -0.3), (-0.4, -0.42), (0.4, -0.42), (0.85, -0.3), (0.75, 0.6), (0.6, 1.2), (0.3, 1.42),
        (-0.3, 1.42), (-0.6, 1.2), (-0.75, 0.6),
    ),
    "square": ((-0.95, -0.5), (0.95, -0.5), (0.95, 1.55), (-0.95, 1.55)),
    "mouth": (
        (-0.62, 0.72), (0, 0.6), (0.62, 0.72), (0.72, 1.1), (0.5, 1.55), (0, 1.7), (-0.5, 1.55), (-0.72, 1.1),
    ),
    "eyes": ((-0.9, -0.35), (0, -0.3), (0.9, -0.35), (0.85, 0.25), (0.3, 0.35), (-0.3, 0.35), (-0.85, 0.25)),
    "nose": ((-0.25, -0.1), (0.25, -0.1), (0.4, 0.6), (0.25, 0.78), (-0.25, 0.78), (-0.4, 0.6)),
    "tall": (
        (-0.9, -0.9), (0, -1.15), (0.9, -0.9), (1.1, 0.2), (0.9, 1.1), (0.4, 1.75), (-0.4, 1.75), (-0.9, 1.1),
        (-1.1, 0.2),
    ),
}  # fmt: skip
OUTLINE_SHARES = {
    "face": 0.3,
    "inner": 0.22,
    "square": 0.1,
    "mouth": 0.12,
    "eyes": 0.06,
    "nose": 0.04,
    "tall": 0.16,
}
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every random choice of one pseudo-fake, so that it can be replayed on all frames of a track."""

    seed: int
    outline: str
    change_source: bool
    shift: tuple[float, float]
    scale: float
    ratio: float
    elastic_px: float
    blur_px: tuple[int, int]
    wobble: float


def draw_recipe(rng: Rng) -> Recipe:
    names, shares = list(OUTLINE_SHARES), list(OUTLINE_SHARES.values())
    return Recipe(
        seed=int(rng.integers(2**31)),
        outline=str(rng.choice(names, p=shares)),
        change_source=bool(rng.random() < 0.5),
        shift=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.015, 0.015))),
        scale=float(rng.uniform(0.95, 1.05)),
        ratio=float(rng.choice(RATIOS)),
        elastic_px=float(rng.uniform(2, 10)),
        blur_px=(int(rng.choice((3, 5, 7, 11, 15))), int(rng.choice((3, 5, 9, 13, 19)))),
        wobble=float(rng.uniform(0.0, 0.12)),
    )


def self_blend(crop: Image, landmarks: Points, recipe: Recipe) -> Image:
    """The crop with its own face pasted over it. crop: (n, n, 3) uint8 RGB; landmarks: (5, 2) pixels."""
    rng = np.random.default_rng(recipe.seed)
    change = draw_mismatch(rng)
    source, target = (change(crop), crop) if recipe.change_source else (crop, change(crop))
    mask = face_mask(landmarks, crop.shape[0], recipe)
    size = crop.shape[0]
    moved = np.array(
        [
            [recipe.scale, 0, recipe.shift[0] * size + (1 - recipe.scale) * size / 2],
            [0, recipe.scale, recipe.shift[1] * size + (1 - recipe.scale) * size / 2],
        ]
    )
    source = warp(source, moved)
    return paste(source, target, mask * recipe.ratio)


def cross_blend(
    crop: Image, landmarks: Points, other: Image, other_landmarks: Points, recipe: Recipe
) -> Image:
    """The crop with another person's face pasted over it, its colours and its shape drawn near the crop's."""
    rng = np.random.default_rng(recipe.seed + 2)
    size = crop.shape[0]
    matrix = ill_fitting(similarity(other_landmarks, landmarks), landmarks.mean(axis=0), rng)
    mask = face_mask(landmarks, size, recipe)
    source = matched_in_part(warp(other, matrix), crop, mask, rng.uniform(0.6, 1.0))
    return paste(source, crop, mask * max(recipe.ratio, 0.75))


def ill_fitting(matrix: npt.NDArray[np.float32], middle: Points, rng: Rng) -> npt.NDArray[np.float32]:
    """The matrix followed by a small stretch and shear about ``middle``: no two heads have the same shape."""
    bend = np.eye(2) + rng.uniform(-0.07, 0.07, (2, 2))
    moved = bend @ matrix
    moved[:, 2] += middle - bend @ middle + rng.normal(0, 2.0, 2)
    return np.asarray(moved, np.float32)


def similarity(points: Points, goal: Points) -> npt.NDArray[np.float32]:
    """The 2x3 matrix of turn, scale and shift that brings ``points`` nearest to ``goal`` in least squares."""
    ones, zeros = np.ones(len(points)), np.zeros(len(points))
    x, y = points[:, 0], points[:, 1]
    system = np.concatenate([np.stack([x, -y, ones, zeros], 1), np.stack([y, x, zeros, ones], 1)])
    a, b, c, d = np.linalg.lstsq(system, np.concatenate([goal[:, 0], goal[:, 1]]), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]], np.float32)


def misfit(points: Points, goal: Points) -> float:
    """How far ``points`` stay from ``goal`` when brought as near as a similarity can, in eye distances."""
    matrix = similarity(points, goal)
    left = points @ matrix[:, :2].T + matrix[:, 2] - goal
    return float(np.linalg.norm(left, axis=1).mean() / np.linalg.norm(goal[1] - goal[0]))


def warp(image: Image, matrix: npt.NDArray[np.floating]) -> Image:
    size = image.shape[1], image.shape[0]
    warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def paste(source: Image, target: Image, mask: Mask) -> Image:
    weight = mask[..., None]
    mixed = source.astype(np.float32) * weight + target.astype(np.float32) * (1 - weight)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def face_mask(landmarks: Points, size: int, recipe: Recipe) -> Mask:
    """(size, size) weights 0 to 1: an outline fitted to the landmarks, deformed and softened twice."""
    rng = np.random.default_rng(recipe.seed + 1)
    polygon = np.array(OUTLINES[recipe.outline], np.float32)
    polygon = polygon + rng.normal(0, recipe.wobble, polygon.shape).astype(np.float32)
    matrix = similarity(FACE, landmarks)
    placed = polygon @ matrix[:, :2].T + matrix[:, 2]
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [smooth_outline(placed).astype(np.int32)], 1.0)
    return soften(elastic(mask, recipe.elastic_px, rng), recipe.blur_px)


def smooth_outline(polygon: Points, steps: int = 2) -> Points:
    """The closed polygon with its corners cut (Chaikin 1974)."""
    for _ in range(steps):
        following = np.roll(polygon, -1, axis=0)
        both = np.stack([0.75 * polygon + 0.25 * following, 0.25 * polygon + 0.75 * following], axis=1)
        polygon = both.reshape(-1, 2)
    return polygon


def elastic(mask: Mask, strength_px: float, rng: Rng) -> Mask:
    """The mask bent by a smooth random field (Simard et al. 2003)."""
    size = mask.shape[0]
    coarse = rng.normal(0, strength_px, (2, 6, 6)).astype(np.float32)
    bend = [cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC) for field in coarse]
    across, down = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return np.asarray(cv2.remap(mask, across + bend[0], down + bend[1], cv2.INTER_LINEAR), np.float32)


def soften(mask: Mask, kernels: tuple[int, int]) -> Mask:
    """Blurred, cut to its upper part and blurred again, so that the seam lies inside the outline."""
    first = cv2.GaussianBlur(mask, (kernels[0], kernels[0]), 0)
    inside = np.where(first >= 0.98, first, np.float32(0))
    return np.asarray(np.clip(cv2.GaussianBlur(inside, (kernels[1], kernels[1]), 0), 0, 1), np.float32)


def match_colours(source: Image, target: Image, mask: Mask) -> Image:
    """The source with the target's mean and spread under the mask, in Lab (Reinhard et al. 2001)."""
    lab, goal = (cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32) for image in (source, target))
    inside = mask > 0.5
    if inside.sum() < 50:
        return source
    mean, spread = lab[inside].mean(axis=0), lab[inside].std(axis=0) + 1e-3
    shifted = (lab - mean) * (goal[inside].std(axis=0) / spread) + goal[inside].mean(axis=0)
    return np.asarray(cv2.cvtColor(np.clip(shifted, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)


def matched_in_part(source: Image, target: Image, mask: Mask, strength: float) -> Image:
    """The source on its way to the target's colours: at 1 all the way, at 0 not at all."""
    matched = match_colours(source, target, mask)
    return np.asarray(cv2.addWeighted(matched, strength, source, 1 - strength, 0), np.uint8)


def draw_mismatch(rng: Rng) -> Callable[[Image], Image]:
    """A random change of colour and of resolution, the same for every image it is applied to."""
    colour = draw_colour(rng)
    resolution = draw_resolution(rng)
    return lambda image: resolution(colour(image))


def draw_colour(rng: Rng) -> Callable[[Image], Image]:
    shift = rng.uniform(-20, 20, 3).astype(np.float32) * (rng.random() < 0.5)
    hue, saturation = rng.uniform(-0.1, 0.1) * 60, rng.uniform(0.75, 1.3)
    contrast, brightness = rng.uniform(0.9, 1.1), rng.uniform(-12, 12)
    use_hsv = rng.random() < 0.5

    def change(image: Image) -> Image:
        values = np.clip(image.astype(np.float32) * contrast + brightness + shift, 0, 255)
        if use_hsv:
            hsv = cv2.cvtColor(values.astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
            hsv[..., 0] = (hsv[..., 0] + hue) % 180
            hsv[..., 1] = np.clip(hsv[..., 1] * saturation, 0, 255)
            return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)
        return np.asarray(values, np.uint8)

    return change


def draw_resolution(rng: Rng) -> Callable[[Image], Image]:
    kind = rng.choice(("down", "sharpen", "blur", "none"), p=(0.45, 0.25, 0.2, 0.1))
    factor, amount, sigma = rng.uniform(1.5, 4.0), rng.uniform(0.3, 1.0), rng.uniform(0.5, 1.5)

    def change(image: Image) -> Image:
        size = image.shape[1], image.shape[0]
        if kind == "down":
            small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
            return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        if kind == "none":
            return image
        soft = cv2.GaussianBlur(image, (0, 0), sigma)
        if kind == "blur":
            return np.asarray(soft, np.uint8)
        return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)

    return change
