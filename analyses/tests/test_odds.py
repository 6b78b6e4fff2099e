import csv
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from analyses.detection import ModelCard, model_cards
from analyses.odds import Odds, odds_of


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    return replace(model_cards()[0], results=tmp_path)


def write_clips(card: ModelCard, reals: list[float], fakes: list[float], sha256: str | None = None) -> None:
    folder = card.results / "val"
    folder.mkdir()
    rows = [("real", value) for value in reals] + [("fake", value) for value in fakes]
    with (folder / "clips.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "fake_probability", "weights_sha256"])
        writer.writerows((label, value, sha256 or card.weights.sha256) for label, value in rows)


def test_a_high_score_is_compared_with_real_clips_and_a_low_one_with_manipulated(card: ModelCard) -> None:
    write_clips(card, [0.1] * 38 + [0.8, 0.95], [0.9] * 24 + [0.2])
    assert odds_of(card, 0.8) == Odds(are_real=True, clips=40, alike=2, low=1, high=17)
    assert odds_of(card, 0.96) == Odds(are_real=True, clips=40, alike=0, low=0, high=9)
    low = odds_of(card, 0.3)
    assert low
    assert (low.are_real, low.clips, low.alike, low.of_hundred) == (False, 25, 1, 4)


def test_too_few_clips_other_weights_or_no_score_say_nothing(card: ModelCard) -> None:
    assert odds_of(card, 0.9) is None
    write_clips(card, [0.1] * 19, [0.9] * 40)
    assert odds_of(card, 0.9) is None
    assert odds_of(card, None) is None
    assert odds_of(None, 0.9) is None


def test_clips_judged_with_other_weights_do_not_count(card: ModelCard) -> None:
    write_clips(card, [0.1] * 40, [0.9] * 40, sha256="0" * 64)
    assert odds_of(card, 0.9) is None


def test_the_shipped_evaluation_is_counted_as_its_file_says() -> None:
    card = next(card for card in model_cards() if card.shipped)
    path = settings.BASE_DIR / "benchmarks" / "results" / "efficientnet" / "val" / "clips.csv"
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["weights_sha256"] == card.weights.sha256]
    reals = [float(row["fake_probability"]) for row in rows if row["label"] == "real"]
    odds = odds_of(card, 0.5)
    assert (odds is None) == (len(reals) < 20)
    if odds:
        assert (odds.clips, odds.alike) == (len(reals), sum(value >= 0.5 for value in reals))
