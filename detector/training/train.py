"""Training of the frame model: one flat loop, resumable, on one device or several processes.

    python -m detector.training.train detector/training/configs/efficientnet.toml --data FOLDER

Real and fake come in pairs from the same source; some fakes are true ones, the others pseudo-fakes. The
learning rate falls over the last quarter, and the weights that are kept are a running average.
"""

import argparse
import csv
import os
import signal
import time
import tomllib
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
import torch.distributed as dist
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn.functional import binary_cross_entropy_with_logits, dropout
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from detector.allocator import keep_freed_memory
from detector.crops import CROP_PX
from detector.models import MODELS, CnnLstm
from detector.preprocessing import INPUTS, Input, to_tensor
from detector.training.cache import CACHE_PX, cache_name, load, main_face
from detector.training.imagenet import load_lite0
from detector.training.labels import Clip, fit_and_tune, read_clips, read_stills
from detector.training.samples import PairSampler, Shares, make_sampler

DROPOUT, SMOOTHING = 0.3, 0.02


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a TOML file says. ``steps`` may be raised or lowered between two starts of the same run."""

    name: str
    model: str = "efficientnet_lstm"
    data: Path = Path("data")
    cache: Path = Path("runs/cache")
    runs: Path = Path("runs")
    steps: int = 2400
    batch_pairs: int = 16
    learning_rate: float = 4e-4
    weight_decay: float = 1e-2
    warmup: int = 100
    average: float = 0.998
    seed: int = 1
    processes: int = 2
    evaluate_every: int = 400
    save_every: int = 100
    shares: Shares = field(default_factory=Shares)

    @property
    def folder(self) -> Path:
        return self.runs / self.name


def read_config(path: Path) -> TrainConfig:
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    values["shares"] = Shares(**values.pop("shares", {}))
    for key in {"data", "cache", "runs"} & values.keys():
        values[key] = Path(values[key])
    return TrainConfig(**values)


def learning_rate(config: TrainConfig, step: int) -> float:
    """Warm-up, a plateau, then a straight line to zero over the last quarter."""
    left = (config.steps - step) / (0.25 * config.steps)
    return config.learning_rate * max(0.01, min(1.0, (step + 1) / config.warmup, left))


def batch(sampler: PairSampler, config: TrainConfig, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(2n, 3, 224, 224) normalised crops and (2n,) labels, 1 for fake."""
    pairs = list(islice(sampler.pairs(rng), config.batch_pairs // config.processes))
    crops = np.stack([image for pair in pairs for image in pair])
    labels = torch.tensor([0.0, 1.0]).repeat(len(pairs))
    return to_tensor(crops, INPUTS[config.model]).contiguous(memory_format=torch.channels_last), labels


@torch.inference_mode()
def tune_auc(model: torch.nn.Module, clips: list[Clip], cache: Path, how: Input, frames: int = 8) -> float:
    """Video AUC of the mean frame probability over evenly spread frames of each clip."""
    model.eval()
    scores = [_clip_score(model, clip, cache, how, frames) for clip in clips]
    return float(roc_auc_score([clip.fake for clip in clips], scores))


def _clip_score(model: torch.nn.Module, clip: Clip, cache: Path, how: Input, frames: int) -> float:
    faces = main_face(load(cache, cache_name([clip.path])))
    if not len(faces.crops):
        return 0.5
    edge = (CACHE_PX - CROP_PX) // 2
    picked = np.linspace(0, len(faces.crops) - 1, frames).astype(int)
    crops = np.ascontiguousarray(faces.crops[picked, edge:-edge, edge:-edge])
    return float(model(to_tensor(crops, how)).sigmoid().mean())


def save(path: Path, **state: Any) -> None:
    """Written beside and then moved, so that a kill never leaves half a checkpoint."""
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def train(rank: int, config: TrainConfig) -> None:
    """One process of a run; rank 0 logs, evaluates and saves."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the parent's death sends it, nohup ignores it
    keep_freed_memory()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(config.seed)
    if config.processes > 1:
        dist.init_process_group("gloo", rank=rank, world_size=config.processes)
    fit, tune = fit_and_tune(read_clips(config.data, "train"))
    sampler = make_sampler(fit, read_stills(config.data, "train"), config.cache, config.shares)

    whole = MODELS[config.model]()
    load_lite0(whole)
    model = FrameModel(whole).to(memory_format=torch.channels_last)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    checkpoint, begin = config.folder / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        begin = state["step"]
    trained: torch.nn.Module = DistributedDataParallel(model) if config.processes > 1 else model

    rng = np.random.default_rng([config.seed, rank, begin])
    log = Log(config) if rank == 0 else None
    for step in tqdm(range(begin, config.steps), initial=begin, total=config.steps, disable=rank > 0):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        crops, labels = batch(sampler, config, rng)
        trained.train()
        targets = labels * (1 - 2 * SMOOTHING) + SMOOTHING
        loss = binary_cross_entropy_with_logits(trained(crops), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(model)
        done = step + 1
        if log is None:
            continue
        log.loss(done, loss.item())
        if done % config.evaluate_every == 0 or done == config.steps:
            auc = tune_auc(average.module, tune, config.cache, INPUTS[config.model])
            log.auc(done, auc)
        if done % config.save_every == 0 or done == config.steps:
            save(
                checkpoint,
                model=model.state_dict(),
                average=average.state_dict(),
                optimizer=optimizer.state_dict(),
                step=done,
            )


class FrameModel(torch.nn.Module):
    """The part of the model that is trained on single frames: crops to frame logits.

    Batch norms keep their ImageNet statistics. With statistics of the batch a model learns to compare the
    members of a pair through them, and fails on a picture that comes alone.
    """

    def __init__(self, model: CnnLstm) -> None:
        super().__init__()
        self.cnn, self.frame_output = model.cnn, model.frame_output

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in self.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eval()
        return self

    def forward(self, crops: Tensor) -> Tensor:
        features = dropout(self.cnn(crops).mean(dim=(2, 3)), DROPOUT, self.training)
        logits: Tensor = self.frame_output(features)
        return logits.squeeze(-1)


class Log:
    """The run's CSV and TensorBoard files."""

    def __init__(self, config: TrainConfig) -> None:
        config.folder.mkdir(parents=True, exist_ok=True)
        self._csv = (config.folder / "log.csv").open("a", newline="", encoding="utf-8")
        self._rows = csv.writer(self._csv)
        self._board = SummaryWriter(str(config.folder / "tensorboard"))
        self._mean, self._began = 0.7, time.monotonic()

    def loss(self, step: int, value: float) -> None:
        self._mean += 0.02 * (value - self._mean)
        if step % 20 == 0:
            self._write(step, "loss", self._mean)

    def auc(self, step: int, value: float) -> None:
        self._write(step, "tune_auc", value)

    def _write(self, step: int, what: str, value: float) -> None:
        self._rows.writerow([step, what, f"{value:.4f}", f"{time.monotonic() - self._began:.0f}"])
        self._csv.flush()
        self._board.add_scalar(what, value, step)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the frame model of a detector.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the data set, in place of the config's")
    options = parser.parse_args()
    config = read_config(options.config)
    config = replace(config, data=options.data or config.data)
    config.folder.mkdir(parents=True, exist_ok=True)
    if config.processes == 1:
        return train(0, config)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    spawn(train, args=(config,), nprocs=config.processes)


if __name__ == "__main__":
    main()
