"""Calibration error, Brier score and controls on outcomes that are calibrated, or are not."""

import numpy as np
import pytest

from detector.evaluation.calibration import BrierScore, CalibrationError, reliability
from detector.evaluation.control import controls
from detector.evaluation.measures import Outcome, measured, sample_of


def honest(count: int, *, seed: int = 0) -> list[Outcome]:
    """Clips that are fake as often as their probability says."""
    rng = np.random.default_rng(seed)
    stated = rng.random(count)
    fakes = rng.random(count) < stated
    return [
        Outcome(bool(f), f"g{i}", "s", "", float(p), 1.0)
        for i, (f, p) in enumerate(zip(fakes, stated, strict=True))
    ]


def test_an_honest_probability_has_almost_no_calibration_error() -> None:
    assert measured(honest(2000), CalibrationError(), draws=20).value < 0.05


def test_overstating_is_found() -> None:
    sure = [Outcome(o.fake, o.group, "s", "", 0.99 if o.score >= 0.5 else 0.01, 1.0) for o in honest(400)]
    error = measured(sure, CalibrationError())
    assert error.value == pytest.approx(0.25, abs=0.05)
    assert error.low > 0.15


def test_many_fakes_in_a_set_do_not_count_as_understating() -> None:
    """Probabilities are for a prior of one in two, so a set of other shares is weighed to that."""
    balanced = honest(3000)
    reals = [o for o in balanced if not o.fake]
    lopsided = [o for o in balanced if o.fake] + reals[: len(reals) // 10]
    assert measured(lopsided, CalibrationError(), draws=2).value < 0.08


def test_brier_score_of_a_coin_and_of_the_truth() -> None:
    coin = [Outcome(f, "g", "s", "", 0.5, 1.0) for f in (True, False, True)]
    assert measured(coin, BrierScore(), draws=2).value == pytest.approx(0.25)
    truth = [Outcome(f, "g", "s", "", float(f), 1.0) for f in (True, False)]
    assert measured(truth, BrierScore(), draws=2).value == 0.0


def test_clips_without_a_probability_are_left_out_and_counted_so() -> None:
    outcomes = [*honest(100), Outcome(True, "x", "s", "no_face", None, 1.0)]
    assert measured(outcomes, BrierScore(), draws=2).n == 100


def test_the_bins_of_a_reliability_plot_share_the_clips() -> None:
    points = reliability(sample_of(honest(200)))
    assert len(points) == 10
    assert sum(point.clips for point in points) == 200
    assert all(10 <= point.clips <= 30 for point in points)
    assert [p.stated for p in points] == sorted(p.stated for p in points)
    assert all(p.low <= p.found <= p.high for p in points)
    assert reliability(sample_of([o for o in honest(50) if o.fake])) == []


def filmed(fake: bool, number: int, sharpness: float | None, kbit_s: float = 500.0) -> Outcome:
    return Outcome(fake, f"g{number}", "s", "", 0.5, 1.0, sharpness=sharpness, face_px=120.0, kbit_s=kbit_s)


def test_a_control_finds_blur_whichever_way_it_tells() -> None:
    blurred_fakes = [filmed(i % 2 == 0, i, 20.0 if i % 2 == 0 else 200.0 + i) for i in range(40)]
    found = controls(blurred_fakes)
    assert found["control_auc_sharpness"].value == 1.0
    assert found["control_auc_face_px"].value == 0.5
    assert found["control_auc_all_three"].value > 0.95


def test_a_control_of_noise_gains_nothing_from_being_fitted() -> None:
    """Each clip is scored by a fit that has not seen its group."""
    rng = np.random.default_rng(4)
    noise = [
        filmed(i % 2 == 0, i // 2, float(rng.gamma(2, 50)), float(rng.gamma(2, 300))) for i in range(200)
    ]
    assert 0.3 < controls(noise)["control_auc_all_three"].value < 0.6


def test_a_clip_without_a_face_tells_a_control_nothing() -> None:
    outcomes = [filmed(True, 1, None), filmed(False, 2, None), filmed(True, 3, 50.0), filmed(False, 4, 50.0)]
    assert controls(outcomes)["control_auc_sharpness"].value == 0.5


def test_a_fitted_control_of_one_group_is_not_given() -> None:
    outcomes = [filmed(True, 1, 20.0), filmed(False, 1, 50.0)]
    assert "control_auc_all_three" not in controls(outcomes)
