"""Heatmaps split the deciding model's own logit, and move when it moves."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector.codes import Verdict
from detector.config import DetectorConfig
from detector.engine import Engine, engine_for
from detector.explain import chosen, explain, heatmap, logit_map
from detector.scoring import ScoredTrack, all_features, score_tracks
from detector.tests.scenes import walk
from detector.tests.tiny import write_tiny_weights
from detector.tracks import FaceTracker
from detector.weights import Calibration

PLAIN = Calibration(1.0, 0.0, "none")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = engine_for(
        DetectorConfig(model_path=write_tiny_weights(tmp_path_factory.mktemp("weights")), device="cpu")
    )
    torch.manual_seed(1)
    torch.nn.init.normal_(engine.model.sequence_output.weight)  # a LSTM that has its say
    return engine


@pytest.fixture(scope="module")
def track(engine: Engine) -> ScoredTrack:
    sightings = list(FaceTracker(engine.finder).follow(walk(20) + walk(20, window=1, start=100)))
    features = all_features(engine, sightings, 8, lambda _: None)
    (scored,) = score_tracks(engine, sightings, features)
    return scored


def test_the_mean_of_a_map_is_the_logit_of_its_frame(engine: Engine, track: ScoredTrack) -> None:
    for window in track.windows:
        means = [logit_map(engine, window, i).mean() for i in range(len(window.sightings))]
        correction = window.sequence_logit - np.mean(window.frame_logits)
        assert means == pytest.approx([logit + correction for logit in window.frame_logits], abs=1e-4)
        assert np.mean(means) == pytest.approx(window.sequence_logit, abs=1e-4)


def test_covering_the_cell_that_speaks_loudest_for_fake_lowers_the_score(
    engine: Engine, track: ScoredTrack
) -> None:
    window = track.windows[0]
    model = engine.model
    with torch.inference_mode():
        crop = window.sightings[0].crop
        maps = model.feature_maps(engine.prepared(crop[None]))
        cells = torch.einsum("c,chw->hw", model.frame_output.weight[0], maps[0])
        loudest, quietest = int(cells.argmax()), int(cells.argmin())
        before = model.frame_output(maps.mean(dim=(2, 3)))
        without = maps.flatten(2).clone()
        without[..., loudest] = without[..., quietest]
        after = model.frame_output(without.mean(dim=2))
    assert after.item() < before.item()


def test_colour_follows_the_score_on_one_fixed_scale() -> None:
    crop = np.full((224, 224, 3), 128, np.uint8)
    warmth = [
        float(
            np.subtract(
                *heatmap(crop, np.full((7, 7), logit, np.float32), PLAIN)[112, 112, [0, 2]].astype(int)
            )
        )
        for logit in (-6.0, -2.0, 0.0, 2.0, 6.0)
    ]
    assert warmth == sorted(warmth)
    assert warmth[2] == 0


def test_a_grey_map_leaves_the_face_recognisable() -> None:
    crop = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    loud = heatmap(crop, np.full((7, 7), 50.0, np.float32), PLAIN)
    assert cv2.cvtColor(loud, cv2.COLOR_RGB2GRAY).std() > 10


@pytest.mark.parametrize(("verdict", "sign"), [(Verdict.FAKE, 1), (Verdict.REAL, -1)])
def test_the_frames_that_drove_the_verdict_are_shown(track: ScoredTrack, verdict: Verdict, sign: int) -> None:
    picked = chosen([track], track.track, verdict)
    assert len(picked) == len(track.windows)
    for window, position in picked:
        assert sign * window.frame_logits[position] == max(sign * logit for logit in window.frame_logits)


def test_evidence_is_two_images_a_frame_under_unique_names(engine: Engine, track: ScoredTrack) -> None:
    entries = list(explain(engine, [track], track.track, Verdict.FAKE, 6))
    assert (
        len({entry.crop for entry in entries} | {entry.heatmap for entry in entries}) == 2 * len(entries) == 4
    )
    for entry in entries:
        assert entry.crop_jpeg.startswith(b"\xff\xd8")
        assert entry.heatmap_png.startswith(b"\x89PNG")


def test_no_more_evidence_than_asked_for(engine: Engine, track: ScoredTrack) -> None:
    assert list(explain(engine, [track], track.track, Verdict.FAKE, 0)) == []


def test_the_engine_is_loaded_once(tmp_path: Path) -> None:
    config = DetectorConfig(model_path=write_tiny_weights(tmp_path), device="cpu")
    assert engine_for(config) is engine_for(config)
