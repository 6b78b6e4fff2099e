"""Does the LSTM's output depend on time? Frames shuffled, repeated and frozen, and what becomes of the AUC.

The CNN sees each frame alone, so the changes are made to its features: that is the same as making them to the
frames. A change that only permutes frames can't move their mean, so what moves is the LSTM's part.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from detector.config import DetectorConfig
from detector.engine import Engine, engine_for
from detector.errors import AnalysisError
from detector.evaluation.measures import Measured, Outcome, auc, measured
from detector.looking import look
from detector.scoring import all_features, score_tracks
from detector.training.labels import Clip

Change = Callable[[Tensor], Tensor]


def shuffled(features: Tensor) -> Tensor:
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(0))
    return features[order]


def one_repeated(features: Tensor) -> Tensor:
    return features[len(features) // 2].expand_as(features)


def half_frozen(features: Tensor) -> Tensor:
    half = max(1, len(features) // 2)
    return torch.cat([features[:half], features[half - 1 : half].expand(len(features) - half, -1)])


CHANGES: dict[str, Change] = {
    "as_is": lambda features: features,
    "shuffled": shuffled,
    "reversed": lambda features: features.flip(0),
    "one_frame_repeated": one_repeated,
    "second_half_frozen": half_frozen,
}


@dataclass(frozen=True, slots=True)
class Windows:
    """The features of each window of a clip's longest face."""

    clip: Clip
    features: tuple[Tensor, ...]


def read_windows(engine: Engine, clip: Clip, config: DetectorConfig) -> Windows | None:
    """None where the clip could not be read or shows no face."""
    try:
        seen = look(clip.path, engine.finder, engine.card.margin, config, lambda *_: None, lambda: False)
    except AnalysisError:
        return None
    features = all_features(engine, seen.sightings, config.batch_size, lambda _: None)
    tracks = score_tracks(engine, seen.sightings, features)
    longest = max(tracks, key=lambda track: len(track.sightings), default=None)
    return Windows(clip, tuple(w.features for w in longest.windows)) if longest else None


@torch.inference_mode()
def logits(engine: Engine, windows: Windows, change: Change) -> tuple[float, float]:
    """The clip's sequence logit and its mean frame logit after a change of each window."""
    weights = np.array([len(features) for features in windows.features])
    scores = [engine.model.judge(change(features)[None]) for features in windows.features]
    sequence = np.average([float(score.sequence) for score in scores], weights=weights)
    frames = np.average([float(score.frames.mean()) for score in scores], weights=weights)
    return float(sequence), float(frames)


def area(clips: Sequence[Windows], values: Sequence[float]) -> Measured:
    outcomes = [
        Outcome(c.clip.fake, c.clip.group, c.clip.source, "", value, 0.0)
        for c, value in zip(clips, values, strict=True)
    ]
    return measured(outcomes, auc)


def measure(engine: Engine, clips: Sequence[Windows]) -> list[list[str]]:
    """A row for each change: AUC with and without the LSTM, and how far each clip's logit moved."""
    plain = [logits(engine, clip, CHANGES["as_is"]) for clip in clips]
    rows = []
    for name, change in CHANGES.items():
        changed = [logits(engine, clip, change) for clip in clips]
        moved = float(np.mean([abs(a[0] - b[0]) for a, b in zip(changed, plain, strict=True)]))
        for kind, at in (("lstm", 0), ("mean_of_frames", 1)):
            result = area(clips, [values[at] for values in changed])
            figures = [f"{v:.4f}" for v in (result.value, result.low, result.high)]
            rows.append([name, kind, *figures, f"{moved:.4f}" if at == 0 else "", str(len(clips))])
    return rows


def write_temporal(path: Path, clips: Sequence[Clip], config: DetectorConfig, facts: dict[str, str]) -> None:
    engine = engine_for(config)
    read = [read_windows(engine, clip, config) for clip in tqdm(clips, desc="time")]
    found = [windows for windows in read if windows is not None]
    if not found:
        print("No clip of this split shows a face.")
        return
    rows = measure(engine, found)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["change", "output", "auc", "low", "high", "mean_logit_moved", "clips", *facts])
        writer.writerows([*row, *facts.values()] for row in rows)
