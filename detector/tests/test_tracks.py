"""Faces are followed from frame to frame, apart from each other, over gaps and cuts."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from detector.faces import Detection, FaceFinder, make_finder, overlap
from detector.reading import Frame
from detector.tests.scenes import Picture, scene, walk
from detector.tracks import SEARCH_EVERY, FaceTracker, Sighting, is_cut, thumbnail


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return make_finder("mtcnn")


def follow(finder: FaceFinder, frames: list[Frame]) -> list[Sighting]:
    return list(FaceTracker(finder).follow(frames))


def still(count: int, picture: Picture, *, window: int = 0, start: int = 0) -> list[Frame]:
    return [Frame(window, start + i, (start + i) / 25, picture) for i in range(count)]


def test_one_moving_face_is_one_track_seen_in_every_frame(finder: FaceFinder) -> None:
    seen = follow(finder, walk(30))
    assert {s.track for s in seen} == {1}
    assert sorted(s.frame for s in seen) == list(range(30))


def test_boxes_between_detections_move_with_the_face(finder: FaceFinder) -> None:
    seen = sorted(follow(finder, walk(30, step=4)), key=lambda s: s.frame)
    steps = np.diff([s.box[0] for s in seen])
    assert steps.mean() == pytest.approx(4, abs=0.5)
    assert steps.max() < 10


def test_a_face_that_is_followed_is_seldom_searched(finder: FaceFinder) -> None:
    tracker = FaceTracker(finder)
    list(tracker.follow(walk(30)))
    assert tracker.searched == 30 // SEARCH_EVERY + 1


def test_a_face_that_comes_into_a_window_is_found_there(finder: FaceFinder) -> None:
    both = still(14, scene([(40, 60), (380, 60)]), start=16)
    seen = follow(finder, still(16, scene([(40, 60)])) + both)
    assert Counter(s.track for s in seen) == {1: 30, 2: 14}


def test_two_faces_are_two_tracks(finder: FaceFinder) -> None:
    seen = follow(finder, still(15, scene([(40, 60), (380, 60)])))
    assert Counter(s.track for s in seen) == {1: 15, 2: 15}
    sides = {s.track: s.box[0] < 320 for s in seen}
    assert len(set(sides.values())) == 2


def test_a_face_that_leaves_ends_its_track(finder: FaceFinder) -> None:
    empty = scene([])
    frames = still(15, scene([(200, 60)])) + still(15, empty, start=15)
    assert max(s.frame for s in follow(finder, frames)) < 15


def test_a_cut_does_not_smear_one_face_over_two_shots(finder: FaceFinder) -> None:
    frames = still(10, scene([(40, 60)])) + still(10, scene([(390, 100)], shade=220), start=10)
    assert is_cut(thumbnail(frames[9].picture), thumbnail(frames[10].picture))
    for s in follow(finder, frames):
        assert (s.box[0] < 250) == (s.frame < 10)


def test_the_same_face_at_the_same_place_in_a_later_window_is_the_same_track(finder: FaceFinder) -> None:
    frames = still(10, scene([(200, 60)])) + still(10, scene([(210, 60)]), window=1, start=100)
    assert Counter(s.track for s in follow(finder, frames)) == {1: 20}


def test_no_face_gives_no_sighting(finder: FaceFinder) -> None:
    assert follow(finder, still(10, scene([]))) == []


class Scripted:
    """A finder that answers from a list."""

    def __init__(self, answers: list[list[Detection]]) -> None:
        self.answers = iter(answers)

    def find(self, picture: Picture) -> list[Detection]:
        return next(self.answers)

    def follow(self, picture: Picture, known: Sequence[Detection]) -> None:
        return None


def at(left: float) -> Detection:
    points = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32) + np.float32(left)
    return Detection((left, left, left + 100, left + 100), points, 1.0)


def test_one_missed_detection_is_bridged() -> None:
    seen = follow(Scripted([[at(50)], [], [at(60)]]), still(15, scene([])))
    assert sorted(s.frame for s in seen) == list(range(15))


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 10, 20, 20)) == 0
