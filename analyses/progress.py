"""How far an analysis is, in words for the page, and what it found so far."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext, ngettext

from analyses.detection import STAGES
from analyses.live import LivePoint, live_duration_s, live_points
from analyses.models import Analysis
from analyses.remaining import seconds_left
from analyses.timeline import LiveTimeline, live_timeline_of
from analyses.wording import STAGE_NAMES, STAGE_UNITS


@dataclass(frozen=True, slots=True)
class Step:
    """One stage. ``status`` is done, current or waiting; ``count`` is empty or like "12 of 40 frames"."""

    name: str
    status: str
    count: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """``announcement`` changes with the stage and not with every frame, so that it can be read aloud.

    ``left_s`` is None where nothing is known to go by. ``timeline`` is None before the first score.
    """

    headline: str
    announcement: str
    steps: tuple[Step, ...]
    elapsed_s: float
    left_s: float | None
    queue_position: int | None
    is_cancelling: bool
    points: tuple[LivePoint, ...]
    duration_s: float

    @property
    def timeline(self) -> LiveTimeline | None:
        if not self.points:
            return None
        return live_timeline_of(self.points, self.duration_s, settings.DETECTOR.threshold)


def progress_of(analysis: Analysis) -> Progress:
    position = analysis.queue_position
    headline = _headline(analysis, position)
    stage = gettext(STAGE_NAMES.get(analysis.stage, ""))
    return Progress(
        headline=headline,
        announcement=f"{headline} {stage}".strip(),
        steps=tuple(_step(analysis, stage) for stage in STAGES),
        elapsed_s=analysis.seconds_running or analysis.seconds_waiting,
        left_s=seconds_left(analysis),
        queue_position=position,
        is_cancelling=analysis.cancel_requested and not analysis.is_finished,
        points=live_points(analysis),
        duration_s=live_duration_s(analysis),
    )


def _headline(analysis: Analysis, position: int | None) -> str:
    if analysis.is_finished:
        return gettext("The analysis has ended.")
    if analysis.cancel_requested:
        return gettext("Cancelling.")
    if position is None:
        return _running(analysis)
    if position == 1:
        return gettext("Waiting. This clip is next.")
    before = position - 1
    words = ngettext(
        "Waiting. {count} clip before this one.", "Waiting. {count} clips before this one.", before
    )
    return words.format(count=before)


def _running(analysis: Analysis) -> str:
    if analysis.stage:
        return gettext("The analysis is running.")
    return gettext("Getting ready: the model is being loaded.")


def _step(analysis: Analysis, stage: str) -> Step:
    present = STAGES.index(analysis.stage) if analysis.stage in STAGES else -1
    here = STAGES.index(stage)
    name = gettext(STAGE_NAMES[stage])
    if here > present:
        return Step(name, "waiting")
    if here < present:
        return Step(name, "done")
    return Step(name, "current", _count(analysis))


def _count(analysis: Analysis) -> str:
    if not analysis.progress_total:
        return ""
    words, unit = gettext("{done} of {total} {units}"), gettext(STAGE_UNITS[analysis.stage])
    return words.format(done=analysis.progress_done, total=analysis.progress_total, units=unit)
