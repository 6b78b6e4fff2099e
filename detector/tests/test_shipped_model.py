"""The shipped weights on clips whose truth is known, because the tests make them."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import detector
from detector import AnalysisResult, DetectorConfig
from detector.engine import engine_for
from detector.explain import logit_map
from detector.faces import make_finder
from detector.reading import Frame
from detector.scoring import ScoredWindow, all_features, score_tracks
from detector.tests.clips import Scene, face_clip
from detector.tests.documents import check_document
from detector.tracks import FaceTracker

pytestmark = pytest.mark.slow
CONFIG = DetectorConfig(device="cpu")


def analysed(path: Path) -> AnalysisResult:
    result = detector.analyze(path, config=CONFIG)
    check_document(result.to_document(path.name))
    return result


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> AnalysisResult:
    return analysed(face_clip(tmp_path_factory.mktemp("real") / "real.mp4", size=(640, 480)))


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> AnalysisResult:
    return analysed(face_clip(tmp_path_factory.mktemp("forged") / "forged.mp4", size=(640, 480), fake=True))


def test_a_forged_face_scores_far_above_the_same_face_untouched(
    real: AnalysisResult, forged: AnalysisResult
) -> None:
    assert real.fake_probability is not None
    assert forged.fake_probability is not None
    assert forged.fake_probability > real.fake_probability + 0.3


def test_the_untouched_face_is_not_called_fake(real: AnalysisResult) -> None:
    assert real.verdict != "fake"


def test_the_forged_face_is_called_fake(forged: AnalysisResult) -> None:
    assert forged.verdict == "fake"


def test_one_forged_face_among_five_makes_the_clip_fake(tmp_path: Path) -> None:
    clip = face_clip(tmp_path / "five.mp4", faces=5, fake=True, size=(1600, 360), seconds=1.4)
    result = analysed(clip)
    highest = max(result.faces, key=lambda face: face.fake_probability or 0)
    rightmost = max(result.frames, key=lambda score: score.box[0])
    assert highest.track == rightmost.track  # the maker of the clip forges the last one
    assert result.verdict == "fake"


@cache
def windows_of(fake: bool) -> ScoredWindow:
    """One window of the astronaut, forged or not, straight from memory."""
    engine = engine_for(CONFIG)
    scene = Scene((640, 480), 1, fake)
    frames = [Frame(0, n, n / 25, scene.picture(n)) for n in range(20)]
    sightings = list(FaceTracker(make_finder("mtcnn")).follow(frames))
    features = all_features(engine, sightings, 8, lambda _: None)
    (track,) = score_tracks(engine, sightings, features)
    return track.windows[0]


def test_the_heatmap_lights_up_where_the_face_was_forged() -> None:
    """The forged part is the middle of the crop; its cells must gain more than those at the edge."""
    engine = engine_for(CONFIG)
    gained = np.mean(
        [
            logit_map(engine, windows_of(True), at) - logit_map(engine, windows_of(False), at)
            for at in (3, 9, 15)
        ],
        axis=0,
    )
    edge = np.ones((7, 7), bool)
    edge[1:6, 1:6] = False
    assert gained[2:5, 2:5].mean() > 0
    assert gained[2:5, 2:5].mean() > 2 * gained[edge].mean()


def test_the_heatmap_moves_with_the_score() -> None:
    engine = engine_for(CONFIG)
    forged, real = windows_of(True), windows_of(False)
    for window in (forged, real):
        logits = np.array(window.frame_logits)
        maps = np.array([logit_map(engine, window, at).mean() for at in range(len(logits))])
        assert np.corrcoef(maps, logits)[0, 1] > 0.999
