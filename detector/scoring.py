"""Scores of followed faces: features of every crop, then the LSTM over each window of consecutive frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from detector.engine import Engine
from detector.result import FaceQuality
from detector.tracks import Sighting
from detector.verdict import TrackEvidence, middle


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """One face in one window: its sightings in order, their features (time, features_width) and logits."""

    sightings: tuple[Sighting, ...]
    features: Tensor
    frame_logits: tuple[float, ...]
    sequence_logit: float


@dataclass(frozen=True, slots=True)
class ScoredTrack:
    """One face over the whole clip."""

    track: int
    windows: tuple[ScoredWindow, ...]

    @property
    def sightings(self) -> list[Sighting]:
        return [seen for window in self.windows for seen in window.sightings]

    @property
    def logit(self) -> float:
        """Mean of the windows' sequence logits, each weighing as many frames as it has."""
        total = sum(len(window.sightings) for window in self.windows)
        return sum(window.sequence_logit * len(window.sightings) for window in self.windows) / total

    def evidence(self) -> TrackEvidence:
        seen = self.sightings
        quality = FaceQuality(
            face_px=round(middle([s.box[3] - s.box[1] for s in seen])),
            sharpness=middle([s.sharpness for s in seen]),
            yaw_deg=middle([s.yaw_deg for s in seen]),
        )
        first, last = seen[0].time_s, seen[-1].time_s
        return TrackEvidence(self.track, round(first, 3), round(last, 3), len(seen), self.logit, quality)


@torch.inference_mode()
def all_features(
    engine: Engine, sightings: Sequence[Sighting], batch: int, on_batch: Callable[[int], None]
) -> Tensor:
    """(n, features_width) features of the crops, ``batch`` at a time."""
    parts: list[Tensor] = []
    for start in range(0, len(sightings), batch):
        crops = np.stack([seen.crop for seen in sightings[start : start + batch]])
        parts.append(engine.model.features(engine.prepared(crops)))
        on_batch(start + len(crops))
    return torch.cat(parts) if parts else torch.empty(0, engine.model.features_width)


def score_tracks(engine: Engine, sightings: Sequence[Sighting], features: Tensor) -> list[ScoredTrack]:
    """Every track with the scores of its windows, tracks in the order in which they were first seen."""
    windows: dict[int, list[ScoredWindow]] = {}
    for places in grouped(sightings):
        picked = [sightings[i] for i in places]
        windows.setdefault(picked[0].track, []).append(score_window(engine, picked, features[places]))
    return [ScoredTrack(track, tuple(scored)) for track, scored in sorted(windows.items())]


@torch.inference_mode()
def score_window(engine: Engine, sightings: Sequence[Sighting], features: Tensor) -> ScoredWindow:
    scores = engine.model.judge(features[None])
    frames = tuple(float(v) for v in scores.frames[0])
    return ScoredWindow(tuple(sightings), features, frames, float(scores.sequence[0]))


def grouped(sightings: Sequence[Sighting]) -> Iterator[list[int]]:
    """Positions of the sightings of one track in one window, in the order of their frames."""
    groups: dict[tuple[int, int], list[int]] = {}
    for position, seen in enumerate(sightings):
        groups.setdefault((seen.track, seen.window), []).append(position)
    for _, positions in sorted(groups.items()):
        yield sorted(positions, key=lambda position: sightings[position].frame)
