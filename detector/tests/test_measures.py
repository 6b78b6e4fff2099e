"""Figures of merit on outcomes whose figures are known."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detector.evaluation.measures import (
    Measure,
    Outcome,
    auc,
    balanced_accuracy,
    coverage,
    decided_accuracy,
    difference,
    equal_error_rate,
    false_alarm_rate,
    half_cut_accuracy,
    inconclusive_share,
    measured,
    sample_of,
    wilson,
)


def made(fake: bool, probability: float | None, verdict: str = "inconclusive", group: str = "g") -> Outcome:
    return Outcome(fake, group, "source", verdict, probability, 1.0)


def value(outcomes: Sequence[Outcome], measure: Measure) -> float:
    return measured(outcomes, measure, draws=2).value


def many(count: int = 60) -> list[Outcome]:
    """Clips of twelve groups; fakes tend to score higher, and some scores are equal."""
    rng = np.random.default_rng(1)
    labels = rng.random(count) < 0.4
    scores = np.round(np.clip(rng.normal(0.45 + 0.2 * labels, 0.2), 0, 1), 1)
    return [
        made(bool(f), float(s), "real", f"g{i % 12}")
        for i, (f, s) in enumerate(zip(labels, scores, strict=True))
    ]


def test_auc_counts_a_clip_without_a_probability_as_one_half() -> None:
    assert value([made(True, 0.9), made(False, 0.1)], auc) == 1.0
    assert value([made(True, None), made(False, 0.1)], auc) == 1.0
    assert value([made(True, None), made(False, 0.6)], auc) == 0.0
    assert isnan(value([made(True, 0.9)], auc))


def test_auc_is_the_one_that_others_compute() -> None:
    outcomes = many()
    expected = roc_auc_score([o.fake for o in outcomes], [o.score for o in outcomes])
    assert value(outcomes, auc) == pytest.approx(expected)


def test_equal_error_rate_of_a_coin_is_one_half_and_needs_both_labels() -> None:
    mixed = [made(label, value) for label in (True, False) for value in (0.2, 0.8)]
    assert value(mixed, equal_error_rate) == pytest.approx(0.5)
    assert value([made(True, 0.9), made(False, 0.1)], equal_error_rate) == 0.0
    assert isnan(value([made(False, 0.1)], equal_error_rate))


def test_accuracy_of_the_decided_leaves_the_undecided_out() -> None:
    outcomes = [made(True, 0.9, "fake"), made(False, 0.8, "fake"), made(True, 0.5)]
    accuracy = measured(outcomes, decided_accuracy)
    assert (accuracy.value, accuracy.n) == (0.5, 2)
    assert value(outcomes, inconclusive_share) == pytest.approx(1 / 3)
    assert value(outcomes, false_alarm_rate) == 1.0


def test_balanced_accuracy_weighs_both_labels_the_same() -> None:
    outcomes = [made(False, 0.1)] * 9 + [made(True, 0.1)]
    assert value(outcomes, balanced_accuracy) == 0.5


def test_a_clip_without_a_probability_is_not_covered_and_on_no_side_of_one_half() -> None:
    outcomes = [made(True, None, "no_face"), made(True, 0.6)]
    assert value(outcomes, coverage) == 0.5
    assert value(outcomes, half_cut_accuracy) == 0.5


def test_an_interval_is_wide_over_few_groups_and_holds_the_value() -> None:
    values = [(True, 0.9, "a"), (False, 0.2, "b"), (True, 0.3, "c"), (False, 0.4, "d"), (True, 0.8, "e")]
    result = measured([made(f, p, group=g) for f, p, g in values], auc, draws=300)
    assert result.low <= result.value <= result.high
    assert result.high - result.low > 0.2


def test_draws_are_of_whole_groups() -> None:
    one_group = [made(True, 0.9), made(False, 0.2), made(False, 0.95)]
    result = measured(one_group, auc, draws=50)
    assert result.low == result.value == result.high


def test_no_false_alarm_among_few_is_no_promise_of_none() -> None:
    """Every bootstrap draw of nothing is nothing, so the interval must come from elsewhere."""
    few = measured([made(False, 0.1, "real", f"g{i}") for i in range(13)], false_alarm_rate)
    assert (few.value, few.low) == (0.0, 0.0)
    assert 0.2 < few.high < 0.3
    same_people = measured([made(False, 0.1, "real", "one")] * 13, false_alarm_rate)
    assert same_people.high > few.high


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    assert wilson(5, 50) == pytest.approx((0.0435, 0.2136), abs=1e-4)
    assert isnan(wilson(0, 0)[0])


def test_a_difference_of_the_same_clips_is_surer_than_its_two_parts() -> None:
    before = many()
    worse = [replace(o, probability=o.score * 0.7 + 0.3 * ((i * 7) % 10) / 10) for i, o in enumerate(before)]
    drop = difference(sample_of(before), sample_of(worse), auc)
    one, other = measured(before, auc), measured(worse, auc)
    assert drop.value == pytest.approx(one.value - other.value)
    assert drop.high - drop.low < (one.high - one.low) + (other.high - other.low)
    nothing = difference(sample_of(before), sample_of(before), auc)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)
