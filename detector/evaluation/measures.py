"""Figures of merit over labelled clips, with bootstrap intervals over groups.

Clips of one group share people or scenes, so groups are drawn and not clips (Efron and Tibshirani 1993).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score, roc_curve

DRAWS = 2000
NO_SCORE = 0.5
"""What a clip without a probability counts as, so that an AUC covers every clip."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One judged clip. ``probability`` is None where no face was scored or the clip could not be read."""

    fake: bool
    group: str
    source: str
    verdict: str
    probability: float | None
    seconds: float

    @property
    def score(self) -> float:
        return NO_SCORE if self.probability is None else self.probability


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its 95 % interval; all NaN where it is not defined."""

    value: float
    low: float
    high: float


Measure = Callable[[Sequence[Outcome]], float]


def auc(outcomes: Sequence[Outcome]) -> float:
    """Area under the ROC curve; NaN unless both labels are there."""
    labels = [outcome.fake for outcome in outcomes]
    if len(set(labels)) < 2:
        return float("nan")
    return float(roc_auc_score(labels, [outcome.score for outcome in outcomes]))


def equal_error_rate(outcomes: Sequence[Outcome]) -> float:
    """Where as many reals are called fake as fakes are called real; NaN unless both labels are there."""
    labels = [outcome.fake for outcome in outcomes]
    if len(set(labels)) < 2:
        return float("nan")
    false_alarms, hits, _ = roc_curve(labels, [outcome.score for outcome in outcomes])
    misses = 1 - hits
    nearest = int(np.argmin(np.abs(misses - false_alarms)))
    return float((misses[nearest] + false_alarms[nearest]) / 2)


def inconclusive_share(outcomes: Sequence[Outcome]) -> float:
    return float(np.mean([outcome.verdict not in ("real", "fake") for outcome in outcomes]))


def decided_accuracy(outcomes: Sequence[Outcome]) -> float:
    """Share of right verdicts among clips called real or fake; NaN where none was."""
    right = [o.verdict == ("fake" if o.fake else "real") for o in outcomes if o.verdict in ("real", "fake")]
    return float(np.mean(right)) if right else float("nan")


def balanced_accuracy(outcomes: Sequence[Outcome]) -> float:
    """Mean of the hit rates on reals and on fakes with the cut at one half; abstaining plays no part."""
    rates = [
        np.mean([(o.score >= 0.5) == label for o in outcomes if o.fake == label])
        for label in {outcome.fake for outcome in outcomes}
    ]
    return float(np.mean(rates))


def half_cut_accuracy(outcomes: Sequence[Outcome]) -> float:
    """Share of clips on the right side of one half."""
    return float(np.mean([(outcome.score >= 0.5) == outcome.fake for outcome in outcomes]))


def false_alarm_rate(outcomes: Sequence[Outcome]) -> float:
    """Share of reals called fake; NaN where there is no real."""
    reals = [outcome.verdict == "fake" for outcome in outcomes if not outcome.fake]
    return float(np.mean(reals)) if reals else float("nan")


MEASURES: dict[str, Measure] = {
    "auc": auc,
    "equal_error_rate": equal_error_rate,
    "accuracy_at_half": half_cut_accuracy,
    "balanced_accuracy_at_half": balanced_accuracy,
    "accuracy_of_decided": decided_accuracy,
    "inconclusive_share": inconclusive_share,
    "reals_called_fake": false_alarm_rate,
}


def measured(outcomes: Sequence[Outcome], measure: Measure, draws: int = DRAWS, seed: int = 0) -> Measured:
    """The measure with its percentile interval over bootstrap draws of whole groups."""
    by_group: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_group.setdefault(outcome.group, []).append(outcome)
    groups, rng = list(by_group.values()), np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        picked = rng.integers(len(groups), size=len(groups))
        values.append(measure([outcome for index in picked for outcome in groups[index]]))
    return Measured(measure(outcomes), *_interval(np.array(values)))


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
