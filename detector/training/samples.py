"""Training samples: pairs of a real and a fake crop that differ in nothing but the manipulation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from detector.training.augmentation import Qualities, draw_quality, draw_view
from detector.training.blending import Image, Points, Rng, cross_blend, draw_recipe, misfit, self_blend
from detector.training.cache import CACHE_PX, CachedFaces, cache_name, load, main_face, still_batches
from detector.training.eigenfaces import Eigenfaces, aligned, decoded_blend, kept
from detector.training.labels import Clip, Still

LOOKALIKES = 8


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each kind is drawn; the rest of ``true_fakes`` are pseudo-fakes.

    Of the true fakes, ``partly_true`` are laid over their real frame in part only: they are few and soon
    known by heart. Of the pseudo-fakes, ``cross_blends`` show two people, ``decoded`` a face out of an
    autoencoder, and the rest are self-blends.

    Sources without true fakes exist only as real: with fakes from one source and reals from another a model
    would learn the source, so they serve pseudo-fakes alone.
    """

    true_fakes: float = 0.5
    partly_true: float = 0.3
    cross_blends: float = 0.25
    decoded: float = 0.25
    stills: float = 0.35
    paired_reals: float = 0.2


class Pair(NamedTuple):
    """A real and a fake crop of one source, (224, 224, 3) uint8 RGB each; whether the fake is a true one."""

    real: Image
    fake: Image
    true: bool


@dataclass(slots=True)
class PairSampler:
    """Draws pairs without end: pseudo-fakes from all reals and stills, true fakes beside paired reals.

    Where a kind is missing (many data sets have no stills, no fakes beside their reals, or no other reals),
    its share goes to the rest.
    """

    paired_reals: dict[str, list[CachedFaces]]
    other_reals: list[CachedFaces]
    stills: list[CachedFaces]
    true_pairs: dict[str, list[tuple[CachedFaces, CachedFaces]]]
    eigenfaces: Eigenfaces
    shares: Shares = field(default_factory=Shares)
    qualities: Qualities = field(default_factory=Qualities)

    def pairs(self, rng: Rng) -> Iterator[Pair]:
        """Pairs without end."""
        while True:
            true = bool(self.true_pairs) and rng.random() < self.shares.true_fakes
            real, fake = self._true(rng) if true else self._pseudo(rng)
            view, quality = draw_view(rng, CACHE_PX), draw_quality(rng, self.qualities)
            yield Pair(quality([view(real)])[0], quality([view(fake)])[0], true)

    def draw_true(self, rng: Rng) -> tuple[CachedFaces, CachedFaces]:
        """A real clip and a true fake made from it; every method comes equally often."""
        pairs = self.true_pairs[str(rng.choice(sorted(self.true_pairs)))]
        return pairs[int(rng.integers(len(pairs)))]

    def draw_video(self, rng: Rng) -> CachedFaces:
        """Any real clip; a third of them come from the source of the true fakes."""
        return self._video(rng.random() < 0.35, rng)

    def _true(self, rng: Rng) -> tuple[Image, Image]:
        real, fake = self.draw_true(rng)
        at = int(rng.integers(len(fake.crops)))
        same = np.flatnonzero(real.frame == fake.frame[at])
        other = int(same[0]) if len(same) else int(rng.integers(len(real.crops)))
        crop, forged = np.array(real.crops[other]), np.array(fake.crops[at])
        if rng.random() < self.shares.partly_true:
            forged = cross_blend(crop, real.landmarks[other], forged, fake.landmarks[at], draw_recipe(rng))
        return crop, forged

    def _pseudo(self, rng: Rng) -> tuple[Image, Image]:
        crop, landmarks = _any(self._real(rng), rng)
        recipe, kind = draw_recipe(rng), rng.random()
        if kind < self.shares.cross_blends:
            other, other_landmarks = self._lookalike(landmarks, rng)
            return crop, cross_blend(crop, landmarks, other, other_landmarks, recipe)
        if kind < self.shares.cross_blends + self.shares.decoded:
            code = self.eigenfaces.encode(aligned(*self._lookalike(landmarks, rng)))
            return crop, decoded_blend(crop, landmarks, code, recipe, self.eigenfaces)
        return crop, self_blend(crop, landmarks, recipe)

    def _lookalike(self, landmarks: Points, rng: Rng) -> tuple[Image, Points]:
        """Of some other faces the one whose landmarks fit best: swaps are made between such."""
        drawn = [self._real(rng) for _ in range(LOOKALIKES)]
        places = [(faces, int(rng.integers(len(faces.crops)))) for faces in drawn]
        faces, index = min(places, key=lambda place: misfit(place[0].landmarks[place[1]], landmarks))
        return np.array(faces.crops[index]), faces.landmarks[index]

    def _real(self, rng: Rng) -> CachedFaces:
        stills = self.shares.stills
        kind = rng.uniform(0 if self.stills else stills, 1)
        if kind < stills:
            return self.stills[int(rng.integers(len(self.stills)))]
        return self._video(kind < stills + self.shares.paired_reals, rng)

    def _video(self, paired: bool, rng: Rng) -> CachedFaces:
        """A real clip of the source of the true fakes or of another, as far as there are both."""
        reals = self.other_reals
        if self.paired_reals and (paired or not reals):
            reals = self.paired_reals[str(rng.choice(sorted(self.paired_reals)))]
        return reals[int(rng.integers(len(reals)))]


def _any(faces: CachedFaces, rng: Rng) -> tuple[Image, Points]:
    index = int(rng.integers(len(faces.crops)))
    return np.array(faces.crops[index]), faces.landmarks[index]


def make_sampler(
    clips: list[Clip], stills: list[Still], cache: Path, shares: Shares, qualities: Qualities
) -> PairSampler:
    """A sampler over cached clips and stills. Clips in which no face was found are left out."""
    faces = {clip.path: load(cache, cache_name([clip.path])) for clip in clips}
    usable = [clip for clip in clips if len(faces[clip.path].crops)]
    sources = true_fake_sources(usable)
    paired: dict[str, list[CachedFaces]] = {}
    for clip in usable:
        if not clip.fake and clip.source in sources:
            paired.setdefault(clip.group, []).append(faces[clip.path])
    others = [faces[c.path] for c in usable if not c.fake and c.source not in sources]
    batches = [load(cache, cache_name([still.path for still in batch])) for batch in still_batches(stills)]
    reals = [*(faces[clip.path] for clip in usable if not clip.fake), *batches]
    eigenfaces = kept(cache / f"{cache_name(Path(each.name) for each in reals)}-eigenfaces.npz", reals)
    return PairSampler(paired, others, batches, true_pairs(usable, faces), eigenfaces, shares, qualities)


def true_fake_sources(clips: list[Clip]) -> set[str]:
    """The sources of the reals beside which there are true fakes."""
    groups = {clip.group for clip in clips if clip.fake}
    return {clip.source for clip in clips if not clip.fake and clip.group in groups}


def true_pairs(
    clips: list[Clip], faces: dict[Path, CachedFaces]
) -> dict[str, list[tuple[CachedFaces, CachedFaces]]]:
    """For each source of fakes its clips, each with the real clip of the same scene and compression.

    Were the compressions different, a model would learn to tell these. A fake whose real clip is not at hand
    is left out: its scene would only ever be seen as fake, and a model learns to know scenes sooner than
    traces.
    """
    reals = {(clip.scene, clip.compression): clip for clip in clips if not clip.fake}
    pairs: dict[str, list[tuple[CachedFaces, CachedFaces]]] = {}
    for clip in clips:
        real = reals.get((clip.scene, clip.compression))
        if clip.fake and real is not None:
            pairs.setdefault(clip.source, []).append(
                (main_face(faces[real.path]), main_face(faces[clip.path]))
            )
    return pairs
