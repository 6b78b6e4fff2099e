"""Do the probabilities mean what they say? Calibration error, Brier score, points of a reliability plot.

A probability is stated for a prior of one in two, so reals and fakes weigh the same here, however many there
are of each. Clips without a probability are left out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.evaluation.measures import (
    DRAWS,
    Flags,
    Measure,
    Sample,
    Values,
    divided,
    drawn_weights,
    interval,
    wilson,
)

MOST_BINS, CLIPS_A_BIN = 10, 10


def evened(sample: Sample, weights: Values) -> Values:
    """Weights of the scored clips, (draws, clips), with half of the mass on each label; NaN without both."""
    fakes, reals = weights * (sample.scored & sample.fake), weights * (sample.scored & ~sample.fake)
    return (divided(fakes, fakes.sum(1, keepdims=True)) + divided(reals, reals.sum(1, keepdims=True))) / 2


def bins_of(sample: Sample) -> npt.NDArray[np.intp]:
    """Each clip's bin, by score; every bin has about the same mass, and equal scores are never parted."""
    count = int(np.clip(sample.scored.sum() // CLIPS_A_BIN, 2, MOST_BINS))
    mass = np.nan_to_num(evened(sample, np.ones((1, len(sample.fake))))[0])
    levels, level = np.unique(sample.score, return_inverse=True)
    held = np.bincount(level, mass, minlength=len(levels))
    middle = np.cumsum(held) - held / 2
    return np.asarray(np.minimum((middle * count).astype(np.intp), count - 1)[level], np.intp)


def in_bins(sample: Sample, weights: Values) -> tuple[Values, Values, Values]:
    """For each bin its mass, and its mass times mean probability and times share of fakes: (draws, bins)."""
    held = evened(sample, weights)
    bins = bins_of(sample)
    member = (bins[:, None] == np.arange(bins.max() + 1)).astype(np.float64)
    return held @ member, (held * sample.score) @ member, (held * sample.fake) @ member


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Expected calibration error over bins of equal mass (Naeini et al. 2015).

    Chance alone moves every bin, so it is above zero for a perfect model too, and so are its draws: the
    interval leans upwards.
    """

    def of(self, sample: Sample) -> Flags:
        return sample.scored

    def __call__(self, sample: Sample, weights: Values) -> Values:
        _, stated, found = in_bins(sample, weights)
        return np.asarray(np.abs(stated - found).sum(axis=1), np.float64)


@dataclass(frozen=True, slots=True)
class BrierScore:
    """Mean squared distance of the probability to the truth (Brier 1950); a coin's is 0.25."""

    def of(self, sample: Sample) -> Flags:
        return sample.scored

    def __call__(self, sample: Sample, weights: Values) -> Values:
        return np.asarray(evened(sample, weights) @ (sample.score - sample.fake) ** 2, np.float64)


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """One bin: its mean probability, the share of fakes in it with its interval, and its clips."""

    stated: float
    found: float
    low: float
    high: float
    clips: int


def reliability(sample: Sample) -> list[ReliabilityPoint]:
    """The points of a reliability plot; none unless both labels are there."""
    mass, stated, found = in_bins(sample, np.ones((1, len(sample.fake))))
    if np.isnan(mass).any():
        return []
    parts = [in_bins(sample, weights) for weights in drawn_weights(sample, DRAWS, 0)]
    drawn = np.concatenate([divided(drawn_found, drawn_mass) for drawn_mass, _, drawn_found in parts])
    clips = np.bincount(bins_of(sample)[sample.scored], minlength=mass.shape[1])
    return [
        point(float(stated[0, b] / mass[0, b]), float(found[0, b] / mass[0, b]), drawn[:, b], int(clips[b]))
        for b in range(mass.shape[1])
        if mass[0, b] > 0
    ]


def point(stated: float, found: float, drawn: Values, clips: int) -> ReliabilityPoint:
    """In a bin of one label every draw is the same; Wilson's interval then stands for the bootstrap's."""
    low, high = wilson(found * clips, clips) if found in (0.0, 1.0) else interval(drawn)
    return ReliabilityPoint(stated, found, low, high, clips)


CALIBRATION: dict[str, Measure] = {"calibration_error": CalibrationError(), "brier_score": BrierScore()}
