"""From a file to a result through the one door."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import detector
from detector import AnalysisResult, DetectorConfig
from detector.config import MARGIN
from detector.looking import turned_back
from detector.result import STAGES, FrameScore, VideoFacts
from detector.tests.clips import face_clip, make_five_faces, make_no_face
from detector.tests.documents import check_document
from detector.tests.tiny import write_tiny_weights


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DetectorConfig:
    """A model that calls everything fake, so that verdicts can be told apart from abstentions."""
    weights = write_tiny_weights(tmp_path_factory.mktemp("weights"), bias=3.0)
    return DetectorConfig(model_path=weights, device="cpu")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("clips") / "one.mp4", seconds=3)


@pytest.fixture(scope="module")
def result(clip: Path, config: DetectorConfig) -> AnalysisResult:
    return detector.analyze(clip, config=config)


def test_the_document_follows_the_schema(result: AnalysisResult) -> None:
    check_document(result.to_document("one.mp4"))


def test_one_person_is_one_face_with_a_score_for_each_frame_looked_at(result: AnalysisResult) -> None:
    (face,) = result.faces
    assert result.verdict == face.verdict == "fake"
    assert face.frames == len(result.frames) >= 30
    assert result.fake_probability == face.fake_probability
    assert all(0 <= score.score <= 1 for score in result.frames)


def test_frames_and_times_agree(result: AnalysisResult) -> None:
    for score in result.frames:
        assert score.time_s == pytest.approx(score.frame / 25, abs=0.02)


def test_boxes_lie_on_the_face_in_the_picture(result: AnalysisResult) -> None:
    for score in result.frames:
        left, top, width, height = score.box
        assert 0 <= left < left + width <= 640
        assert 0 <= top < top + height <= 360
        assert abs(left + width / 2 - 320) < 60


def test_the_same_clip_gives_the_same_scores_again(
    clip: Path, config: DetectorConfig, result: AnalysisResult
) -> None:
    again = detector.analyze(clip, config=config)
    assert again.frames == result.frames
    assert again.fake_probability == result.fake_probability


def test_crops_are_as_wide_as_the_card_says(
    clip: Path, config: DetectorConfig, result: AnalysisResult, tmp_path: Path
) -> None:
    weights = write_tiny_weights(tmp_path, bias=3.0)
    card = json.loads(weights.with_suffix(".json").read_text())
    card["input"]["margin"] = MARGIN / 2
    weights.with_suffix(".json").write_text(json.dumps(card))
    closer = detector.analyze(clip, config=replace(config, model_path=weights))
    assert [frame.box for frame in closer.frames] == [frame.box for frame in result.frames]
    assert closer.faces[0].quality.sharpness < result.faces[0].quality.sharpness / 2  # twice as large


def test_progress_goes_through_the_stages_and_ends_complete(clip: Path, config: DetectorConfig) -> None:
    told: list[tuple[str, int, int]] = []
    detector.analyze(clip, config=config, on_progress=lambda *now: told.append(now))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == list(STAGES)
    last = {stage: (done, total) for stage, done, total in told}
    assert last["faces"][0] == last["faces"][1] > 0
    assert last["model"][0] == last["model"][1] > 0


def test_scores_are_told_on_the_way_and_are_those_of_the_result(
    clip: Path, config: DetectorConfig, result: AnalysisResult
) -> None:
    told: list[tuple[str, float, tuple[FrameScore, ...]]] = []
    stage = ""

    def on_progress(now: str, done: int, total: int) -> None:
        nonlocal stage
        stage = now

    again = detector.analyze(
        clip,
        config=config,
        on_progress=on_progress,
        on_scores=lambda duration, scores: told.append((stage, duration, tuple(scores))),
    )
    assert again.frames == result.frames
    assert told[0][1:] == (result.video.duration_s, ())
    assert any(now == "faces" and scores for now, _, scores in told)
    heard = [score for _, _, scores in told for score in scores]
    assert [replace(score, score=0.0) for score in heard] == [replace(s, score=0.0) for s in result.frames]
    assert [score.score for score in heard] == pytest.approx([s.score for s in result.frames], abs=1e-3)


def test_the_windows_are_those_that_the_scored_frames_lie_in(result: AnalysisResult) -> None:
    (first, second) = result.windows
    assert (first.window, first.frames, second.window, second.frames) == (0, 30, 1, 30)
    assert first.last_frame == first.first_frame + 29
    assert first.last_s == pytest.approx(first.last_frame / 25, abs=0.02)
    inside = {*range(first.first_frame, first.last_frame + 1)}
    inside |= {*range(second.first_frame, second.last_frame + 1)}
    assert {score.frame for score in result.frames} <= inside


@pytest.mark.parametrize("stage", ["faces", "model", "explain"])
def test_a_stop_ends_it_in_any_stage(clip: Path, config: DetectorConfig, stage: str) -> None:
    seen: list[str] = []
    with pytest.raises(detector.AnalysisError) as caught:
        detector.analyze(
            clip,
            config=config,
            on_progress=lambda now, _done, _total: seen.append(now),
            should_stop=lambda: stage in seen,
        )
    assert caught.value.code == "cancelled"


def test_five_people_are_five_faces(tmp_path: Path, config: DetectorConfig) -> None:
    result = detector.analyze(make_five_faces(tmp_path / "five.mp4"), config=config)
    check_document(result.to_document("five.mp4"))
    assert len([face for face in result.faces if face.frames >= 12]) == 5


def test_no_face_is_a_result_and_not_an_error(tmp_path: Path, config: DetectorConfig) -> None:
    result = detector.analyze(make_no_face(tmp_path / "wall.mp4"), config=config)
    check_document(result.to_document("wall.mp4"))
    assert (result.verdict, result.fake_probability, result.reasons) == ("inconclusive", None, ("no_face",))
    assert result.evidence == ()


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_clip_filmed_sideways_is_looked_at_turned(
    tmp_path: Path, config: DetectorConfig, rotation: int
) -> None:
    """The pictures lie on their side and the container does not say so."""
    import numpy as np

    from detector.tests.clips import Scene, write_clip

    pictures = (np.rot90(Scene().picture(n), rotation // 90) for n in range(40))
    told: list[FrameScore] = []

    def on_scores(_duration: float, scores: Sequence[FrameScore]) -> None:
        told.extend(scores)
        if not scores:
            told.clear()

    path = write_clip(tmp_path / "side.mp4", pictures)
    result = detector.analyze(path, config=config, on_scores=on_scores)
    check_document(result.to_document("side.mp4"))
    assert result.verdict == "fake"
    assert [score.box for score in told] == [score.box for score in result.frames]
    for score in result.frames:
        left, top, width, height = score.box
        assert abs(left + width / 2 - result.video.width / 2) < 60
        assert abs(top + height / 2 - result.video.height / 2) < 60


def test_a_turned_look_that_shows_no_more_leaves_the_first_one_whole(
    clip: Path, config: DetectorConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looks show a face too seldom to be judged: what was computed belongs to the look that counts."""
    monkeypatch.setattr("detector.looking.any_followed", lambda sightings: False)
    monkeypatch.setattr("detector.looking.best_turn", lambda samples, finder: 2)
    result = detector.analyze(clip, config=config)
    assert len(result.frames) >= 30
    check_document(result.to_document("one.mp4"))


def test_a_box_is_turned_back_with_the_picture() -> None:
    video = VideoFacts("", "mp4", "h264", 100, 40, 25.0, 1.0, 25, 0)
    for turns in (1, 2, 3):
        width, height = (40, 100) if turns % 2 else (100, 40)
        assert turned_back((0, 0, width, height), turns, video) == (0, 0, 100, 40)
    # The picture's top right corner comes to the top left by a quarter turn counter-clockwise.
    assert turned_back((0, 0, 10, 20), 1, video) == (80, 0, 100, 10)


def test_evidence_points_at_scored_frames(result: AnalysisResult) -> None:
    scored = {(score.track, score.frame) for score in result.frames}
    assert result.evidence
    assert {(entry.track, entry.frame) for entry in result.evidence} <= scored


def test_stability_scores_the_clip_compressed_and_scaled(clip: Path, config: DetectorConfig) -> None:
    result = detector.analyze(clip, config=replace(config, stability=True))
    check_document(result.to_document("one.mp4"))
    assert result.stability is not None
    assert [variant.name for variant in result.stability.variants] == ["crf32", "half_size"]
    assert result.stability.stable


def test_progress_with_the_stability_check_never_goes_back(clip: Path, config: DetectorConfig) -> None:
    told: list[tuple[int, int]] = []
    config = replace(config, stability=True)
    detector.analyze(
        clip, config=config, on_progress=lambda *now: told.append(now[1:]) if now[0] == "model" else None
    )
    assert told == sorted(told)
    assert len({total for _, total in told}) == 1
    assert told[-1][0] == told[-1][1]


def test_the_longest_side_of_memory_is_the_windows_and_not_the_clip(
    tmp_path: Path, config: DetectorConfig
) -> None:
    long = face_clip(tmp_path / "long.mp4", seconds=20, size=(320, 180))
    result = detector.analyze(long, config=config)
    assert result.video.frames == 500
    assert len(result.frames) == config.windows * config.sequence_length
