"""Training samples: pairs of a real and a fake crop that differ in nothing but the manipulation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector.training.augmentation import draw_quality, draw_view
from detector.training.blending import Image, Points, Rng, cross_blend, draw_recipe, self_blend
from detector.training.cache import CACHE_PX, CachedFaces, cache_name, load, still_batches
from detector.training.labels import Clip, Still


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each kind is drawn; the rest of ``true_fakes`` are pseudo-fakes.

    Other sources than ``paired_source`` exist only as real: with true fakes from one source and reals from
    another a model would learn the source, so they serve pseudo-fakes alone.
    """

    true_fakes: float = 0.5
    cross_blends: float = 0.25
    stills: float = 0.35
    paired_reals: float = 0.2


@dataclass(slots=True)
class PairSampler:
    """Draws pairs without end: pseudo-fakes from all reals and stills, true fakes beside paired reals."""

    paired_reals: dict[str, list[CachedFaces]]
    other_reals: list[CachedFaces]
    stills: list[CachedFaces]
    fakes: dict[str, list[tuple[str, CachedFaces]]]
    shares: Shares = field(default_factory=Shares)

    def pairs(self, rng: Rng) -> Iterator[tuple[Image, Image]]:
        """(real, fake), each (224, 224, 3) uint8 RGB."""
        while True:
            real, fake = self._true(rng) if rng.random() < self.shares.true_fakes else self._pseudo(rng)
            view, quality = draw_view(rng, CACHE_PX), draw_quality(rng)
            yield quality(view(real)), quality(view(fake))

    def draw_true(self, rng: Rng) -> tuple[CachedFaces, CachedFaces]:
        """A real clip and a true fake, of one scene where the real one is at hand."""
        method = str(rng.choice(sorted(self.fakes)))
        group, fake = self.fakes[method][int(rng.integers(len(self.fakes[method])))]
        groups = sorted(self.paired_reals)
        group = group if group in self.paired_reals else str(rng.choice(groups))
        reals = self.paired_reals[group]
        real = reals[int(rng.integers(len(reals)))]
        return real, fake

    def draw_video(self, rng: Rng) -> CachedFaces:
        """Any real clip; a third of them come from the source of the true fakes."""
        if rng.random() < 0.35:
            reals = self.paired_reals[str(rng.choice(sorted(self.paired_reals)))]
            return reals[int(rng.integers(len(reals)))]
        return self.other_reals[int(rng.integers(len(self.other_reals)))]

    def _true(self, rng: Rng) -> tuple[Image, Image]:
        real, fake = self.draw_true(rng)
        return _any(real, rng)[0], _any(fake, rng)[0]

    def _pseudo(self, rng: Rng) -> tuple[Image, Image]:
        crop, landmarks = _any(self._real(rng), rng)
        recipe = draw_recipe(rng)
        if rng.random() < self.shares.cross_blends:
            other, other_landmarks = _any(self._real(rng), rng)
            return crop, cross_blend(crop, landmarks, other, other_landmarks, recipe)
        return crop, self_blend(crop, landmarks, recipe)

    def _real(self, rng: Rng) -> CachedFaces:
        kind = rng.random()
        if kind < self.shares.stills:
            return self.stills[int(rng.integers(len(self.stills)))]
        if kind < self.shares.stills + self.shares.paired_reals:
            reals = self.paired_reals[str(rng.choice(sorted(self.paired_reals)))]
            return reals[int(rng.integers(len(reals)))]
        return self.other_reals[int(rng.integers(len(self.other_reals)))]


def _any(faces: CachedFaces, rng: Rng) -> tuple[Image, Points]:
    index = int(rng.integers(len(faces.crops)))
    return np.array(faces.crops[index]), faces.landmarks[index]


def make_sampler(clips: list[Clip], stills: list[Still], cache: Path, shares: Shares) -> PairSampler:
    """A sampler over cached clips and stills. Clips in which no face was found are left out."""
    faces = {clip.path: load(cache, cache_name([clip.path])) for clip in clips}
    usable = [clip for clip in clips if len(faces[clip.path].crops)]
    fakes: dict[str, list[tuple[str, CachedFaces]]] = {}
    paired: dict[str, list[CachedFaces]] = {}
    groups = {clip.group for clip in usable if clip.fake}
    sources = {clip.source for clip in usable if not clip.fake and clip.group in groups}
    for clip in usable:
        if clip.fake:
            fakes.setdefault(clip.source, []).append((clip.group, faces[clip.path]))
        elif clip.source in sources:
            paired.setdefault(clip.group, []).append(faces[clip.path])
    others = [faces[c.path] for c in usable if not c.fake and c.source not in sources]
    batches = [load(cache, cache_name([still.path for still in batch])) for batch in still_batches(stills)]
    return PairSampler(paired, others, batches, fakes, shares)
