"""How long an analysis still takes: by its own pace, and by what came after that in earlier ones here."""

from statistics import median

from analyses.models import Analysis

LEAST_S = 2.0
LEAST_SHARE = 0.1
"""Before so much of a step is done, its pace says little about the rest."""
SEARCH, SCORING = "faces", "model"
"""The two steps that take long enough to be counted in."""


def seconds_left(analysis: Analysis) -> float | None:
    """None where the pace isn't known yet, or no earlier analysis tells what comes after this step."""
    this_step = _left_in_step(analysis)
    if this_step is None or analysis.stage not in (SEARCH, SCORING):
        return None
    ratios = [_later(timing, analysis.stage) for timing in Analysis.objects.recent_timings()]
    if not ratios:
        return None
    whole_step = this_step + analysis.seconds_in_stage
    return this_step + whole_step * median(ratios)


def _left_in_step(analysis: Analysis) -> float | None:
    done, total, taken = analysis.progress_done, analysis.progress_total, analysis.seconds_in_stage
    if taken < LEAST_S or not total or done / total < LEAST_SHARE or analysis.is_finished:
        return None
    return max(0.0, taken * (total - done) / done)


def _later(timing: dict[str, float], stage: str) -> float:
    """What came after a step, as a multiple of it."""
    after, step = timing["explain_s"], timing["model_s"]
    if stage == SEARCH:
        after, step = after + step, timing["decode_s"] + timing["faces_s"]
    return after / max(step, 0.1)
