"""Training of the frame model: one flat loop, resumable, on a GPU or several processes of a CPU.

    python -m detector.training.train detector/training/configs/efficientnet.toml --data FOLDER

Real and fake come in pairs from the same source; some fakes are true ones, the others pseudo-fakes. The
learning rate falls over the last quarter, and the weights that are kept are a running average. A network for
which there are no ImageNet weights first learns from the feature maps of one that has them (``teacher``;
Romero et al. 2015, FitNets), then as the others do (``start``).
"""

import argparse
import csv
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.distributed as dist
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn.functional import binary_cross_entropy_with_logits, dropout, interpolate, mse_loss
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from detector.allocator import keep_freed_memory
from detector.config import DetectorConfig
from detector.crops import CROP_PX
from detector.loading import chosen_device, load_model, load_weights
from detector.models import MODELS, CnnLstm, Ensemble
from detector.preprocessing import INPUTS, Input, normalised
from detector.training.cache import as_served, cache_name, load, main_face
from detector.training.echoes import echoed
from detector.training.imagenet import WHEELS, load_imagenet
from detector.training.labels import Clip, fit_and_tune, read_clips
from detector.training.pairs import MadePairs, sampler_of
from detector.training.processes import one_core
from detector.training.samples import PairSampler
from detector.training.settings import TrainConfig, learning_rate, progress, read_config
from detector.training.starts import ended_with
from detector.weights import WeightsCard, find_weights

DROPOUT, SMOOTHING = 0.3, 0.02
LEAST_SPREAD = 0.05
"""Added to a channel's spread, so that a channel that says nothing is not blown up."""


class Batches(IterableDataset[tuple[Tensor, Tensor]]):
    """Without end: (2n, 224, 224, 3) uint8 crops and (2n,) labels, 1 for fake.

    Every ``block`` batches they are drawn by a seed of its own: a run that goes on where a block ended sees
    what it would have seen.
    """

    def __init__(
        self, sampler: PairSampler, pairs: int, seed: tuple[int, ...], begin: int = 0, block: int = 100
    ) -> None:
        self._sampler, self._pairs, self._seed = sampler, pairs, seed
        self._first, self._block = begin // block, block

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        own = [worker.id] if worker else []
        labels = torch.tensor([0.0, 1.0]).repeat(self._pairs)
        for number in count(self._first):
            drawn = self._sampler.pairs(np.random.default_rng([*self._seed, number, *own]))
            for _ in range(self._block):
                crops = np.stack([image for pair in islice(drawn, self._pairs) for image in pair[:2]])
                yield torch.from_numpy(crops), labels


@torch.inference_mode()
def tune_auc(
    model: torch.nn.Module, clips: list[Clip], cache: Path, how: Input, frames: int = 8, pixels: int = CROP_PX
) -> float:
    """Video AUC of the mean frame probability over evenly spread frames of each clip, of so many pixels."""
    model.eval()
    device = next(model.parameters()).device
    scores = [clip_score(model, clip, cache, how, frames, device, pixels) for clip in clips]
    return float(roc_auc_score([clip.fake for clip in clips], scores))


def clip_score(
    model: torch.nn.Module,
    clip: Clip,
    cache: Path,
    how: Input,
    frames: int,
    device: torch.device,
    pixels: int = CROP_PX,
) -> float:
    faces = main_face(load(cache, cache_name([clip.path])))
    if not len(faces.crops):
        return 0.5
    picked = np.linspace(0, len(faces.crops) - 1, frames).astype(int)
    crops = torch.from_numpy(np.ascontiguousarray(as_served(faces.crops[picked], how.margin))).to(device)
    return float(model(network_input(crops, how, pixels)).sigmoid().mean())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a run needs to go on where it was."""

    path: Path
    model: torch.nn.Module
    objective: torch.nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer

    def restore(self, device: torch.device) -> tuple[int, float]:
        """Fill all parts from the file, where there is one. Returns the steps and seconds it took."""
        if not self.path.exists():
            return 0, 0.0
        state = torch.load(self.path, weights_only=True, map_location=device)
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state.get("objective", {}), strict=False)
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        return int(state["step"]), float(state.get("seconds", 0.0))

    def save(self, step: int, seconds: float) -> None:
        """Written beside and then moved, so that a kill never leaves half a checkpoint."""
        own = {k: v for k, v in self.objective.state_dict().items() if not k.startswith("model.")}
        state: dict[str, Any] = {"model": self.model.state_dict(), "objective": own, "step": step}
        state["seconds"] = seconds
        state |= {"average": self.average.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state, self.path.with_suffix(".part"))
        self.path.with_suffix(".part").replace(self.path)


def train(rank: int, config: TrainConfig) -> None:
    """One process of a run; rank 0 logs, evaluates and saves."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the parent's death sends it, nohup ignores it
    keep_freed_memory()
    one_core()
    torch.manual_seed(config.seed)
    if config.processes > 1:
        dist.init_process_group("gloo", rank=rank, world_size=config.processes)
    _, tune = fit_and_tune(read_clips(config.data, "train"))
    device = chosen_device("auto")
    torch.backends.cudnn.benchmark = True
    half = torch.bfloat16 if device.type == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
    whole = MODELS[config.model]()
    load_start(whole, config)
    model = FrameModel(whole).to(device).to(memory_format=torch.channels_last)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True)
    objective = make_objective(model, config).to(device)
    optimizer = torch.optim.AdamW(objective.parameters(), weight_decay=config.weight_decay)
    scaler = torch.amp.GradScaler(device.type, enabled=half == torch.float16)
    kept = Checkpoint(config.folder / "checkpoint.pt", model, objective, average, optimizer)
    begin, spent = kept.restore(device)
    trained: torch.nn.Module = DistributedDataParallel(objective) if config.processes > 1 else objective

    source = samples(config, rank, begin, device)
    log = Log(config) if rank == 0 else None
    began = time.monotonic() - spent
    for step in tqdm(range(begin, config.steps), initial=begin, total=config.steps, disable=rank > 0):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step, time.monotonic() - began)
        if step % config.save_every == 0:
            torch.manual_seed(config.seed + step)  # as where the run goes on from here
        crops, labels = next(source)
        trained.train()
        with torch.autocast(device.type, half, enabled=device.type == "cuda"):
            loss = trained(crops.to(device, non_blocking=True), labels.to(device))
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(objective.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        average.update_parameters(model)
        if log is None:
            continue
        done, seconds = step + 1, time.monotonic() - began
        last = progress(config, done, seconds) >= 1
        log.loss(done, loss.item())
        if done % config.evaluate_every == 0 or last:
            auc = tune_auc(average.module, tune, config.cache, INPUTS[config.model], pixels=config.pixels)
            log.auc(done, auc)
        if done % config.save_every == 0 or last:
            kept.save(done, seconds)
        if last:
            break


def samples(
    config: TrainConfig, rank: int, begin: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """What one process learns from: pairs that it or its workers make, or that were made for several runs."""
    pairs = config.batch_pairs // config.processes
    batches: IterableDataset[tuple[Tensor, Tensor]]
    if config.pairs:
        turn = config.seed % config.parts * config.processes + rank
        stride = config.parts * config.processes
        batches = MadePairs(config, pairs, turn, stride, skip=begin // config.echoes)
    else:
        batches = Batches(sampler_of(config), pairs, (config.seed, rank), begin, config.save_every)
    workers = min(1, config.workers) if config.pairs else config.workers
    source = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    if config.echoes > 1:
        return echoed(source, config.echoes, device, config.seed + begin)
    return source


def load_start(model: CnnLstm, config: TrainConfig) -> None:
    """Give the network its first weights; where there are none they stay random."""
    if config.start == "installed":
        FrameModel(model).load_state_dict(FrameModel(load_weights(installed(config.model))).state_dict())
    elif config.start != "imagenet":
        FrameModel(model).load_state_dict(ended_with(config.runs / config.start))
    elif config.model in WHEELS:
        load_imagenet(model, config.model)


def installed(model: str) -> WeightsCard:
    """The card of the weights that the detector itself uses for a model."""
    return find_weights(DetectorConfig(backbone=model.removesuffix("_lstm")))


def load_members(model: CnnLstm, folders: Sequence[Path]) -> None:
    """Fill an ensemble with the frame models of these runs; its frame output is the mean of theirs."""
    ensemble = model.cnn
    if not isinstance(ensemble, Ensemble) or len(ensemble.members) != len(folders):
        raise ValueError(f"the model is no ensemble of {len(folders)} networks")
    outputs = []
    for cnn, folder in zip(ensemble.members, folders, strict=True):
        member = CnnLstm(cnn, model.width // len(folders))
        load_run(member, folder)
        outputs.append(member.frame_output)
    with torch.no_grad():
        model.frame_output.weight.copy_(torch.cat([o.weight for o in outputs], dim=1) / len(outputs))
        model.frame_output.bias.copy_(torch.stack([o.bias for o in outputs]).mean(dim=0))


def load_run(model: CnnLstm, folder: Path) -> None:
    """Fill CNN and frame output with what a run ended with."""
    FrameModel(model).load_state_dict(ended_with(folder))


class FrameModel(torch.nn.Module):
    """The part of the model that is trained on single frames: crops to frame logits.

    Batch norms keep their ImageNet statistics. With statistics of the batch a model learns to compare the
    members of a pair through them, and fails on a picture that comes alone.
    """

    freeze_norms = True

    def __init__(self, model: CnnLstm) -> None:
        super().__init__()
        self.cnn, self.frame_output = model.cnn, model.frame_output

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in self.modules():
            if self.freeze_norms and isinstance(part, torch.nn.BatchNorm2d):
                part.eval()
        return self

    def forward(self, crops: Tensor) -> Tensor:
        return self.judge(self.cnn(crops))

    def judge(self, maps: Tensor) -> Tensor:
        """(n, width, 7, 7) feature maps to (n,) logits."""
        logits: Tensor = self.frame_output(dropout(maps.mean(dim=(2, 3)), DROPOUT, self.training))
        return logits.squeeze(-1)


class Labels(torch.nn.Module):
    """The loss of learning from labels. Crops are (n, 224, 224, 3) uint8, as everywhere in this loop."""

    def __init__(self, model: FrameModel, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self._how, self._pixels = INPUTS[config.model], config.pixels

    def forward(self, crops: Tensor, labels: Tensor) -> Tensor:
        targets = labels * (1 - 2 * SMOOTHING) + SMOOTHING
        logits = self.model(network_input(crops, self._how, self._pixels))
        return binary_cross_entropy_with_logits(logits.float(), targets)


class Imitation(torch.nn.Module):
    """The loss of learning from an installed model: its feature maps, place by place, and its frame scores.

    The teacher is kept out of this module's parts, and so out of its parameters and checkpoints.
    """

    def __init__(self, model: FrameModel, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.model.freeze_norms = False  # a network from nothing has no statistics yet, and learns no labels
        self._how, self._pixels = INPUTS[config.model], config.pixels
        card = find_weights(DetectorConfig(backbone=config.teacher))
        self._teacher = (load_model(card, torch.device("cpu")), Input(card.mean, card.std))
        self.project = torch.nn.Conv2d(model.frame_output.in_features, self._teacher[0].width, 1)

    def forward(self, crops: Tensor, labels: Tensor) -> Tensor:
        taught, scores = self._lesson(crops)
        maps = self.model.cnn(network_input(crops, self._how, self._pixels))
        seen = interpolate(self.project(maps).float(), taught.shape[-2:], mode="bilinear")
        judged = binary_cross_entropy_with_logits(self.model.judge(maps).float(), scores)
        return mse_loss(seen, taught) + judged

    @torch.no_grad()
    def _lesson(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's maps, each channel centred and scaled over the batch, and its probabilities."""
        teacher, how = self._teacher
        maps = teacher.to(crops.device).feature_maps(network_input(crops, how, crops.shape[1])).float()
        scores = teacher.frame_output(maps.mean(dim=(2, 3))).squeeze(-1).sigmoid()
        centre, spread = maps.mean(dim=(0, 2, 3), keepdim=True), maps.std(dim=(0, 2, 3), keepdim=True)
        return (maps - centre) / (spread + LEAST_SPREAD), scores


def make_objective(model: FrameModel, config: TrainConfig) -> Labels | Imitation:
    return Imitation(model, config) if config.teacher else Labels(model, config)


def network_input(crops: Tensor, how: Input, pixels: int) -> Tensor:
    """uint8 crops as a network reads them, at fewer pixels a side where a first training asks for it."""
    full = normalised(crops, how)
    if pixels != full.shape[-1]:
        full = interpolate(full, (pixels, pixels), mode="bilinear", antialias=True)
    return full.contiguous(memory_format=torch.channels_last)


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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train the frame model of a detector.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the data set, in place of the config's")
    parser.add_argument("--seed", type=int, help="in place of the config's; the run's name ends in it")
    options = parser.parse_args(arguments)
    config = read_config(options.config)
    config = replace(config, data=options.data or config.data)
    if options.seed is not None:
        config = replace(config, seed=options.seed, name=f"{config.name}_{options.seed}")
    _, tune = fit_and_tune(read_clips(config.data, "train"))
    if {clip.fake for clip in tune} != {True, False}:
        parser.error(
            f"{config.data} leaves reals or fakes out of the fifth of its training groups that a model is "
            "chosen by; it takes more groups of clips that share nobody"
        )
    config.folder.mkdir(parents=True, exist_ok=True)
    if config.processes == 1:
        return train(0, config)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    spawn(train, args=(config,), nprocs=config.processes)


if __name__ == "__main__":
    main()
