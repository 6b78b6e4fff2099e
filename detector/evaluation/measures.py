"""Figures of merit over labelled clips, with bootstrap intervals over groups.

Clips of one group share people or scenes, so groups are drawn and not clips (Efron and Tibshirani 1993). A
draw is a weight for each clip: how often its group was picked. Measures take a matrix of weights, so that all
draws of a bootstrap are one computation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

DRAWS = 2000
NO_SCORE = 0.5
"""What a clip without a probability counts as, so that an AUC covers every clip."""
BLOCK = 4_000_000
"""Weights held at a time: some thousand clips would otherwise need gigabytes."""
NORMAL_95 = 1.959964

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One judged clip. ``probability`` is None where no face was scored or the clip could not be read.

    sharpness, face_px, yaw_deg, frames: of the face seen longest, None without a face. kbit_s: the video
    stream's bitrate. faces: how many were judged.
    """

    fake: bool
    group: str
    source: str
    verdict: str
    probability: float | None
    seconds: float
    method: str = ""
    compression: str = ""
    sharpness: float | None = None
    face_px: float | None = None
    yaw_deg: float | None = None
    frames: int | None = None
    kbit_s: float | None = None
    bits_per_pixel: float | None = None
    faces: int = 0

    @property
    def score(self) -> float:
        return NO_SCORE if self.probability is None else self.probability

    @property
    def decided(self) -> bool:
        return self.verdict in ("real", "fake")


@dataclass(frozen=True, slots=True)
class Sample:
    """The outcomes of n clips as columns, each (n,). ``group`` numbers the groups from 0."""

    fake: Flags
    score: Values
    scored: Flags
    called_fake: Flags
    called_real: Flags
    faces: Values
    group: npt.NDArray[np.intp]

    @property
    def decided(self) -> Flags:
        return self.called_fake | self.called_real

    @property
    def right(self) -> Flags:
        return np.where(self.fake, self.called_fake, self.called_real)


def sample_of(outcomes: Sequence[Outcome]) -> Sample:
    groups = {name: number for number, name in enumerate(dict.fromkeys(o.group for o in outcomes))}
    return Sample(
        fake=np.array([o.fake for o in outcomes], bool),
        score=np.array([o.score for o in outcomes], float),
        scored=np.array([o.probability is not None for o in outcomes], bool),
        called_fake=np.array([o.verdict == "fake" for o in outcomes], bool),
        called_real=np.array([o.verdict == "real" for o in outcomes], bool),
        faces=np.array([o.faces for o in outcomes], float),
        group=np.array([groups[o.group] for o in outcomes], np.intp),
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its 95 % interval, all NaN where it is not defined, and the clips that it is over."""

    value: float
    low: float
    high: float
    n: int = 0


Measure = Callable[[Sample, Values], Values]
"""Takes weights (draws, clips) and returns (draws,); NaN where a draw leaves it undefined."""


def divided(above: Values, below: Values) -> Values:
    """NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, above / below, np.nan), np.float64)


@dataclass(frozen=True, slots=True)
class Share:
    """Of the clips that ``of`` picks, the share that ``counted`` picks too."""

    counted: Callable[[Sample], Flags]
    of: Callable[[Sample], Flags]

    def __call__(self, sample: Sample, weights: Values) -> Values:
        of = self.of(sample)
        return divided(weights @ (of & self.counted(sample)), weights @ of)


def everyone(sample: Sample) -> Flags:
    return np.ones(len(sample.fake), bool)


def by_level(sample: Sample, weights: Values) -> tuple[Values, Values]:
    """Weight of fakes and of reals at each distinct score, ascending; both (draws, levels)."""
    order = np.argsort(sample.score, kind="stable")
    scores = sample.score[order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    fakes = weights[:, order] * sample.fake[order]
    reals = weights[:, order] * ~sample.fake[order]
    return np.add.reduceat(fakes, starts, axis=1), np.add.reduceat(reals, starts, axis=1)


def auc(sample: Sample, weights: Values) -> Values:
    """Area under the ROC curve; NaN unless both labels are there."""
    fakes, reals = by_level(sample, weights)
    below = np.cumsum(reals, axis=1) - reals / 2
    return divided((fakes * below).sum(axis=1), fakes.sum(axis=1) * reals.sum(axis=1))


def equal_error_rate(sample: Sample, weights: Values) -> Values:
    """Where as many reals are called fake as fakes are called real; NaN unless both labels are there."""
    fakes, reals = by_level(sample, weights)
    none = np.zeros((len(weights), 1))
    misses = np.c_[none, divided(np.cumsum(fakes, axis=1), fakes.sum(axis=1, keepdims=True))]
    passed = np.c_[none, divided(np.cumsum(reals, axis=1), reals.sum(axis=1, keepdims=True))]
    alarms = 1 - passed
    at = np.argmin(np.abs(misses - alarms), axis=1)[:, None]
    nearest = np.take_along_axis((misses + alarms) / 2, at, axis=1)[:, 0]
    return np.asarray(np.where(np.isnan(misses[:, -1] + alarms[:, -1]), np.nan, nearest), np.float64)


def right_of_half(sample: Sample) -> Flags:
    """On its label's side of one half; a clip without a probability is on neither."""
    return np.asarray(sample.scored & ((sample.score >= 0.5) == sample.fake), bool)


def balanced_accuracy(sample: Sample, weights: Values) -> Values:
    """Mean of the hit rates on reals and on fakes with the cut at one half; abstaining plays no part."""
    rates = [Share(right_of_half, of)(sample, weights) for of in (lambda s: s.fake, lambda s: ~s.fake)]
    return np.asarray(np.mean(rates, axis=0), np.float64)


half_cut_accuracy = Share(right_of_half, everyone)
decided_accuracy = Share(lambda s: s.right, lambda s: s.decided)
inconclusive_share = Share(lambda s: ~s.decided, everyone)
coverage = Share(lambda s: s.scored, everyone)
false_alarm_rate = Share(lambda s: s.called_fake, lambda s: ~s.fake)
detection_rate = Share(lambda s: s.called_fake, lambda s: s.fake)
miss_rate = Share(lambda s: s.called_real, lambda s: s.fake)


def faces_judged(sample: Sample, weights: Values) -> Values:
    """Mean number of faces that a probability was given for."""
    return divided(weights @ sample.faces, weights.sum(axis=1))


MEASURES: dict[str, Measure] = {
    "auc": auc,
    "equal_error_rate": equal_error_rate,
    "accuracy_at_half": half_cut_accuracy,
    "balanced_accuracy_at_half": balanced_accuracy,
    "accuracy_of_decided": decided_accuracy,
    "inconclusive_share": inconclusive_share,
    "coverage": coverage,
    "reals_called_fake": false_alarm_rate,
    "fakes_called_fake": detection_rate,
    "fakes_called_real": miss_rate,
}


def measured(outcomes: Sequence[Outcome], measure: Measure, draws: int = DRAWS, seed: int = 0) -> Measured:
    """The measure with its percentile interval over bootstrap draws of whole groups."""
    return measured_in(sample_of(outcomes), measure, draws, seed)


def measured_in(sample: Sample, measure: Measure, draws: int = DRAWS, seed: int = 0) -> Measured:
    """See ``measured``. A share of nothing or of all gets a Wilson interval, with each group counting as one:
    there every draw is the same, and a bootstrap would claim certainty."""
    whole = np.ones((1, len(sample.fake)))
    value = float(measure(sample, whole)[0])
    of = counted_in(sample, measure)
    if isinstance(measure, Share) and value in (0.0, 1.0):
        groups = len(np.unique(sample.group[of]))
        return Measured(value, *wilson(value * groups, groups), int(of.sum()))
    values = [measure(sample, weights) for weights in drawn_weights(sample, draws, seed)]
    return Measured(value, *interval(np.concatenate(values)), int(of.sum()))


def counted_in(sample: Sample, measure: Any) -> Flags:
    """The clips that a measure is over."""
    of: Callable[[Sample], Flags] = getattr(measure, "of", everyone)
    return of(sample)


def difference(one: Sample, other: Sample, measure: Measure, draws: int = DRAWS, seed: int = 0) -> Measured:
    """The measure of ``one`` less that of ``other``, the same clips in the same order, drawn together."""
    whole = np.ones((1, len(one.fake)))
    value = float((measure(one, whole) - measure(other, whole))[0])
    values = [measure(one, w) - measure(other, w) for w in drawn_weights(one, draws, seed)]
    return Measured(value, *interval(np.concatenate(values)), int(counted_in(one, measure).sum()))


def drawn_weights(sample: Sample, draws: int, seed: int) -> Iterator[Values]:
    """How often each clip's group was picked, (some draws, clips) at a time."""
    rng, groups = np.random.default_rng(seed), int(sample.group.max()) + 1
    block = max(1, BLOCK // len(sample.group))
    for start in range(0, draws, block):
        picked = rng.integers(groups, size=(min(block, draws - start), groups))
        cells = picked + groups * np.arange(len(picked))[:, None]
        counts = np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape)
        yield counts[:, sample.group].astype(np.float64)


def interval(values: Values) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def wilson(hits: float, n: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); NaN of nothing."""
    if not n:
        return float("nan"), float("nan")
    rate, spread = hits / n, NORMAL_95**2 / n
    middle = (rate + spread / 2) / (1 + spread)
    half = NORMAL_95 * sqrt(rate * (1 - rate) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
