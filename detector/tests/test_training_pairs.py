"""Pairs made beforehand: in order, in turns, and without true fakes where a run may not see any."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from detector.training.pairs import COUNT, MADE_BY, MadePairs, batch_path, drawn_by, make
from detector.training.samples import Shares
from detector.training.settings import TrainConfig, progress

BATCHES, PAIRS = 6, 4


def made(folder: Path) -> TrainConfig:
    """Crops of two by two pixels that hold their pair's number; every other pair has a true fake."""
    for number in range(BATCHES):
        numbers = torch.arange(number * PAIRS, (number + 1) * PAIRS, dtype=torch.uint8)
        crops = numbers.view(-1, 1, 1, 1, 1).expand(-1, 2, 2, 2, 3).contiguous()
        torch.save({"crops": crops, "true": numbers % 2 == 1}, batch_path(folder, number))
    (folder / COUNT).write_text(f"{BATCHES}\n")
    return TrainConfig("x", pairs=folder)


def numbers(crops: Tensor) -> list[int]:
    return crops[::2, 0, 0, 0].tolist()


def test_batches_come_in_order_and_again_from_the_start(tmp_path: Path) -> None:
    batches = list(islice(MadePairs(made(tmp_path), PAIRS, 0, 1), BATCHES + 1))
    assert [n for crops, _ in batches for n in numbers(crops)] == [*range(BATCHES * PAIRS), *range(PAIRS)]
    assert batches[0][1].tolist() == [0.0, 1.0] * PAIRS


def test_a_run_that_goes_on_sees_the_next_batches(tmp_path: Path) -> None:
    crops, _ = next(iter(MadePairs(made(tmp_path), PAIRS, 0, 2, skip=2)))
    assert numbers(crops) == [*range(4 * PAIRS, 5 * PAIRS)]
    crops, _ = next(iter(MadePairs(made(tmp_path), PAIRS, 0, 2, skip=4)))
    assert numbers(crops) == [*range(2 * PAIRS, 3 * PAIRS)]


def test_runs_that_take_turns_share_no_pair(tmp_path: Path) -> None:
    config = made(tmp_path)
    seen = [
        {n for crops, _ in islice(MadePairs(config, PAIRS, first, 3), 8) for n in numbers(crops)}
        for first in range(3)
    ]
    assert set.union(*seen) == set(range(BATCHES * PAIRS))
    assert sum(map(len, seen)) == BATCHES * PAIRS


def test_a_run_of_pseudo_fakes_sees_no_true_one(tmp_path: Path) -> None:
    config = replace(made(tmp_path), shares=Shares(true_fakes=0.0))
    batches = list(islice(MadePairs(config, PAIRS, 0, 1), 5))
    assert all(len(crops) == 2 * PAIRS for crops, _ in batches)
    assert all(n % 2 == 0 for crops, _ in batches for n in numbers(crops))


def test_a_run_ends_by_its_steps_or_its_time() -> None:
    config = TrainConfig("x", steps=100, minutes=2.0, processes=1)
    assert progress(config, 50, 30.0) == 0.5
    assert progress(config, 10, 120.0) == 1.0
    assert progress(replace(config, minutes=0.0), 10, 1e6) == 0.1


def test_a_run_of_pseudo_fakes_that_goes_on_sees_what_it_would_have_seen(tmp_path: Path) -> None:
    config = replace(made(tmp_path), shares=Shares(true_fakes=0.0))
    whole = [numbers(crops) for crops, _ in islice(MadePairs(config, PAIRS, 0, 1), 5)]
    later = [numbers(crops) for crops, _ in islice(MadePairs(config, PAIRS, 0, 1, skip=2), 3)]
    assert later == whole[2:]


def test_pairs_that_were_drawn_otherwise_are_not_mixed(tmp_path: Path) -> None:
    config = TrainConfig("x", pairs=tmp_path)
    (tmp_path / MADE_BY).write_text(json.dumps(drawn_by(replace(config, seed=2))))
    with pytest.raises(ValueError, match="drawn otherwise"):
        make(config, 1, 1)
