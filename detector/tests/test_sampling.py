"""Which frames are looked at."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.sampling import Timeline, Window, plan, thinning


def timeline(count: int, gop: int = 250) -> Timeline:
    return Timeline(range(count), range(0, count, gop))


@given(
    count=st.integers(1, 5000),
    gop=st.integers(1, 400),
    fps=st.floats(0.1, 500),
    windows=st.integers(1, 16),
    length=st.integers(1, 40),
)
def test_windows_are_ordered_inside_the_clip_and_never_overlap(
    count: int, gop: int, fps: float, windows: int, length: int
) -> None:
    planned = plan(timeline(count, gop), fps, windows, length)
    assert 1 <= len(planned) <= windows
    assert planned[0].start >= 0
    assert planned[-1].last < count
    assert all(before.last < after.start for before, after in pairwise(planned))
    assert all(window.length == min(length, count) for window in planned)


def test_a_long_clip_is_looked_at_all_over() -> None:
    planned = plan(timeline(1800, gop=60), 30, 4, 30)
    assert len(planned) == 4
    for part, window in enumerate(planned):
        assert 450 * part <= window.start
        assert window.last < 450 * (part + 1)


def test_a_clip_shorter_than_a_window_gives_every_frame() -> None:
    assert plan(timeline(17), 25, 4, 30) == [Window(0, 17)]


def test_a_clip_without_frames_gives_no_window() -> None:
    assert plan(timeline(0), 25, 4, 30) == []


def test_a_clip_too_short_for_all_windows_gets_fewer() -> None:
    assert len(plan(timeline(75), 25, 4, 30)) == 2


def test_windows_start_at_a_keyframe_where_that_saves_decoding() -> None:
    planned = plan(timeline(1800, gop=250), 30, 4, 30)
    assert all(window.start % 250 == 0 for window in planned)


def test_windows_stay_in_the_middle_where_every_frame_is_a_keyframe() -> None:
    assert [w.start for w in plan(timeline(400, gop=1), 25, 4, 20)] == [40, 140, 240, 340]


def test_windows_stay_in_the_middle_where_no_keyframe_lies_ahead() -> None:
    assert [w.start for w in plan(timeline(400, gop=1000), 25, 4, 20)] == [40, 140, 240, 340]


@pytest.mark.parametrize(("fps", "step"), [(1, 1), (24, 1), (30, 1), (60, 2), (120, 4), (240, 8)])
def test_fast_clips_are_thinned_to_about_thirty_frames_a_second(fps: float, step: int) -> None:
    assert thinning(100_000, fps, 30) == step


def test_a_short_fast_clip_is_thinned_no_more_than_it_can_bear() -> None:
    (window,) = plan(timeline(100), 240, 4, 30)
    assert (window.length, window.step) == (30, 3)


def test_a_frame_is_found_by_its_timestamp() -> None:
    uneven = Timeline([0, 20, 60, 120], [0, 2])
    assert [uneven.position(stamp) for stamp in (0, 20, 60, 61)] == [0, 1, 2, 3]
    assert [uneven.key_before(place) for place in range(4)] == [0, 0, 2, 2]
