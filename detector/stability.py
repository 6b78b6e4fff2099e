"""Whether a verdict survives what a re-upload does: the same faces, compressed or scaled, scored again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from detector.engine import Engine
from detector.recompression import Image, h264
from detector.result import Stability, StabilityVariant
from detector.scoring import all_features, grouped, score_tracks
from detector.tracks import Sighting

Change = Callable[[list[Image]], list[Image]]
Score = Callable[[list[float]], float]


def compressed(images: list[Image]) -> list[Image]:
    return h264(images, crf=32)


def halved(images: list[Image]) -> list[Image]:
    size = images[0].shape[1], images[0].shape[0]
    small = [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in images]
    return [np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8) for image in small]


VARIANTS: dict[str, Change] = {"crf32": compressed, "half_size": halved}


def changed(sightings: Sequence[Sighting], change: Change) -> list[Sighting]:
    """The sightings with every window's crops changed together, as consecutive frames."""
    out = list(sightings)
    for places in grouped(sightings):
        crops = change([sightings[place].crop for place in places])
        for place, crop in zip(places, crops, strict=True):
            out[place] = replace(sightings[place], crop=crop)
    return out


def variant_logits(
    engine: Engine, sightings: Sequence[Sighting], batch: int, on_crops: Callable[[int], None]
) -> dict[str, dict[int, float]]:
    """For each variant the logit of every track. ``on_crops`` counts on from the crops as they are."""
    logits: dict[str, dict[int, float]] = {}
    for number, (name, change) in enumerate(VARIANTS.items(), start=1):
        altered, before = changed(sightings, change), number * len(sightings)
        features = all_features(engine, altered, batch, partial(_count_on, on_crops, before))
        logits[name] = {t.track: t.logit for t in score_tracks(engine, altered, features)}
    return logits


def _count_on(on_crops: Callable[[int], None], before: int, done: int) -> None:
    on_crops(before + done)


def compare(verdict: str, outcomes: dict[str, tuple[str, float | None]]) -> Stability:
    """Stable where every variant has the clip's own verdict."""
    variants = tuple(StabilityVariant(name, value) for name, (_, value) in outcomes.items())
    return Stability(all(other == verdict for other, _ in outcomes.values()), variants)
