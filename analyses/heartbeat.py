"""What the worker tells the row while an analysis runs: how far it is, first scores, and that it lives."""

import logging
from collections.abc import Sequence
from time import monotonic

from django.db import InterfaceError, OperationalError, connection

from analyses import claims
from analyses.detection import FrameScore
from analyses.live import LiveScores
from analyses.models import Analysis

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5
SCORES_EVERY_S = 1.0


class Heartbeat:
    """Takes progress as fast as it comes; writes it twice a second, without news too: so it is known soon
    that somebody cancels.

    Scores of frames are more to write, and are written once a second at most.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._latest = ("", 0, 0)
        self._written_at = 0.0
        self._scores = LiveScores()
        self._scores_written_at = 0.0
        self._stopped = False

    def on_progress(self, stage: str, done: int, total: int) -> None:
        self._latest = (stage, done, total)

    def on_scores(self, duration_s: float, scores: Sequence[FrameScore]) -> None:
        self._scores.add(duration_s, scores)

    def should_stop(self) -> bool:
        """Whether the analysis was cancelled, deleted or given to another worker."""
        if monotonic() - self._written_at >= WRITE_EVERY_S:
            self._write()
        return self._stopped

    def _write(self) -> None:
        stage, done, total = self._latest
        try:
            self._stopped = not claims.record_progress(
                analysis=self._analysis, stage=stage, done=done, total=total
            )
            self._write_scores()
        except (OperationalError, InterfaceError) as error:  # a restarted database isn't the clip's fault
            logger.warning("Progress of %s was not written: %s", self._analysis.uuid, error)
            connection.close()
        self._written_at = monotonic()

    def _write_scores(self) -> None:
        if self._scores.is_news and monotonic() - self._scores_written_at >= SCORES_EVERY_S:
            claims.record_live_scores(analysis=self._analysis, scores=self._scores.take())
            self._scores_written_at = monotonic()
