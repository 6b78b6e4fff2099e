import pytest

from accounts.models import User
from analyses.detection import AnalysisResult
from analyses.models import Analysis
from analyses.report import report_of
from analyses.tests.factories import make_done, make_result, make_video
from analyses.tests.results import make_rich_result
from analyses.timeline import MIN_RUN_WIDTH, WIDTH, Timeline, score_y, timeline_of
from detector.result import FrameScore


def done(owner: User, rich: bool = False, scores: tuple[float, ...] = (0.5,)) -> Analysis:
    video = make_video(owner)
    result: AnalysisResult = make_rich_result(video) if rich else make_result(video, scores=scores)
    return make_done(owner, video=video, result=result)


@pytest.fixture
def rich(alice: User) -> Timeline:
    return timeline_of(report_of(done(alice, rich=True)))


def test_each_window_is_one_run_where_it_was_looked_at(rich: Timeline) -> None:
    runs = rich.strips[0].runs
    assert [run.place.x for run in runs] == [0.0, 300.0, 600.0, 900.0]
    assert {round(run.place.width) for run in runs} == {97}
    assert [(run.place.first_s, run.place.last_s) for run in runs][:2] == [(0.0, 1.16), (3.6, 4.76)]


def test_where_only_another_face_was_scored_this_one_was_looked_for_and_not_seen(rich: Timeline) -> None:
    first, second = rich.strips
    assert first.unseen == ()
    assert [(part.first_s, part.last_s) for part in second.unseen] == [
        (0.0, 1.16),
        (7.2, 8.36),
        (10.8, 11.96),
    ]
    assert [part.x for part in second.unseen] == [0.0, 600.0, 900.0]
    assert second.description.endswith(
        "Looked for and not seen: 0:00.0 to 0:01.2, 0:07.2 to 0:08.4, 0:10.8 to 0:12.0."
    )
    assert rich.has_unseen


def test_a_face_that_leaves_within_a_window_is_unseen_from_then_on(alice: User) -> None:
    analysis = done(alice, rich=True)
    document = analysis.document or {}
    document["frames"] = [f for f in document["frames"] if f["track"] == 1 or 100 <= f["frame"] < 110]
    second = timeline_of(report_of(analysis)).strips[1]
    assert [(part.first_s, part.last_s) for part in second.unseen][1:3] == [(3.6, 4.0), (4.36, 4.76)]


def test_a_face_that_is_alone_leaves_nothing_to_say_about_the_rest(alice: User) -> None:
    timeline = timeline_of(report_of(done(alice, scores=(0.5,) * 8)))
    assert not timeline.has_unseen


def test_a_path_goes_through_every_score(rich: Timeline) -> None:
    path = rich.strips[0].runs[2].path
    assert path.startswith("M600")
    assert path.count("L") == 29
    assert f"{195 / 300 * WIDTH:.1f} 1.0" in path


def test_scores_rise_to_the_top() -> None:
    assert (score_y(1), score_y(0.7), score_y(0)) == (0, 30, 100)


def test_a_lone_frame_is_wide_enough_to_be_seen_and_drawn_as_a_dot(alice: User) -> None:
    strip = timeline_of(report_of(done(alice, scores=(0.5,)))).strips[0]
    assert len(strip.runs) == 1
    assert strip.runs[0].place.width == MIN_RUN_WIDTH
    assert strip.runs[0].path == "M0.0 50.0L0.0 50.0"


def test_frames_far_apart_but_even_are_one_run(alice: User) -> None:
    """A clip with one frame a second has no gaps only because its frames are far apart."""
    strip = timeline_of(report_of(done(alice, scores=(0.5,) * 8))).strips[0]
    assert len(strip.runs) == 1


def test_ticks_are_round_and_stay_inside(rich: Timeline) -> None:
    assert [(t.label, t.percent) for t in rich.ticks] == [("0:00", 0.0), ("0:05", 41.67), ("0:10", 83.33)]
    assert rich.ticks[0].anchor == "start"


def test_frames_behind_the_containers_end_stretch_the_time(alice: User) -> None:
    analysis = done(alice, scores=(0.5,) * 8)
    document = analysis.document or {}
    late = FrameScore(900, 36.0, 1, (0, 0, 90, 120), 0.4)
    document["frames"].append({"frame": late.frame, "time_s": late.time_s, "track": 1, "score": late.score})
    report = report_of(analysis)
    assert report.duration_s == 36.0
    assert timeline_of(report).strips[0].runs[-1].place.x == WIDTH - MIN_RUN_WIDTH


def test_areas_are_coloured_by_the_frames_above_them_and_meet_halfway(alice: User) -> None:
    (run,) = timeline_of(report_of(done(alice, scores=(0.9, 0.9, 0.5, 0.1)))).strips[0].runs
    assert [area.zone for area in run.areas] == ["fake", "inconclusive", "real"]
    assert run.areas[0].path == "M0.0 100L0.0 10.0L100.0 10.0L150.0 30.0L150.0 100Z"
    assert run.areas[1].path.startswith("M150.0 100L150.0 30.0L200.0 50.0L")


def test_a_short_window_of_a_long_clip_is_drawn_over_its_whole_width(alice: User) -> None:
    analysis = done(alice, rich=True)
    (analysis.document or {})["video"]["duration_s"] = 600.0
    run = timeline_of(report_of(analysis)).strips[0].runs[1]
    assert run.place.width == MIN_RUN_WIDTH
    assert run.path.startswith(f"M{run.place.x} ")
    assert f"L{run.place.x + MIN_RUN_WIDTH:.1f} " in run.path


def test_what_was_not_looked_at_lies_between_the_windows(rich: Timeline) -> None:
    assert [part.label for part in rich.skipped] == [
        "0:01.2 to 0:03.6",
        "0:04.8 to 0:07.2",
        "0:08.4 to 0:10.8",
    ]


def test_a_window_without_any_face_is_unseen_by_all(alice: User) -> None:
    analysis = done(alice, rich=True)
    document = analysis.document or {}
    document["frames"] = [frame for frame in document["frames"] if frame["frame"] < 270]
    timeline = timeline_of(report_of(analysis))
    assert [strip.unseen[-1].first_s for strip in timeline.strips] == [10.8, 10.8]
