"""Data echoing: where a pair takes longer to make than to learn from, it is learnt from several times."""

from collections.abc import Iterator

import torch
from torch import Tensor

POOL, READY = 64, 16
"""Batches in the pool when it is full, and when the first are drawn."""


def echoed(
    made: Iterator[tuple[Tensor, Tensor]], times: int, device: torch.device, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches as in ``made``, ``times`` as many, mixed out of the latest; a pair stays together.

    Choi et al. 2019, "Faster neural network training with data echoing", with the echoes shuffled. Every
    other time, on average, a pair comes mirrored. (2n, h, w, 3) uint8 crops and (2n,) labels, the crops on
    ``device``.
    """
    random = torch.Generator().manual_seed(seed)
    pool: list[Tensor] = []
    for number, (crops, labels) in enumerate(made):
        pairs = crops.to(device, non_blocking=True).unflatten(0, (-1, 2))
        if len(pool) < POOL:
            pool.append(pairs)
        else:
            pool[number % POOL] = pairs
        for _ in range(times if len(pool) >= READY else 0):
            yield mixed(pool, random), labels


def mixed(pool: list[Tensor], random: torch.Generator) -> Tensor:
    """As many pairs as a batch of the pool has, each from any of its batches."""
    batches = torch.randint(len(pool), (len(pool[0]),), generator=random).tolist()
    mirrored = torch.rand(len(batches), generator=random) < 0.5
    crops = torch.stack([pool[batch][place] for place, batch in enumerate(batches)])
    flips = mirrored.to(crops.device)[:, None, None, None, None]
    return torch.where(flips, crops.flip(-2), crops).flatten(0, 1)
