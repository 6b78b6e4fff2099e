"""The one preprocessing: where crops lie, and what they show."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from detector.config import MARGIN
from detector.crops import Placement, crop_matrix, cut, placement, sharpness, yaw_deg
from detector.faces import Detection

FACE = Detection(
    (100.0, 80.0, 180.0, 190.0),
    np.array([[120, 120], [160, 120], [140, 145], [125, 165], [155, 165]], np.float32),
    1.0,
)


def test_a_crop_is_centred_on_the_box_with_the_stated_margin() -> None:
    place = placement(FACE)
    assert (place.x, place.y, place.roll_deg) == (140, 135, 0)
    assert place.side == pytest.approx(MARGIN * 110)


def test_the_matrix_maps_the_centre_to_the_middle_and_turns_the_eyes_level() -> None:
    place = Placement(50.0, 60.0, 100.0, 30.0)
    matrix = crop_matrix(place, 224)
    middle = matrix @ np.array([50.0, 60.0, 1.0])
    along = matrix[:, :2] @ np.array([np.cos(np.radians(30)), np.sin(np.radians(30))])
    assert middle == pytest.approx([112, 112])
    assert along == pytest.approx([2.24, 0.0], abs=1e-9)


def test_a_turned_picture_gives_the_same_crop() -> None:
    picture = astronaut()
    place = Placement(224.0, 110.0, 150.0, 0.0)
    turn = cv2.getRotationMatrix2D((224, 110), -20, 1.0)
    turned = cv2.warpAffine(picture, turn, (512, 512))
    crop = cut(turned, Placement(224.0, 110.0, 150.0, 20.0)).astype(int)
    assert np.abs(crop - cut(picture, place).astype(int))[20:-20, 20:-20].mean() < 4


def test_a_crop_beyond_the_edge_repeats_the_edge() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    crop = cut(white, Placement(0.0, 0.0, 150.0, 0.0))
    assert crop.shape == (224, 224, 3)
    assert crop.min() == 255


def test_large_faces_are_averaged_and_not_aliased() -> None:
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = cut(stripes, Placement(600.0, 600.0, 1100.0, 0.0))
    assert 110 < crop[20:-20, 20:-20].min() <= crop[20:-20, 20:-20].max() < 145


def test_blur_lowers_sharpness() -> None:
    crop = cut(astronaut(), Placement(224.0, 110.0, 150.0, 0.0))
    assert sharpness(cv2.GaussianBlur(crop, (0, 0), 4)) < sharpness(crop) / 10


def test_a_nose_off_the_middle_is_a_turned_head() -> None:
    turned = FACE.landmarks.copy()
    turned[2, 0] += 24
    assert yaw_deg(FACE.landmarks) == pytest.approx(0)
    assert yaw_deg(turned) == pytest.approx(45)
