"""Scores of followed faces: features of every crop, then the LSTM over each window of consecutive frames."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from detector.engine import Engine
from detector.result import FaceQuality, VideoFacts
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
    """One face over the whole clip. ``strangeness``: see ``CnnLstm.strangeness``."""

    track: int
    windows: tuple[ScoredWindow, ...]
    strangeness: float

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
            strangeness=round(self.strangeness, 2),
        )
        first, last = seen[0].time_s, seen[-1].time_s
        return TrackEvidence(self.track, round(first, 3), round(last, 3), len(seen), self.logit, quality)


class Audience(Protocol):
    """Hears what a stream has computed, on the caller's thread."""

    def begin(self, video: VideoFacts) -> None:
        """A look at a clip begins; what was heard of an earlier one no longer counts."""

    def hear(self, sightings: Sequence[Sighting], features: Tensor) -> None:
        """Further sightings with their features (n, features_width)."""


class FeatureStream:
    """Features of crops, computed on the engine's thread while the caller finds further faces."""

    def __init__(self, engine: Engine, batch: int, audience: Audience | None = None) -> None:
        self._engine = engine
        self._batch = batch
        self._audience = audience
        self._cores = 1
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()
        wait(self._parts)

    def restart(self, video: VideoFacts) -> None:
        """Forget every crop so far: those of this video follow."""
        self._drop()
        self._forget()
        if self._audience is not None:
            self._audience.begin(video)

    def _drop(self) -> None:
        for part in self._parts:
            part.cancel()

    def _forget(self) -> None:
        self._waiting: list[Sighting] = []
        self._parts: list[Future[Tensor]] = []
        self._unheard: deque[tuple[list[Sighting], Future[Tensor]]] = deque()

    def add(self, seen: Sighting) -> None:
        self._waiting.append(seen)
        if len(self._waiting) == self._batch:
            self._send()
        self._tell()

    def finish(self, on_batch: Callable[[int], None]) -> Tensor:
        """(n, features_width) features of the crops in the order in which they were added."""
        self._cores = torch.get_num_threads()
        if self._waiting:
            self._send()
        features = [torch.empty(0, self._engine.model.features_width, device=self._engine.device)]
        for part in self._parts:
            features.append(part.result())
            self._tell()
            on_batch(sum(map(len, features)))
        return torch.cat(features)

    def _send(self) -> None:
        part = self._engine.thread.submit(self._features, self._waiting)
        self._parts.append(part)
        if self._audience is not None:
            self._unheard.append((self._waiting, part))
        self._waiting = []

    def _tell(self) -> None:
        """Pass on what is ready. An error of the network is raised where features are asked for, not here."""
        while self._audience is not None and self._unheard and self._unheard[0][1].done():
            sightings, part = self._unheard.popleft()
            if part.exception() is None:
                self._audience.hear(sightings, part.result())

    def _features(self, sightings: Sequence[Sighting]) -> Tensor:
        # One core while faces are sought, whose small networks and decoder need the others.
        torch.set_num_threads(self._cores)
        return self._engine.features(crops_of(sightings), self._batch)


@contextmanager
def one_core() -> Iterator[None]:
    """Run this thread's small networks on one core: spread over all, they wait for the others' work."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def crops_of(sightings: Sequence[Sighting]) -> npt.NDArray[np.uint8]:
    """(n, 224, 224, 3) uint8 RGB."""
    return np.stack([seen.crop for seen in sightings])


def all_features(
    engine: Engine, sightings: Sequence[Sighting], batch: int, on_batch: Callable[[int], None]
) -> Tensor:
    """(n, features_width) features of the crops, ``batch`` at a time."""
    with FeatureStream(engine, batch) as stream:
        for seen in sightings:
            stream.add(seen)
        return stream.finish(on_batch)


def score_tracks(engine: Engine, sightings: Sequence[Sighting], features: Tensor) -> list[ScoredTrack]:
    """Every track with the scores of its windows, tracks in the order in which they were first seen."""
    windows: dict[int, list[ScoredWindow]] = {}
    for places in grouped(sightings):
        picked = [sightings[i] for i in places]
        windows.setdefault(picked[0].track, []).append(score_window(engine, picked, features[places]))
    return [score_track(engine, track, scored) for track, scored in sorted(windows.items())]


@torch.inference_mode()
def score_track(engine: Engine, track: int, windows: Sequence[ScoredWindow]) -> ScoredTrack:
    features = torch.cat([window.features for window in windows])
    return ScoredTrack(track, tuple(windows), float(engine.model.strangeness(features)))


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
