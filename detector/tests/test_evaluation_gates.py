"""Verdicts by how well a clip is seen."""

import csv
from pathlib import Path

import pytest

from detector.evaluation.gates import PARTS, gates, parts_by, ungated, write_gates
from detector.evaluation.measures import Outcome

CLIPS, SEEN_BADLY = 120, 1 / 60


def clips() -> list[Outcome]:
    """Half fake. With few bits they are called by chance, else rightly; all verdicts were withheld."""
    outcomes = []
    for number in range(CLIPS):
        fake, bits = number % 2 == 1, number / CLIPS / 10
        right = 0.9 if fake else 0.1
        guessed = 0.9 if number % 4 < 2 else 0.1
        probability = guessed if bits < SEEN_BADLY else right
        outcomes.append(
            Outcome(fake, f"g{number}", "s", "inconclusive", probability, 1.0, bits_per_pixel=bits)
        )
    return outcomes


def test_parts_are_of_equal_size_and_in_order() -> None:
    parts = parts_by(clips(), lambda o: o.bits_per_pixel)
    assert [len(part) for *_, part in parts] == [CLIPS // PARTS] * PARTS
    edges = [edge for least, most, _ in parts for edge in (least, most)]
    assert edges == sorted(edges)


def test_the_lowest_values_are_cut_finer_between_edges() -> None:
    *_, low, high = parts_by(clips(), lambda o: o.bits_per_pixel, edges=(0, 0.01, 0.03))
    assert (*low[:2], *high[:2]) == pytest.approx((0, 11 / 1200, 0.01, 35 / 1200))
    assert (len(low[2]), len(high[2])) == (12, 24)


def test_a_quality_that_matters_shows_in_its_worst_part_alone(tmp_path: Path) -> None:
    write_gates(tmp_path / "gates.csv", clips(), 0.7, {"split": "tune"})
    with (tmp_path / "gates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["quality"] for row in rows} == {"bits_per_pixel"}
    for measure, worst in (("auc", 0.5), ("real_verdicts_right", 0.5), ("fake_verdicts_right", 0.5)):
        values = [float(row["value"]) for row in rows if row["measure"] == measure]
        assert values[:PARTS] == [pytest.approx(worst, abs=0.15), *[1.0] * (PARTS - 1)]


def test_clips_are_judged_by_their_probability_alone() -> None:
    unknown = Outcome(True, "g", "s", "inconclusive", None, 1.0)
    assert [o.verdict for o in ungated([*clips()[-2:], unknown], 0.7)] == ["real", "fake"]
    assert gates([unknown], 0.7) == []
