"""Echoes: pairs stay pairs, and each is learnt from as often as asked."""

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor

from detector.training.echoes import POOL, READY, echoed

PAIRS, BATCHES, TIMES = 8, 300, 3


def numbered() -> Iterator[tuple[Tensor, Tensor]]:
    """Two by two pixels of two channels: the left ones hold the pair's number, from 1, and which it is."""
    labels = torch.tensor([0, 1]).repeat(PAIRS)
    for first in range(1, BATCHES * PAIRS, PAIRS):
        crops = torch.zeros(2 * PAIRS, 2, 2, 2, dtype=torch.int64)
        crops[:, :, 0, 0] = torch.arange(first, first + PAIRS).repeat_interleave(2)[:, None]
        crops[:, :, 0, 1] = labels[:, None]
        yield crops, labels


def test_echoes_mix_whole_pairs_and_draw_each_as_often_as_asked() -> None:
    batches = list(echoed(numbered(), TIMES, torch.device("cpu"), seed=1))
    assert len(batches) == (BATCHES - READY + 1) * TIMES
    drawn: Counter[int] = Counter()
    mirrored = 0
    for crops, labels in batches:
        numbers, which = crops.amax(dim=(1, 2)).unbind(dim=1)
        in_the_right = crops[:, 0, 1, 0] > 0
        assert torch.equal(numbers[0::2], numbers[1::2])
        assert torch.equal(which, labels)
        assert torch.equal(in_the_right[0::2], in_the_right[1::2])
        drawn.update(numbers[0::2].tolist())
        mirrored += int(in_the_right[0::2].sum())
    settled = [drawn[number] for number in range(POOL * PAIRS, (BATCHES - POOL) * PAIRS)]
    assert abs(sum(settled) / len(settled) - TIMES) < 0.15
    assert max(settled) < 6 * TIMES
    assert abs(mirrored / (len(batches) * PAIRS) - 0.5) < 0.05


def test_the_same_seed_draws_the_same_echoes() -> None:
    one, same = (echoed(numbered(), TIMES, torch.device("cpu"), seed=2) for _ in range(2))
    assert all(torch.equal(next(one)[0], next(same)[0]) for _ in range(5))
