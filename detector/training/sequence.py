"""Training of the LSTM on the features of a trained, frozen CNN.

    python -m detector.training.sequence detector/training/configs/efficientnet.toml --data FOLDER

First the features of many training windows are computed and kept in files, by several processes, resumable;
then the LSTM is fitted to them within a minute. Its output starts as the mean of the frame outputs.
"""

import argparse
import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from detector.allocator import keep_freed_memory
from detector.loading import chosen_device, fold_norms
from detector.models import MODELS, CnnLstm, mirrored, motion_of
from detector.preprocessing import INPUTS, to_tensor
from detector.training.cache import WINDOW_LENGTH, cache_name
from detector.training.labels import fit_and_tune, read_clips, read_stills
from detector.training.pairs import drawn_by
from detector.training.processes import worked
from detector.training.samples import PairSampler, make_sampler
from detector.training.scope import set_scope
from detector.training.settings import TrainConfig, read_config
from detector.training.train import load_members, load_run, load_start
from detector.training.windows import window_pairs

JUDGED = "windows-tune.csv"
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 20, 64, 2e-3, 1e-2


def averaged_model(config: TrainConfig) -> CnnLstm:
    """CNN and frame output that a run ended with, in evaluation mode.

    An ensemble's are those of its members; a run of no steps has what it would start from. The LSTM is as a
    seed makes it: it was not trained.
    """
    torch.manual_seed(config.seed)
    model = MODELS[config.model]()
    if config.members:
        load_members(model, [config.runs / name for name in config.members])
    elif config.steps:
        load_run(model, config.folder)
    else:
        load_start(model, config)
    return model.eval()


def sampler_for(config: TrainConfig, *, tune: bool) -> PairSampler:
    fit_clips, tune_clips = fit_and_tune(read_clips(config.data, "train"))
    stills = [] if tune else read_stills(config.data, "train")
    clips = tune_clips if tune else fit_clips
    return make_sampler(clips, stills, config.cache, config.shares, config.qualities)


@cache
def tools(config: TrainConfig, *, tune: bool) -> tuple[PairSampler, CnnLstm, torch.device]:
    """What a process needs for all of its files."""
    keep_freed_memory()
    device = chosen_device("auto")
    model = averaged_model(config).to(device).to(memory_format=torch.channels_last)
    fold_norms(model)
    return sampler_for(config, tune=tune), model, device


def write_features(job: tuple[TrainConfig, bool, int, int, Path]) -> None:
    """One file of windows: features (2 a pair, time, width) in half precision, kinds and names of clips."""
    config, tune, number, pairs, target = job
    sampler, model, device = tools(config, tune=tune)
    rng = np.random.default_rng([config.seed, 2 if tune else 1, number])
    features, kinds, names = [], [], []
    for pair in islice(window_pairs(sampler, rng, WINDOW_LENGTH), pairs):
        for images in (pair.real, pair.fake):
            with torch.inference_mode():
                crops = to_tensor(np.stack(images), INPUTS[config.model]).to(device)
                crops = crops.contiguous(memory_format=torch.channels_last)
                features.append(model.features(crops).half().cpu())
        kinds.append(pair.kind)
        names.append(pair.name)
    made = {"features": torch.stack(features), "kinds": kinds, "names": names}
    torch.save(made, target.with_suffix(".part"))
    target.with_suffix(".part").replace(target)


def prepare(config: TrainConfig, files: int, pairs: int) -> tuple[list[Path], list[Path]]:
    """Compute the features that are not there yet. Returns the files of *fit* and of *tune*.

    Their folders are named after all that they are made from, so that none is taken for another run's.
    """
    made_from = fingerprint(config, pairs)
    found: list[list[Path]] = []
    jobs: list[tuple[TrainConfig, bool, int, int, Path]] = []
    for tune, count in ((False, files), (True, max(1, files // 6))):
        folder = config.folder / f"windows-{made_from}" / ("tune" if tune else "fit")
        folder.mkdir(parents=True, exist_ok=True)
        found.append([folder / f"{number:03}.pt" for number in range(count)])
        jobs += [(config, tune, number, pairs, t) for number, t in enumerate(found[-1]) if not t.exists()]
    if jobs:
        for _ in worked(write_features, jobs, max(config.processes, config.workers), "windows"):
            pass
    fit_files, tune_files = found
    return fit_files, tune_files


def fingerprint(config: TrainConfig, pairs: int) -> str:
    """Of the CNN and of what windows are drawn by."""
    digest = hashlib.sha256(repr((drawn_by(config), pairs)).encode())
    for value in averaged_model(config).cnn.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Read:
    """(n, time, width) features and (n,) labels of windows, reals and fakes in turns.

    kinds: how the fake of each pair was made; names: what the cache calls its real clip.
    """

    features: Tensor
    labels: Tensor
    kinds: list[str]
    names: list[str]


def read_features(paths: list[Path]) -> Read:
    parts = [torch.load(path, weights_only=True) for path in paths]
    features = torch.cat([part["features"] for part in parts]).float()
    kinds, names = (
        [one for part in parts for one in part[key] for _ in range(2)] for key in ("kinds", "names")
    )
    return Read(features, torch.tensor([0.0, 1.0]).repeat(len(features) // 2), kinds, names)


def fit(model: CnnLstm, features: Tensor, labels: Tensor, seed: int) -> None:
    """Train all but the CNN and the frame output, in place, where model, features and labels are.

    Half of the windows are seen in the mirror, whose frame logits are taken to be the same.
    """
    torch.manual_seed(seed)
    frames, motion = seen(model, features)
    model.motion_mean.copy_(motion.mean(dim=(0, 1)))
    model.motion_spread.copy_(motion.std(dim=(0, 1)).clamp(min=1e-3))
    model.train()
    parts = [*model.motion.parameters(), *model.lstm.parameters(), *model.sequence_output.parameters()]
    optimizer = torch.optim.AdamW(parts, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batch = min(BATCH, len(features))
    steps = EPOCHS * (len(features) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in tqdm(range(EPOCHS), desc="LSTM"):
        order = torch.randperm(len(features))[: len(features) // batch * batch].to(features.device)
        for picked in order.split(batch):
            turned = (torch.rand(batch, 1, 1) < 0.5).to(features.device)
            moved = torch.where(turned, mirrored(motion[picked]), motion[picked])
            sequence = model.judge_motion(frames[picked], moved).sequence
            loss = binary_cross_entropy_with_logits(sequence, labels[picked])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parts, 1.0)
            optimizer.step()
            schedule.step()
    model.eval()


@torch.no_grad()
def seen(model: CnnLstm, features: Tensor) -> tuple[Tensor, Tensor]:
    """All that the LSTM reads: (n, time) frame logits and (n, time, 196) motion, a batch after the other."""
    motion = torch.cat([motion_of(part[..., model.width :]) for part in features.split(BATCH)])
    return model.frame_logits(features), motion


@torch.inference_mode()
def write_judged(path: Path, model: CnnLstm, read: Read, groups: Mapping[str, str]) -> None:
    """The logits of windows, by which the LSTM is kept or dropped; a pair's members follow each other.

    groups: of the clips, by what the cache calls them.
    """
    scores = model.judge(read.features)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("kind", "group", "fake", "mean_logit", "sequence_logit"))
        means, sequences = scores.frames.mean(dim=1).tolist(), scores.sequence.tolist()
        owners = [groups[name] for name in read.names]
        rows.writerows(zip(read.kinds, owners, read.labels.int().tolist(), means, sequences, strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train the LSTM of a detector whose CNN is trained.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--files", type=int, default=60, help="files of training pairs (%(default)s)")
    parser.add_argument("--pairs", type=int, default=20, help="pairs in each (%(default)s)")
    options = parser.parse_args(arguments)
    config = read_config(options.config)
    config = replace(config, data=options.data or config.data)
    fit_files, held_out = prepare(config, options.files, options.pairs)
    read = read_features(fit_files)
    model = averaged_model(config)
    for parameter in [*model.cnn.parameters(), *model.frame_output.parameters()]:
        parameter.requires_grad_(False)
    device = chosen_device("auto")
    fit(model.to(device), read.features.to(device), read.labels.to(device), config.seed)
    model.cpu()
    set_scope(model, read.features)
    torch.save(model.state_dict(), config.folder / "model.pt")
    groups = {cache_name([clip.path]): clip.group for clip in read_clips(config.data, "train")}
    write_judged(config.folder / JUDGED, model, read_features(held_out), groups)


if __name__ == "__main__":
    main()
