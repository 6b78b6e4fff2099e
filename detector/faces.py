"""Finding faces in one picture: MTCNN (Zhang et al. 2016), or OpenCV's Haar cascade as a fallback."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

SEARCH_PX = 640
"""Longest side of the reduced picture that is searched; box heights agree within 4 % with a full search."""
MIN_FACE_PX = 30
"""Smallest face sought, in pixels of the reduced picture."""
MIN_CONFIDENCE = 0.95
"""MTCNN's last stage scores true faces close to one; what scores less is mostly texture."""

ONET_PX = 48
MOST_SHARED = 0.5
"""Two followed faces that share more than this have run into one."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face in one picture.

    box: left, top, right, bottom in pixels. landmarks: (5, 2), the image-left eye, image-right eye, nose and
    mouth corners, x then y. confidence: 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float32]
    confidence: float

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


class FaceFinder(Protocol):
    """Finds the faces of one picture, (height, width, 3) uint8 RGB; an empty list is an answer."""

    def find(self, picture: npt.NDArray[np.uint8]) -> list[Detection]: ...

    def follow(self, picture: npt.NDArray[np.uint8], known: Sequence[Detection]) -> list[Detection] | None:
        """Where the faces of a frame shortly before are now, in their order; None to have them searched."""


def reduced(picture: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], float]:
    """The picture at most ``SEARCH_PX`` on its longest side, and the factor that leads back to full size."""
    height, width = picture.shape[:2]
    factor = max(height, width) / SEARCH_PX
    if factor <= 1:
        return picture, 1.0
    size = (round(width / factor), round(height / factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), factor


class MtcnnFinder:
    """MTCNN with the weights that come inside facenet-pytorch."""

    def __init__(self, device: str = "cpu") -> None:
        from facenet_pytorch import MTCNN

        self._mtcnn: Any = MTCNN(keep_all=True, post_process=False, min_face_size=MIN_FACE_PX, device=device)

    def find(self, picture: npt.NDArray[np.uint8]) -> list[Detection]:
        small, factor = reduced(picture)
        boxes, confidences, landmarks = self._mtcnn.detect(small, landmarks=True)
        if boxes is None:
            return []
        found = [
            Detection(
                box=tuple((np.asarray(box, np.float64) * factor).tolist()),
                landmarks=np.asarray(points, np.float32) * np.float32(factor),
                confidence=float(confidence),
            )
            for box, confidence, points in zip(boxes, confidences, landmarks, strict=True)
            if confidence >= MIN_CONFIDENCE
        ]
        # Measured as when followed, or faces would grow and shrink with each search.
        return (self.follow(picture, found) or found) if found else []

    def follow(self, picture: npt.NDArray[np.uint8], known: Sequence[Detection]) -> list[Detection] | None:
        """MTCNN's last stage alone, around where the faces were: a tenth of a search's time."""
        now = self._refined(picture, self._refined(picture, known))
        lost = any(face.confidence < MIN_CONFIDENCE for face in now)
        merged = any(overlap(a.box, b.box) > MOST_SHARED for a, b in combinations(now, 2))
        return None if lost or merged else now

    def _refined(self, picture: npt.NDArray[np.uint8], faces: Sequence[Detection]) -> list[Detection]:
        """What O-Net sees in the square around each face; its offsets are shares of that square."""
        import torch

        squares = np.array([square_around(face.box) for face in faces])
        patches = np.stack([patch(picture, square) for square in squares])
        with torch.inference_mode():
            seen = torch.from_numpy(patches).to(self._mtcnn.device).permute(0, 3, 1, 2).float()
            offsets, points, confidence = (
                part.cpu().numpy() for part in self._mtcnn.onet((seen - 127.5) / 128)
            )
        corner, side = squares[:, :2], squares[:, 2:] - squares[:, :2]
        boxes = squares + offsets * np.tile(side, 2)
        landmarks = corner[:, None] + points.reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None]
        return [
            Detection((box[0], box[1], box[2], box[3]), np.asarray(places, np.float32), float(sure))
            for box, places, sure in zip(boxes.tolist(), landmarks, confidence[:, 1], strict=True)
        ]


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def square_around(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The square with the box's centre and its longer side."""
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x - half, y - half, x + half, y + half


def patch(picture: npt.NDArray[np.uint8], square: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """The part of a square inside the picture, stretched to O-Net's input as MTCNN does."""
    height, width = picture.shape[:2]
    left, right = np.clip(np.round(square[[0, 2]]), 0, width).astype(int)
    top, bottom = np.clip(np.round(square[[1, 3]]), 0, height).astype(int)
    if right <= left or bottom <= top:
        return np.zeros((ONET_PX, ONET_PX, 3), np.uint8)
    inside = picture[top:bottom, left:right]
    return np.asarray(cv2.resize(inside, (ONET_PX, ONET_PX), interpolation=cv2.INTER_AREA), np.uint8)


class HaarFinder:
    """OpenCV's frontal-face cascade. Having no landmarks, they are placed as in an upright face."""

    _TYPICAL = np.array([[0.30, 0.40], [0.70, 0.40], [0.50, 0.58], [0.34, 0.76], [0.66, 0.76]], np.float32)

    def __init__(self) -> None:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))

    def find(self, picture: npt.NDArray[np.uint8]) -> list[Detection]:
        small, factor = reduced(picture)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        found = self._cascade.detectMultiScale(
            grey, scaleFactor=1.1, minNeighbors=8, minSize=(MIN_FACE_PX, MIN_FACE_PX)
        )
        return [self._detection(*(float(v) * factor for v in box)) for box in found]

    def follow(self, picture: npt.NDArray[np.uint8], known: Sequence[Detection]) -> list[Detection] | None:
        return None

    def _detection(self, left: float, top: float, width: float, height: float) -> Detection:
        # The cascade's square is wider than a face; MTCNN's box is what the crops are measured by.
        box = (left + 0.12 * width, top + 0.05 * height, left + 0.88 * width, top + 1.03 * height)
        size = np.array([box[2] - box[0], box[3] - box[1]], np.float32)
        points = np.array(box[:2], np.float32) + self._TYPICAL * size
        return Detection(box=box, landmarks=points, confidence=1.0)


def make_finder(name: str, device: str = "cpu") -> FaceFinder:
    """The finder of that name (``mtcnn`` or ``haar``)."""
    return HaarFinder() if name == "haar" else MtcnnFinder(device)
