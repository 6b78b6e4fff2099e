"""Scores of frames while their analysis runs: gathered by the worker, on the row until the analysis ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analyses.detection import FrameScore
from analyses.models import Analysis

MOST_POINTS = 1200
"""A row is written about once a second, so it stays small; a timeline shows no more points than this."""


@dataclass(slots=True)
class LiveScores:
    """The worker's side. ``is_news``: something came since ``take``."""

    duration_s: float = 0.0
    is_news: bool = False
    points: list[tuple[int, float, float]] = field(default_factory=list)

    def add(self, duration_s: float, scores: Sequence[FrameScore]) -> None:
        """Without scores a look at the clip begins, and those of an earlier one no longer count."""
        if not scores:
            self.points.clear()
        self.duration_s = duration_s
        self.points += [(score.track, score.time_s, score.score) for score in scores]
        self.is_news = True

    def take(self) -> dict[str, Any]:
        """What the row gets, thinned where there is much."""
        self.is_news = False
        step = -(-len(self.points) // MOST_POINTS) or 1
        return {"duration_s": self.duration_s, "points": self.points[::step]}


@dataclass(frozen=True, slots=True)
class LivePoint:
    track: int
    time_s: float
    score: float


def live_points(analysis: Analysis) -> tuple[LivePoint, ...]:
    """The page's side: what was scored so far, in the order of the clip."""
    points = (LivePoint(*point) for point in (analysis.live_scores or {}).get("points", ()))
    return tuple(sorted(points, key=lambda point: (point.time_s, point.track)))


def live_duration_s(analysis: Analysis) -> float:
    """0 where it isn't known yet."""
    return float((analysis.live_scores or {}).get("duration_s", 0.0))
