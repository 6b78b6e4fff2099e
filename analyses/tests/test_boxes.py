from dataclasses import replace

from accounts.models import User
from analyses.boxes import boxes_of
from analyses.models import Analysis
from analyses.report import report_of
from analyses.tests.factories import make_done, make_video
from analyses.tests.results import make_rich_result


def rich(owner: User, step: int = 1) -> Analysis:
    video = make_video(owner)
    result = make_rich_result(video)
    frames = tuple(frame for frame in result.frames if frame.frame % step == 0)
    return make_done(owner, video=video, result=replace(result, frames=frames))


def test_each_window_is_a_run_of_boxes_with_their_seconds(alice: User) -> None:
    first, second = boxes_of(report_of(rich(alice)))
    runs = first.runs.split("|")
    assert [len(run.split()) for run in runs] == [30, 30, 30, 30]
    assert runs[1].split()[:2] == ["3.6,500,120,150,186", "3.64,500,120,150,186"]
    assert (second.face.track, second.runs.count("|")) == (2, 0)


def test_frames_of_a_thinned_clip_are_neighbours_all_the_same(alice: User) -> None:
    first = boxes_of(report_of(rich(alice, step=3)))[0]
    assert [len(run.split()) for run in first.runs.split("|")] == [10, 10, 10, 10]


def test_a_pause_within_a_window_ends_a_run(alice: User) -> None:
    analysis = rich(alice)
    document = analysis.document or {}
    document["frames"] = [frame for frame in document["frames"] if frame["frame"] not in (100, 101)]
    assert [len(run.split()) for run in boxes_of(report_of(analysis))[1].runs.split("|")] == [10, 18]


def test_frames_without_a_box_have_none(alice: User) -> None:
    analysis = rich(alice)
    for frame in (analysis.document or {})["frames"]:
        if frame["track"] == 2:
            del frame["box"]
    assert [entry.face.track for entry in boxes_of(report_of(analysis))] == [1]
