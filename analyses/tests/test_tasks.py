"""The job, with the real detector in its real child process and a tiny model."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from analyses import claims, services
from analyses.evidence import open_evidence
from analyses.exports import result_json
from analyses.heartbeat import Heartbeat
from analyses.live import live_duration_s, live_points
from analyses.models import Analysis, State
from analyses.supervision import Supervisor
from analyses.tasks import run_analysis, run_copy
from analyses.tests.children import die_warming_up
from analyses.tests.factories import make_analysis
from detector import DetectorConfig
from detector.tests.clips import face_clip, make_corrupt, make_no_face
from detector.tests.documents import check_document

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
Trap = Callable[[Callable[[Analysis], None]], None]


def run(analysis: Analysis) -> Analysis:
    run_analysis(str(analysis.uuid))
    return Analysis.objects.with_video().get(pk=analysis.pk)


@pytest.fixture
def at_progress(monkeypatch: pytest.MonkeyPatch) -> Trap:
    """Do something at the first progress of every attempt, while the child works on."""

    def set_trap(action: Callable[[Analysis], None]) -> None:
        def sprung(heart: Heartbeat, stage: str, done: int, total: int) -> None:
            if stage == "probe":
                action(heart._analysis)

        monkeypatch.setattr(Heartbeat, "on_progress", sprung)

    return set_trap


def kill(child: Supervisor, how: signal.Signals = signal.SIGKILL) -> None:
    assert child.pid is not None
    os.kill(child.pid, how)


@pytest.mark.usefixtures("child")
def test_a_clip_becomes_a_checked_result_with_images(alice: User, clip: Path) -> None:
    analysis = run(make_analysis(alice, name="clip.mp4", content=clip.read_bytes()))
    assert (analysis.state, analysis.failure, analysis.attempts) == (State.DONE, "", 0)
    document = result_json(analysis)
    check_document(document)
    assert document["path"] == "clip.mp4"
    assert document["video"]["sha256"] == analysis.video.sha256
    assert len(document["frames"]) >= 20
    for entry in document["evidence"]:
        assert open_evidence(analysis, entry["crop"]).read(2) == b"\xff\xd8"
        assert open_evidence(analysis, entry["heatmap"]).read(4) == b"\x89PNG"


def test_one_child_serves_every_model_and_checks_stability_where_asked(
    alice: User, clip: Path, child: Supervisor
) -> None:
    content, pids, models = clip.read_bytes(), set(), []
    for asked in ({"stability": True}, {"backbone": "efficientnet"}, {}):
        analysis = run(make_analysis(alice, content=content, **asked))
        assert analysis.document is not None
        assert (analysis.document["stability"] is not None) == analysis.stability
        models.append(analysis.model_name)
        pids.add(child.pid)
    assert models == ["tiny_lstm", "efficientnet_lstm", "tiny_lstm"]
    assert len(pids) == 1


@pytest.mark.usefixtures("child")
def test_a_model_that_the_detector_does_not_know_fails_the_analysis_with_its_code(
    alice: User, clip: Path
) -> None:
    analysis = run(make_analysis(alice, content=clip.read_bytes(), backbone="vgg"))
    assert (analysis.state, analysis.failure) == (State.FAILED, "no_weights")


@pytest.mark.usefixtures("child")
def test_a_clip_without_a_face_is_a_result_and_no_failure(alice: User, tmp_path: Path) -> None:
    clip = make_no_face(tmp_path / "wall.mp4")
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.verdict) == (State.DONE, "inconclusive")
    assert [code for code, _ in analysis.reasons] == ["no_face"]


@pytest.mark.usefixtures("child")
def test_a_damaged_file_fails_with_its_code_and_without_a_second_attempt(alice: User, tmp_path: Path) -> None:
    clip = make_corrupt(tmp_path / "noise.mp4")
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.failure, analysis.attempts) == (State.FAILED, "unreadable", 0)
    check_document(result_json(analysis))


@pytest.mark.usefixtures("child")
def test_a_second_delivery_does_nothing(alice: User, clip: Path) -> None:
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    again = run(analysis)
    assert (again.state, again.finished_at) == (State.DONE, analysis.finished_at)


def test_a_clip_that_kills_the_child_twice_fails_and_the_next_one_runs(
    alice: User, clip: Path, child: Supervisor, at_progress: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_progress(lambda analysis: kill(child))
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.failure, analysis.attempts) == (State.FAILED, "crashed", 2)

    monkeypatch.undo()
    assert run(make_analysis(alice, content=clip.read_bytes())).state == State.DONE


def test_a_clip_that_overruns_twice_fails_as_timed_out(
    alice: User, clip: Path, child: Supervisor, at_progress: Trap, settings: Settings
) -> None:
    settings.ANALYSIS_TIMEOUT_S = 0.5
    at_progress(lambda analysis: kill(child, signal.SIGSTOP))
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.failure, analysis.attempts) == (State.FAILED, "timed_out", 2)


def test_a_child_that_does_not_even_warm_up_is_not_held_against_the_clip(
    queued: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Supervisor(die_warming_up, "warm up")
    monkeypatch.setattr("analyses.inference.supervisor", lambda: broken)
    analysis = run(queued)
    broken.close()
    assert (analysis.state, analysis.attempts, analysis.losses) == (State.QUEUED, 0, 1)


def look_at_everything(settings: Settings) -> None:
    config: DetectorConfig = settings.DETECTOR
    settings.DETECTOR = replace(config, windows=20)


def test_a_cancelled_analysis_ends_promptly_and_the_child_stays(
    alice: User, long_clip: Path, child: Supervisor, at_progress: Trap, settings: Settings
) -> None:
    look_at_everything(settings)
    before: list[int | None] = []

    def cancel(analysis: Analysis) -> None:
        before.append(child.pid)
        services.request_cancel(analysis=Analysis.objects.get(pk=analysis.pk))

    at_progress(cancel)
    analysis = run(make_analysis(alice, content=long_clip.read_bytes()))
    assert (analysis.state, analysis.failure) == (State.CANCELLED, "cancelled")
    assert before == [child.pid]


def test_an_analysis_deleted_while_it_runs_stops_and_leaves_nothing(
    alice: User, long_clip: Path, at_progress: Trap, settings: Settings, child: Supervisor
) -> None:
    look_at_everything(settings)
    at_progress(lambda analysis: services.delete_analysis(analysis=analysis))
    run_analysis(str(make_analysis(alice, content=long_clip.read_bytes()).uuid))
    assert not Analysis.objects.exists()
    assert not (Path(settings.MEDIA_ROOT) / "evidence").exists()


def test_progress_reaches_the_row_while_it_runs(
    alice: User, long_clip: Path, child: Supervisor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_everything(settings)
    written: list[tuple[str, int, int]] = []
    real = claims.record_progress

    def record(*, analysis: Analysis, stage: str, done: int, total: int) -> bool:
        written.append((stage, done, total))
        return real(analysis=analysis, stage=stage, done=done, total=total) and len(written) < 4

    monkeypatch.setattr(claims, "record_progress", record)
    run(make_analysis(alice, content=long_clip.read_bytes()))
    assert any(stage == "faces" and 0 < done <= total for stage, done, total in written)


def test_scores_reach_the_row_while_it_runs_and_leave_it_at_the_end(
    alice: User, long_clip: Path, child: Supervisor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_everything(settings)
    monkeypatch.setattr("analyses.heartbeat.SCORES_EVERY_S", 0.0)
    written: list[Analysis] = []
    real = claims.record_live_scores

    def record(*, analysis: Analysis, scores: dict[str, object]) -> None:
        real(analysis=analysis, scores=scores)
        written.append(Analysis.objects.get(pk=analysis.pk))

    monkeypatch.setattr(claims, "record_live_scores", record)
    analysis = run(make_analysis(alice, content=long_clip.read_bytes()))
    assert (analysis.state, analysis.live_scores) == (State.DONE, None)
    counts = [len(live_points(row)) for row in written]
    assert counts == sorted(counts)
    assert 0 < counts[-1] <= len((analysis.document or {})["frames"])
    assert live_duration_s(written[-1]) == (analysis.document or {})["video"]["duration_s"]
    told = {(frame["track"], frame["time_s"]) for frame in (analysis.document or {})["frames"]}
    assert {(point.track, point.time_s) for point in live_points(written[-1])} <= told


@pytest.mark.usefixtures("child")
def test_a_result_that_cannot_be_right_is_a_crash_and_is_raised(
    alice: User, clip: Path, tmp_path: Path
) -> None:
    analysis = make_analysis(alice, content=clip.read_bytes())
    face_clip(tmp_path / "other.mp4", seconds=1).replace(analysis.video.file.path)
    with pytest.raises(ValueError, match="no longer the one"):
        run_analysis(str(analysis.uuid))
    analysis.refresh_from_db()
    assert (analysis.state, analysis.failure) == (State.FAILED, "crashed")


def test_weights_that_are_gone_fail_the_analysis_with_their_code(
    alice: User, clip: Path, child: Supervisor, settings: Settings, tmp_path: Path
) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "gone.safetensors")
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.failure) == (State.FAILED, "no_weights")


@pytest.mark.usefixtures("child")
def test_a_clip_that_browsers_cannot_play_gets_a_copy_that_they_can(alice: User, tmp_path: Path) -> None:
    clip = face_clip(tmp_path / "old.avi", seconds=1.4, size=(320, 240), codec="mpeg4")
    analysis = run(make_analysis(alice, name="old.avi", content=clip.read_bytes()))
    assert analysis.state == State.DONE
    assert Path(analysis.video.proxy.path).read_bytes()[4:8] == b"ftyp"
    assert Path(analysis.video.file.path).read_bytes() == clip.read_bytes()
    assert not analysis.awaits_proxy


@pytest.mark.usefixtures("child")
def test_while_the_copy_is_made_the_result_stands_and_says_so(
    alice: User, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = make_analysis(alice, content=clip.read_bytes())
    seen: list[tuple[str, bool]] = []

    @contextmanager
    def watched(path: Path) -> Iterator[None]:
        row = Analysis.objects.with_video().get(pk=analysis.pk)
        seen.append((row.state, row.awaits_proxy))
        yield None

    monkeypatch.setattr("analyses.tasks.playable_copy", watched)
    assert not run(analysis).awaits_proxy
    assert seen == [(State.DONE, True)]


@pytest.mark.usefixtures("child")
def test_a_clip_that_browsers_can_play_needs_no_copy(alice: User, clip: Path) -> None:
    assert not run(make_analysis(alice, content=clip.read_bytes())).video.proxy


@pytest.mark.usefixtures("child")
def test_a_copy_that_cannot_be_made_does_not_take_the_result_back(
    alice: User, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr("analyses.tasks.playable_copy", broken)
    analysis = run(make_analysis(alice, content=clip.read_bytes()))
    assert (analysis.state, analysis.awaits_proxy) == (State.DONE, False)


@pytest.mark.usefixtures("child")
def test_another_worker_makes_the_copy_that_was_left_unmade(alice: User, tmp_path: Path) -> None:
    clip = face_clip(tmp_path / "old.avi", seconds=1.4, size=(320, 240), codec="mpeg4")
    analysis = make_analysis(alice, name="old.avi", content=clip.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analyses.tasks.make_proxy", lambda *_: None)  # the worker ends here
        run(analysis)
    run_copy(str(analysis.uuid))
    row = Analysis.objects.with_video().get(pk=analysis.pk)
    assert Path(row.video.proxy.path).read_bytes()[4:8] == b"ftyp"
    assert not row.awaits_proxy
    made = row.video.proxy.name
    run_copy(str(analysis.uuid))
    assert Analysis.objects.with_video().get(pk=analysis.pk).video.proxy.name == made
