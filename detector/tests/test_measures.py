"""Figures of merit on outcomes whose figures are known."""

from math import isnan

import pytest

from detector.evaluation.measures import (
    Outcome,
    auc,
    balanced_accuracy,
    decided_accuracy,
    equal_error_rate,
    false_alarm_rate,
    inconclusive_share,
    measured,
)


def made(fake: bool, probability: float | None, verdict: str = "inconclusive", group: str = "g") -> Outcome:
    return Outcome(fake, group, "source", verdict, probability, 1.0)


def test_auc_counts_a_clip_without_a_probability_as_one_half() -> None:
    assert auc([made(True, 0.9), made(False, 0.1)]) == 1.0
    assert auc([made(True, None), made(False, 0.1)]) == 1.0
    assert auc([made(True, None), made(False, 0.6)]) == 0.0
    assert isnan(auc([made(True, 0.9)]))


def test_equal_error_rate_of_a_coin_is_one_half() -> None:
    mixed = [made(label, value) for label in (True, False) for value in (0.2, 0.8)]
    assert equal_error_rate(mixed) == pytest.approx(0.5)


def test_accuracy_of_the_decided_leaves_the_undecided_out() -> None:
    outcomes = [made(True, 0.9, "fake"), made(False, 0.8, "fake"), made(True, 0.5)]
    assert decided_accuracy(outcomes) == 0.5
    assert inconclusive_share(outcomes) == pytest.approx(1 / 3)
    assert false_alarm_rate(outcomes) == 1.0


def test_balanced_accuracy_weighs_both_labels_the_same() -> None:
    outcomes = [made(False, 0.1)] * 9 + [made(True, 0.1)]
    assert balanced_accuracy(outcomes) == 0.5


def test_an_interval_is_wide_over_few_groups_and_holds_the_value() -> None:
    values = [(True, 0.9, "a"), (False, 0.2, "b"), (True, 0.3, "c"), (False, 0.4, "d"), (True, 0.8, "e")]
    result = measured([made(f, p, group=g) for f, p, g in values], auc, draws=300)
    assert result.low <= result.value <= result.high
    assert result.high - result.low > 0.2


def test_draws_are_of_whole_groups() -> None:
    one_group = [made(True, 0.9), made(False, 0.2), made(False, 0.95)]
    result = measured(one_group, auc, draws=50)
    assert result.low == result.value == result.high
