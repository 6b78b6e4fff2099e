"""Face crops: the one preprocessing of training, evaluation and serving.

A crop made differently from training's takes a detector's AUC to one half, so nobody else cuts faces.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detector.config import MARGIN
from detector.faces import Detection

CROP_PX = 224


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a crop lies: centre and side in pixels of the picture, roll in degrees (positive: clockwise)."""

    x: float
    y: float
    side: float
    roll_deg: float

    def blend(self, other: "Placement", weight: float) -> "Placement":
        """The placement ``weight`` of the way from this one to the other."""
        keep = 1 - weight
        return Placement(
            keep * self.x + weight * other.x,
            keep * self.y + weight * other.y,
            keep * self.side + weight * other.side,
            keep * self.roll_deg + weight * other.roll_deg,
        )


def placement(detection: Detection, margin: float = MARGIN) -> Placement:
    """The square around a detected face, turned so that the eyes are level."""
    left, top, right, bottom = detection.box
    across = detection.landmarks[1] - detection.landmarks[0]
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    side = margin * max(detection.width, detection.height)
    return Placement((left + right) / 2, (top + bottom) / 2, side, float(np.clip(roll, -45, 45)))


def crop_matrix(place: Placement, size: int) -> npt.NDArray[np.float64]:
    """The 2x3 affine matrix that maps picture pixels to pixels of a ``size`` x ``size`` crop."""
    scale = size / place.side
    turn = np.radians(place.roll_deg)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    half = size / 2
    return np.array(
        [
            [cos, sin, half - cos * place.x - sin * place.y],
            [-sin, cos, half + sin * place.x - cos * place.y],
        ]
    )


def cut(picture: npt.NDArray[np.uint8], place: Placement, size: int = CROP_PX) -> npt.NDArray[np.uint8]:
    """The face as (size, size, 3) uint8 RGB. What lies outside the picture repeats its edge.

    Faces of more than twice the crop's size are first averaged down, since bilinear sampling alone would
    alias exactly the fine detail that the detector reads.
    """
    shrink = max(1, int(place.side / size))
    region, offset = _region(picture, place, shrink)
    if shrink > 1:
        height, width = region.shape[:2]
        region = np.asarray(
            cv2.resize(region, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA), np.uint8
        )
    moved = Placement(
        (place.x - offset[0]) / shrink, (place.y - offset[1]) / shrink, place.side / shrink, place.roll_deg
    )
    warped = cv2.warpAffine(
        region,
        crop_matrix(moved, size),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)


def _region(
    picture: npt.NDArray[np.uint8], place: Placement, shrink: int
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """The part of the picture that the turned square touches, in multiples of shrink, and its offset."""
    turn = np.radians(place.roll_deg)
    reach = place.side / 2 * (abs(np.cos(turn)) + abs(np.sin(turn))) + 2 * shrink
    (left, right), (top, bottom) = (
        _span(middle - reach, middle + reach, length, shrink)
        for middle, length in ((place.x, picture.shape[1]), (place.y, picture.shape[0]))
    )
    return picture[top:bottom, left:right], (left, top)


def _span(low: float, high: float, length: int, step: int) -> tuple[int, int]:
    """Whole pixels from low to high inside 0 to length, a multiple of step of them where that many exist."""
    begin = int(np.clip(low, 0, max(0, length - step)))
    end = int(np.clip(np.ceil(high), begin + 1, length))
    return begin, max(end - (end - begin) % step, begin + min(step, length - begin))


def sharpness(crop: npt.NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the grey crop (Pech-Pacheco et al. 2000); lower is blurrier."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def yaw_deg(landmarks: npt.NDArray[np.float32]) -> float:
    """Head turn in degrees, 0 for a frontal face, from where the nose stands between the eyes.

    A nose tip about 0.6 eye distances in front of the eyes' plane moves by 0.6 * tan(yaw) of that distance.
    """
    left, right, nose = landmarks[0], landmarks[1], landmarks[2]
    across = right - left
    distance = float(np.linalg.norm(across))
    if distance < 1e-6:
        return 90.0
    along = float(np.dot(nose - (left + right) / 2, across)) / distance
    return float(abs(np.degrees(np.arctan2(along / distance, 0.6))))
