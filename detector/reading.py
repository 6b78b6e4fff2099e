"""Stub by the lead, to be replaced by part D (keep the name and fields of Frame)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame: window it belongs to, index from 0, seconds, upright RGB."""

    window: int
    index: int
    time_s: float
    picture: npt.NDArray[np.uint8]
