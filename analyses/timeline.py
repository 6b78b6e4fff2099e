"""The geometry of the timeline: one strip a face, drawn on the server as SVG.

A strip is ``WIDTH`` by ``HEIGHT`` units and is stretched to the page, so x is a share of the clip's duration
and y of the score. Only frames that were scored are drawn. Where one face was scored and another was not, the
other's strip says that it was looked for and not seen. Where no face was scored the document doesn't tell
whether anybody looked, so that is left blank.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from analyses.report import Face, Report, ScoredFrame
from analyses.templatetags.figures import clock, percent

WIDTH = 1000
HEIGHT = 100
MIN_RUN_WIDTH = 5.0
"""A window of one second in half an hour would otherwise be too thin to be seen."""
TICKS = 5
ROUND_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Run:
    """Frames of one face, scored without a gap: a shaded window with its line."""

    first_s: float
    last_s: float
    x: float
    width: float
    path: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the clip that was looked at without this face being seen."""

    first_s: float
    last_s: float
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Strip:
    """``description`` says what the drawing shows, for people who don't see it."""

    face: Face
    runs: tuple[Run, ...]
    unseen: tuple[Stretch, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Tick:
    """``percent`` of the width, with where its label is anchored so that it stays inside."""

    label: str
    percent: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """``upper_y`` and ``lower_y`` are the limits for fake and real."""

    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]
    duration_s: float
    upper_y: float
    lower_y: float

    @property
    def has_unseen(self) -> bool:
        return any(strip.unseen for strip in self.strips)


def timeline_of(report: Report) -> Timeline:
    """A strip for each face in the report's order; a face that was never scored has one without runs."""
    gap = _gap(report.frames)
    looked_at = [(run[0].time_s, run[-1].time_s) for run in _runs(_in_order(report.frames), gap)]
    return Timeline(
        strips=tuple(_strip(face, report, gap, looked_at) for face in report.faces),
        ticks=tuple(_ticks(report.duration_s)),
        duration_s=report.duration_s,
        upper_y=score_y(report.threshold),
        lower_y=score_y(report.lower_threshold),
    )


def _strip(face: Face, report: Report, gap: float, looked_at: Sequence[tuple[float, float]]) -> Strip:
    own = _in_order(frame for frame in report.frames if frame.track == face.track)
    runs = tuple(_run(run, report.duration_s) for run in _runs(own, gap))
    unseen = tuple(
        Stretch(first, last, *_place(first, last, report.duration_s))
        for part in looked_at
        for first, last in _without(part, runs, gap)
    )
    return Strip(face, runs, unseen, _description(face, own, unseen))


def _in_order(frames: Iterable[ScoredFrame]) -> list[ScoredFrame]:
    return sorted(frames, key=lambda frame: frame.time_s)


def _without(part: tuple[float, float], runs: Sequence[Run], gap: float) -> Iterator[tuple[float, float]]:
    """What the runs leave of a part that was looked at, in seconds; pauses shorter than a gap don't count."""
    begin, end = part
    within = [run for run in runs if run.last_s >= begin and run.first_s <= end]
    for run in within:
        if run.first_s - begin > gap:
            yield begin, run.first_s
        begin = run.last_s
    if end - begin > gap or not within:
        yield begin, end


def _description(face: Face, own: Sequence[ScoredFrame], unseen: Sequence[Stretch]) -> str:
    if not own:
        return f"Face {face.track}: no frame was scored."
    top = max(own, key=lambda frame: frame.score)
    mean = fmean(frame.score for frame in own)
    frames = "1 frame" if len(own) == 1 else f"{len(own)} frames"
    return (
        f"Face {face.track}: {frames} scored between {clock(own[0].time_s)} and {clock(own[-1].time_s)}; "
        f"mean {percent(mean)}, highest {percent(top.score)} at {clock(top.time_s)}.{_absence(unseen)}"
    )


def _absence(unseen: Sequence[Stretch]) -> str:
    if not unseen:
        return ""
    return (
        " Looked for and not seen: "
        + ", ".join(f"{clock(s.first_s)} to {clock(s.last_s)}" for s in unseen)
        + "."
    )


def score_y(score: float) -> float:
    """1 is the top of a strip, 0 its bottom."""
    return round(HEIGHT * (1 - score), 1)


def _x(time_s: float, duration_s: float) -> float:
    return round(WIDTH * min(1.0, max(0.0, time_s / duration_s)), 1)


def _gap(frames: Sequence[ScoredFrame]) -> float:
    """Seconds from which a pause counts as a gap: a few usual distances between neighbouring frames."""
    times = sorted({frame.time_s for frame in frames})
    steps = [after - before for before, after in pairwise(times)]
    return max(0.2, 4 * median(steps)) if steps else 0.2


def _runs(frames: Sequence[ScoredFrame], gap: float) -> Iterator[list[ScoredFrame]]:
    run: list[ScoredFrame] = []
    for frame in frames:
        if run and frame.time_s - run[-1].time_s > gap:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _run(frames: Sequence[ScoredFrame], duration_s: float) -> Run:
    first, last = frames[0].time_s, frames[-1].time_s
    x, width = _place(first, last, duration_s)
    return Run(first, last, x, width, _path(frames, duration_s))


def _place(first_s: float, last_s: float, duration_s: float) -> tuple[float, float]:
    """x and width, wide enough to be seen."""
    x, end = _x(first_s, duration_s), _x(last_s, duration_s)
    missing = max(0.0, MIN_RUN_WIDTH - (end - x))
    x = min(max(0.0, x - missing / 2), WIDTH - MIN_RUN_WIDTH)
    return round(x, 1), round(max(MIN_RUN_WIDTH, end - x), 1)


def _path(frames: Sequence[ScoredFrame], duration_s: float) -> str:
    """Through every score. A lone frame gets a line of no length, which round caps show as a dot."""
    points = [f"{_x(frame.time_s, duration_s)} {score_y(frame.score)}" for frame in frames]
    return "M" + "L".join(points if len(points) > 1 else points * 2)


def _ticks(duration_s: float) -> Iterator[Tick]:
    step = next((step for step in ROUND_STEPS if duration_s / step <= TICKS), ROUND_STEPS[-1])
    for index in range(int(duration_s / step) + 1):
        percent = round(100 * index * step / duration_s, 2)
        anchor = "start" if index == 0 else "end" if percent > 96 else "middle"
        label = clock(index * step)
        yield Tick(label.removesuffix(".0") if step >= 1 else label, percent, anchor)
