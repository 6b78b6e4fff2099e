"""Where each face is in the picture, for the player to draw in step with the video.

Only frames that were looked at have a box. Between two of them that are neighbours in one window the player
moves it evenly; everywhere else it draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analyses.report import Face, Report, ScoredFrame


@dataclass(frozen=True, slots=True)
class FaceBoxes:
    """``runs``: "second,x,y,width,height" a frame, a space between frames and a bar between runs."""

    face: Face
    runs: str


def boxes_of(report: Report) -> tuple[FaceBoxes, ...]:
    step = _step(report.frames)
    with_runs = ((face, _runs(report.frames, face.track, step)) for face in report.faces)
    return tuple(FaceBoxes(face, runs) for face, runs in with_runs if runs)


def _step(frames: Sequence[ScoredFrame]) -> int:
    """How far apart neighbouring frames of a window are; fast clips are thinned."""
    numbers = sorted({frame.frame for frame in frames})
    return min((after - before for before, after in pairwise(numbers)), default=1)


def _runs(frames: Sequence[ScoredFrame], track: int, step: int) -> str:
    own = sorted((f for f in frames if f.track == track and f.box is not None), key=lambda f: f.frame)
    runs: list[list[str]] = []
    for before, frame in zip([None, *own], own, strict=False):
        if before is None or frame.frame - before.frame > step:
            runs.append([])
        runs[-1].append(_told(frame))
    return "|".join(" ".join(run) for run in runs)


def _told(frame: ScoredFrame) -> str:
    return ",".join([f"{frame.time_s:g}", *map(str, frame.box or ())])
