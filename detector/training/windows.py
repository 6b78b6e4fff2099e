"""Training windows for the LSTM: consecutive crops of one face, real or manipulated over time.

Every random choice of a pseudo-fake is drawn once and replayed with the landmarks of each frame, so that the
seam stays and follows the face. Other fakes are clean frame by frame and wrong only in time: the face alone
jitters, freezes or lags behind its surroundings. A real window whose *whole* frames freeze stays real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.training.augmentation import Qualities, draw_quality, draw_view
from detector.training.blending import (
    Image,
    Points,
    Recipe,
    Rng,
    draw_recipe,
    face_mask,
    paste,
    self_blend,
    similarity,
    warp,
)
from detector.training.cache import CACHE_PX, CachedFaces
from detector.training.eigenfaces import Eigenfaces, aligned, decoded_blend
from detector.training.samples import PairSampler

KINDS = ("true", "blend", "decoded", "drift", "lag", "freeze", "jitter")
KIND_SHARES = (0.3, 0.15, 0.1, 0.1, 0.12, 0.12, 0.11)
IN_TIME_ALONE = ("lag", "freeze", "jitter")


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive cached crops of one face with their landmarks in pixels of the crop."""

    crops: list[Image]
    landmarks: list[Points]


@dataclass(frozen=True, slots=True)
class WindowPair:
    """A real and a fake window of the same source, (time, 224, 224, 3) each, and how the fake was made.

    name: what the cache calls the real clip.
    """

    kind: str
    name: str
    real: list[Image]
    fake: list[Image]


def runs(faces: CachedFaces, length: int) -> dict[tuple[int, int], list[int]]:
    """By track and window, the first ``length`` crops of each run that has so many."""
    found: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(zip(faces.track.tolist(), faces.window.tolist(), strict=True)):
        found.setdefault(key, []).append(at)
    return {key: run[:length] for key, run in sorted(found.items()) if len(run) >= length}


def window_of(faces: CachedFaces, run: list[int]) -> Window:
    return Window([np.array(faces.crops[i]) for i in run], [faces.landmarks[i] for i in run])


def draw_window(faces: CachedFaces, rng: Rng, length: int) -> Window | None:
    """``length`` consecutive crops of one track; None where all runs are shorter."""
    there = list(runs(faces, length).values())
    return window_of(faces, there[int(rng.integers(len(there)))]) if there else None


def window_pairs(sampler: PairSampler, rng: Rng, length: int) -> Iterator[WindowPair]:
    """Pairs without end."""
    while True:
        kind = str(rng.choice(KINDS, p=KIND_SHARES))
        if kind == "true" and not sampler.true_pairs:
            continue
        make = _true_pair if kind == "true" else _pseudo_pair
        pair = make(sampler, rng, length, kind)
        if pair is not None:
            yield pair


def _true_pair(sampler: PairSampler, rng: Rng, length: int, kind: str) -> WindowPair | None:
    """Both show the same part of the scene; each clip has one face here, whatever its track is called."""
    real, fake = sampler.draw_true(rng)
    reals, fakes = ({window: run for (_, window), run in runs(f, length).items()} for f in (real, fake))
    shared = sorted(reals.keys() & fakes.keys())
    if not shared:
        return None
    part = shared[int(rng.integers(len(shared)))]
    images = window_of(real, reals[part]).crops, window_of(fake, fakes[part]).crops
    return _finished(kind, real.name, *images, rng, sampler.qualities)


def _pseudo_pair(sampler: PairSampler, rng: Rng, length: int, kind: str) -> WindowPair | None:
    video = sampler.draw_video(rng)
    window = draw_window(video, rng, length)
    if window is None:
        return None
    recipe = draw_recipe(rng)
    if kind == "blend":
        fake = [self_blend(c, p, recipe) for c, p in zip(window.crops, window.landmarks, strict=True)]
    elif kind == "decoded":
        fake = decoded(window, sampler.draw_video(rng), recipe, sampler.eigenfaces)
    elif kind == "drift":
        fake = drifting(window, recipe, rng)
    else:
        fake = displaced(window, recipe, rng, kind)
    return _finished(kind, video.name, window.crops, fake, rng, sampler.qualities)


def decoded(window: Window, other: CachedFaces, recipe: Recipe, eigenfaces: Eigenfaces) -> list[Image]:
    """Every frame's face decoded from its own code, drawn towards another person's."""
    code = eigenfaces.encode(aligned(np.array(other.crops[0]), other.landmarks[0]))
    frames = zip(window.crops, window.landmarks, strict=True)
    return [decoded_blend(crop, points, code, recipe, eigenfaces) for crop, points in frames]


def drifting(window: Window, recipe: Recipe, rng: Rng) -> list[Image]:
    """A blend whose place and strength flicker from frame to frame."""
    out = []
    for crop, points in zip(window.crops, window.landmarks, strict=True):
        across, down = rng.normal(0, 0.008, 2)
        flicker = replace(
            recipe,
            shift=(recipe.shift[0] + float(across), recipe.shift[1] + float(down)),
            scale=recipe.scale * float(1 + rng.normal(0, 0.008)),
            ratio=float(np.clip(recipe.ratio * rng.uniform(0.8, 1.1), 0, 1)),
        )
        out.append(self_blend(crop, points, flicker))
    return out


def displaced(window: Window, recipe: Recipe, rng: Rng, kind: str) -> list[Image]:
    """The face alone out of step: taken from other frames of the window, or shaken."""
    count = len(window.crops)
    sources = face_sources(kind, count, rng)
    whole = replace(recipe, ratio=1.0, blur_px=(11, 15), elastic_px=min(recipe.elastic_px, 4.0))
    out = []
    for at, source in enumerate(sources):
        matrix = similarity(window.landmarks[source], window.landmarks[at])
        if kind == "jitter":
            matrix[:, 2] += rng.normal(0, 2.0, 2).astype(np.float32)
        face = warp(window.crops[source], matrix)
        out.append(paste(face, window.crops[at], face_mask(window.landmarks[at], CACHE_PX, whole)))
    return out


def face_sources(kind: str, count: int, rng: Rng) -> list[int]:
    """For each frame, the frame that its face is taken from."""
    if kind == "lag":
        lag = int(rng.integers(2, 8))
        return [max(0, at - lag) for at in range(count)]
    if kind == "freeze":
        hold = int(rng.integers(3, 10))
        return [at - at % hold for at in range(count)]
    return list(range(count))


def _finished(
    kind: str, name: str, real: list[Image], fake: list[Image], rng: Rng, qualities: Qualities
) -> WindowPair:
    """Both members through the same camera, whole-frame stutter and compression."""
    view, quality = draw_view(rng, CACHE_PX), draw_quality(rng, qualities)
    # Whole-frame stutter would hide what is wrong in time alone.
    order = list(range(len(real))) if kind in IN_TIME_ALONE else draw_order(len(real), rng)
    finished = [quality([view(images[i]) for i in order]) for images in (real, fake)]
    return WindowPair(kind, name, *finished)


def draw_order(count: int, rng: Rng) -> list[int]:
    """Which frames are shown: mostly all in order; some clips stutter or stand still as a whole."""
    kind = rng.choice(("plain", "stutter", "still"), p=(0.85, 0.1, 0.05))
    if kind == "plain":
        return list(range(count))
    if kind == "still":
        return [int(rng.integers(count))] * count
    hold = int(rng.integers(2, 4))
    return [at - at % hold for at in range(count)]
