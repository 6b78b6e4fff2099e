"""Pairs made once for several runs, which would otherwise each spend their time making their own.

    python -m detector.training.pairs CONFIG --data FOLDER --batches 2000 --processes 12

The batches are numbered files in the folder that the config names under ``pairs``. A run whose config names
the same folder may read while they are still made: it takes them in order and waits for the next.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from detector.allocator import keep_freed_memory
from detector.training.labels import fit_and_tune, read_clips, read_stills
from detector.training.processes import worked
from detector.training.samples import Pair, PairSampler, make_sampler
from detector.training.settings import TrainConfig, read_config

COUNT, MADE_BY = "batches.txt", "made_by.json"
"""They say how many batches there will be, and by what they are drawn."""
WAIT_S = 0.05


class MadePairs(IterableDataset[tuple[Tensor, Tensor]]):
    """Without end: (2n, 224, 224, 3) uint8 crops and (2n,) labels, 1 for fake, read from made batches.

    first, stride: which of the files; runs that take turns see none of each other's. skip: how many batches
    a run that goes on has seen. Where the config asks for no true fakes, pairs with one are left out. What
    else its shares and qualities say counts for the windows of the LSTM alone: these pairs are made already.
    """

    def __init__(self, config: TrainConfig, pairs: int, first: int, stride: int, skip: int = 0) -> None:
        assert config.pairs is not None
        self._folder, self._pairs = config.pairs, pairs
        self._first, self._stride, self._skip = first, stride, skip
        self._pseudo_only = config.shares.true_fakes == 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        labels = torch.tensor([0.0, 1.0]).repeat(self._pairs)
        for pairs in islice(self._batches(), self._skip, None):
            yield torch.stack(pairs).flatten(0, 1), labels

    def _batches(self) -> Iterator[list[Tensor]]:
        left: list[Tensor] = []
        for number in cycle(range(self._first, int((self._folder / COUNT).read_text()), self._stride)):
            left += self._read(number)
            while len(left) >= self._pairs:
                yield left[: self._pairs]
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


def drawn_by(config: TrainConfig) -> dict[str, Any]:
    """All that decides what pairs, or windows of them, are."""
    kept = {"data": str(config.data), "seed": config.seed, "batch_pairs": config.batch_pairs}
    return kept | {"shares": asdict(config.shares), "qualities": asdict(config.qualities)}


def make(config: TrainConfig, batches: int, processes: int) -> None:
    """Write the batches that are not there yet. Raises ValueError where those there were drawn otherwise."""
    assert config.pairs is not None
    config.pairs.mkdir(parents=True, exist_ok=True)
    made_by = config.pairs / MADE_BY
    if made_by.exists() and json.loads(made_by.read_text()) != drawn_by(config):
        raise ValueError(f"{config.pairs} holds pairs that were drawn otherwise; name another folder")
    made_by.write_text(json.dumps(drawn_by(config), indent=2) + "\n")
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
