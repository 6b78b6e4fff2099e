"""Both face finders on a real face, on nothing, and on a large picture."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from detector.faces import Detection, FaceFinder, make_finder, overlap, reduced

FACE = (175, 65, 275, 190)  # around the astronaut's face, by eye


@pytest.fixture(scope="module", params=["mtcnn", "haar"])
def finder(request: pytest.FixtureRequest) -> FaceFinder:
    return make_finder(request.param)


def test_finds_the_one_face_where_it_is(finder: FaceFinder) -> None:
    (found,) = finder.find(astronaut())
    left, top, right, bottom = found.box
    assert abs((left + right) / 2 - (FACE[0] + FACE[2]) / 2) < 20
    assert abs((top + bottom) / 2 - (FACE[1] + FACE[3]) / 2) < 20
    assert found.landmarks[0, 0] < found.landmarks[1, 0]
    assert found.landmarks[0, 1] < found.landmarks[3, 1]


def test_no_face_is_an_empty_list(finder: FaceFinder) -> None:
    ramp = np.tile(np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None], (360, 1, 3))
    assert finder.find(ramp) == []


def test_a_large_picture_is_searched_small_but_measured_full_size(finder: FaceFinder) -> None:
    large = cv2.resize(astronaut(), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    (found,) = finder.find(large)
    (small,) = finder.find(astronaut())
    assert found.height == pytest.approx(4 * small.height, rel=0.12)


def test_small_pictures_are_not_scaled_up() -> None:
    picture = astronaut()
    assert reduced(picture)[0] is picture


def test_a_moved_face_is_followed_to_where_a_search_finds_it() -> None:
    finder = make_finder("mtcnn")
    before = finder.find(astronaut())
    moved = np.roll(astronaut(), (6, 10), axis=(0, 1))
    (searched,) = finder.find(moved)
    followed = finder.follow(moved, before)
    assert followed is not None
    assert overlap(followed[0].box, searched.box) > 0.85
    assert np.abs(followed[0].landmarks - searched.landmarks).max() < 0.05 * searched.height


def test_following_gives_up_where_the_face_is_gone_or_two_have_become_one() -> None:
    finder = make_finder("mtcnn")
    (face,) = finder.find(astronaut())
    assert finder.follow(np.full_like(astronaut(), 90), [face]) is None
    left, top, right, bottom = face.box
    beside = Detection((left + 8, top, right + 8, bottom), face.landmarks, 1.0)
    assert finder.follow(astronaut(), [face, beside]) is None


def test_a_face_that_left_the_picture_is_not_followed() -> None:
    outside = Detection((-900.0, -900.0, -800.0, -780.0), np.zeros((5, 2), np.float32), 1.0)
    assert make_finder("mtcnn").follow(astronaut(), [outside]) is None
