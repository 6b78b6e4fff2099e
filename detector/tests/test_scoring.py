"""Features of crops come in the order of the crops, whatever was computed meanwhile."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from detector.config import DetectorConfig
from detector.engine import Engine, engine_for
from detector.result import VideoFacts
from detector.scoring import FeatureStream, crops_of, one_core
from detector.tests.scenes import walk
from detector.tracks import FaceTracker, Sighting

VIDEO = VideoFacts("", "mp4", "h264", 640, 360, 25.0, 0.4, 10, 0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_for(DetectorConfig())


@pytest.fixture(scope="module")
def sightings(engine: Engine) -> list[Sighting]:
    return list(FaceTracker(engine.finder).follow(walk(10)))


def test_streamed_features_are_those_of_one_pass(engine: Engine, sightings: list[Sighting]) -> None:
    done: list[int] = []
    with FeatureStream(engine, 4) as stream:
        for seen in sightings:
            stream.add(seen)
        features = stream.finish(done.append)
    assert done[-1] == len(sightings)
    assert torch.allclose(features, engine.features(crops_of(sightings)), atol=2e-3)


def test_a_restarted_stream_forgets(engine: Engine, sightings: list[Sighting]) -> None:
    with FeatureStream(engine, 2) as stream:
        for seen in sightings[:5]:
            stream.add(seen)
        stream.restart(VIDEO)
        for seen in sightings[5:]:
            stream.add(seen)
        features = stream.finish(lambda _: None)
    assert torch.allclose(features, engine.features(crops_of(sightings[5:])), atol=2e-3)


@dataclass
class Notes:
    """Writes down what it hears."""

    heard: list[tuple[int, int]] = field(default_factory=list)
    begun: int = 0

    def begin(self, video: VideoFacts) -> None:
        self.begun += 1
        self.heard = []

    def hear(self, sightings: Sequence[Sighting], features: torch.Tensor) -> None:
        self.heard += [(seen.frame, len(row)) for seen, row in zip(sightings, features, strict=True)]


def test_an_audience_hears_of_every_crop_once_and_of_none_before_a_restart(
    engine: Engine, sightings: list[Sighting]
) -> None:
    notes = Notes()
    with FeatureStream(engine, 3, notes) as stream:
        for seen in sightings[:4]:
            stream.add(seen)
        stream.restart(VIDEO)
        for seen in sightings:
            stream.add(seen)
        stream.finish(lambda _: None)
    assert notes.begun == 1
    assert notes.heard == [(seen.frame, engine.model.features_width) for seen in sightings]


def test_every_stream_computes_on_the_one_thread_of_its_engine(
    engine: Engine, sightings: list[Sighting], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    features = Engine.features

    def watched(self: Engine, crops: npt.NDArray[np.uint8], batch: int = 0) -> torch.Tensor:
        threads.add(threading.get_ident())
        return features(self, crops, batch)

    monkeypatch.setattr(Engine, "features", watched)
    for _ in range(2):
        with FeatureStream(engine, 1) as stream:
            stream.add(sightings[0])
            stream.finish(lambda _: None)
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_on_a_gpu_the_last_crops_are_filled_up_to_a_batch(
    engine: Engine, sightings: list[Sighting], monkeypatch: pytest.MonkeyPatch
) -> None:
    crops, sizes = crops_of(sightings[:3]), []
    alone = engine.features(crops, batch=8)

    def on_the_cpu(_: Engine, filled: npt.NDArray[np.uint8]) -> torch.Tensor:
        sizes.append(len(filled))
        return prepared(engine, filled)

    prepared = Engine.prepared
    monkeypatch.setattr(Engine, "prepared", on_the_cpu)
    full = replace(engine, device=torch.device("cuda")).features(crops, batch=8)
    assert sizes == [8]
    assert torch.allclose(full, alone, atol=2e-3)


def test_an_error_of_the_network_reaches_the_caller(engine: Engine, sightings: list[Sighting]) -> None:
    with FeatureStream(engine, 4) as stream:
        stream.add(replace(sightings[0], crop=np.zeros((3, 3), np.uint8)))
        with pytest.raises((ValueError, RuntimeError, IndexError)):
            stream.finish(lambda _: None)


def test_one_core_gives_the_cores_back() -> None:
    usual = torch.get_num_threads()
    with one_core():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == usual
