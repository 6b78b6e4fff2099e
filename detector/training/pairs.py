"""Pairs made once for several runs, which would otherwise each spend their time making their own.

    python -m detector.training.pairs CONFIG --data FOLDER --batches 2000 --processes 12

The batches are numbered files in the folder that the config names under ``pairs``. A run whose config names
the same folder may read while they are still made: it takes them in order and waits for the next.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from detector.allocator import keep_freed_memory
from detector.training.labels import fit_and_tune, read_clips, read_stills
from detector.training.processes import worked
from detector.training.samples import Pair, PairSampler, make_sampler
from detector.training.settings import TrainConfig, read_config

COUNT = "batches.txt"
"""Says how many batches there will be."""
WAIT_S = 0.05


class MadePairs(IterableDataset[tuple[Tensor, Tensor]]):
    """Without end: (2n, 224, 224, 3) uint8 crops and (2n,) labels, 1 for fake, read from made batches.

    first, stride: which of the batches; runs that take turns see none of each other's. skip: how many of
    them a run that goes on has seen. Where the config asks for no true fakes, pairs with one are left out.
    """

    def __init__(self, config: TrainConfig, pairs: int, first: int, stride: int, skip: int = 0) -> None:
        assert config.pairs is not None
        self._folder, self._pairs = config.pairs, pairs
        self._first, self._stride, self._skip = first, stride, skip
        self._pseudo_only = config.shares.true_fakes == 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        labels = torch.tensor([0.0, 1.0]).repeat(self._pairs)
        left: list[Tensor] = []
        numbers = cycle(range(self._first, int((self._folder / COUNT).read_text()), self._stride))
        for number in islice(numbers, self._skip, None):
            left += self._read(number)
            while len(left) >= self._pairs:
                yield torch.stack(left[: self._pairs]).flatten(0, 1), labels
                left = left[self._pairs :]

    def _read(self, number: int) -> list[Tensor]:
        path = batch_path(self._folder, number)
        while not path.exists():
            time.sleep(WAIT_S)
        batch = torch.load(path, weights_only=True, mmap=True)
        pairs = zip(batch["crops"], batch["true"].tolist(), strict=True)
        return [crops for crops, true in pairs if not (true and self._pseudo_only)]


def batch_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.pt"


def sampler_of(config: TrainConfig) -> PairSampler:
    """A sampler over the groups that training may see."""
    fit, _ = fit_and_tune(read_clips(config.data, "train"))
    stills = read_stills(config.data, "train")
    return make_sampler(fit, stills, config.cache, config.shares, config.qualities)


def write_batch(job: tuple[TrainConfig, int]) -> None:
    """One file: ``crops`` (n, 2, 224, 224, 3) uint8 and ``true`` (n,), whether the fake is a true one."""
    config, number = job
    assert config.pairs is not None
    target = batch_path(config.pairs, number)
    if target.exists():
        return
    global _sampler
    if _sampler is None:
        keep_freed_memory()
        _sampler = sampler_of(config)
    drawn = _sampler.pairs(np.random.default_rng([config.seed, number]))
    pairs: list[Pair] = list(islice(drawn, config.batch_pairs))
    crops = torch.from_numpy(np.stack([[pair.real, pair.fake] for pair in pairs]))
    torch.save({"crops": crops, "true": torch.tensor([p.true for p in pairs])}, target.with_suffix(".part"))
    target.with_suffix(".part").replace(target)


_sampler: PairSampler | None = None


def make(config: TrainConfig, batches: int, processes: int) -> None:
    """Write the batches that are not there yet."""
    assert config.pairs is not None
    config.pairs.mkdir(parents=True, exist_ok=True)
    (config.pairs / COUNT).write_text(f"{batches}\n")
    sampler_of(config)  # what all processes need and only one should make
    for _ in worked(write_batch, [(config, number) for number in range(batches)], processes, "batches"):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description="Make pairs of crops that several runs learn from.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the data set, in place of the config's")
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    config = read_config(options.config)
    if config.pairs is None:
        parser.error(f"{options.config} names no folder under pairs")
    make(replace(config, data=options.data or config.data), options.batches, options.processes)


if __name__ == "__main__":
    main()
