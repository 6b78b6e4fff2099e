"""Pictures of the astronaut (NASA, public domain) as frames in memory, for tests that need no video file."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from detector.reading import Frame

Picture = npt.NDArray[np.uint8]
HEAD = (120, 20, 330, 230)
"""The part of the astronaut's picture around the head: left, top, right, bottom."""


def head(size: int = 210) -> Picture:
    left, top, right, bottom = HEAD
    return np.asarray(cv2.resize(astronaut()[top:bottom, left:right], (size, size)), np.uint8)


def scene(
    heads: Sequence[tuple[int, int]], *, size: tuple[int, int] = (640, 360), shade: int = 90
) -> Picture:
    """A plain picture (width, height) with a head at each (left, top)."""
    width, height = size
    picture = np.full((height, width, 3), shade, np.uint8)
    for left, top in heads:
        picture[top : top + 210, left : left + 210] = head()
    return picture


def walk(count: int, *, window: int = 0, start: int = 0, step: int = 3) -> list[Frame]:
    """One head that moves ``step`` pixels to the right from frame to frame."""
    return [Frame(window, start + i, (start + i) / 25, scene([(40 + step * i, 60)])) for i in range(count)]
