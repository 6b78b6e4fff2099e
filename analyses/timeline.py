"""The geometry of the timeline: one strip a face, drawn on the server as SVG.

A strip is ``WIDTH`` by ``HEIGHT`` units and is stretched to the page, so x is a share of the clip's duration
and y of the score. Only frames that were scored are drawn. Where the clip was looked at and a face was not
scored, its strip says that it was looked for and not seen. A document of an earlier version doesn't tell what
was looked at: it is then taken to be where any face was scored, and the rest is left blank.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean, median
from typing import Protocol

from django.utils.translation import gettext, ngettext

from analyses.detection import Verdict
from analyses.report import Face, Report
from analyses.templatetags.figures import clock, percent

WIDTH = 1000
HEIGHT = 100
MIN_RUN_WIDTH = 10.0
"""A window of one second in half an hour would otherwise be too thin to be seen."""
TICKS = 5
ROUND_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MANY_STRIPS = 4
"""From so many on, strips are lower, so that all can be compared on one screen."""

Point = tuple[float, float]


class Scored(Protocol):
    """A frame's score, of a result or of an analysis under way."""

    @property
    def track(self) -> int: ...
    @property
    def time_s(self) -> float: ...
    @property
    def score(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the clip; ``label`` says in words which."""

    first_s: float
    last_s: float
    x: float
    width: float

    @property
    def label(self) -> str:
        return gettext("{first} to {last}").format(first=clock(self.first_s), last=clock(self.last_s))


@dataclass(frozen=True, slots=True)
class Area:
    """What lies under a part of a line, coloured by the verdict that its scores alone would give."""

    zone: Verdict
    path: str


@dataclass(frozen=True, slots=True)
class Run:
    """Frames of one face, scored without a gap: a line, and the areas under it."""

    place: Stretch
    path: str
    areas: tuple[Area, ...]


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
    """``windows`` were looked at and ``skipped`` were not; ``upper_y`` and ``lower_y`` are the limits."""

    strips: tuple[Strip, ...]
    windows: tuple[Stretch, ...]
    skipped: tuple[Stretch, ...]
    ticks: tuple[Tick, ...]
    duration_s: float
    upper_y: float
    lower_y: float

    @property
    def has_unseen(self) -> bool:
        return any(strip.unseen for strip in self.strips)

    @property
    def is_crowded(self) -> bool:
        return len(self.strips) >= MANY_STRIPS


@dataclass(frozen=True, slots=True)
class LiveStrip:
    track: int
    runs: tuple[Run, ...]
    description: str


@dataclass(frozen=True, slots=True)
class LiveTimeline:
    """What is known of the scores while an analysis runs."""

    strips: tuple[LiveStrip, ...]
    ticks: tuple[Tick, ...]
    upper: float
    lower: float

    @property
    def upper_y(self) -> float:
        return score_y(self.upper)

    @property
    def lower_y(self) -> float:
        return score_y(self.lower)


def timeline_of(report: Report) -> Timeline:
    """A strip for each face in the report's order; a face that was never scored has one without runs."""
    gap, duration = _gap(report.frames), report.duration_s
    looked_at = [(window.first_s, window.last_s) for window in report.windows] or _spans(report.frames, gap)
    return Timeline(
        strips=tuple(_strip(face, report, gap, looked_at) for face in report.faces),
        windows=tuple(_stretch(*part, duration) for part in looked_at),
        skipped=tuple(_skipped(looked_at, duration)),
        ticks=tuple(_ticks(duration)),
        duration_s=duration,
        upper_y=score_y(report.threshold),
        lower_y=score_y(report.lower_threshold),
    )


def live_timeline_of(points: Sequence[Scored], duration_s: float, threshold: float) -> LiveTimeline:
    """A strip for each face that has a score by now, by its number."""
    end = max([duration_s, 0.1, *(point.time_s for point in points)])
    by_track = sorted(points, key=lambda point: point.track)
    strips = (
        _live_strip(track, _in_order(own), end, threshold)
        for track, own in groupby(by_track, key=lambda point: point.track)
    )
    return LiveTimeline(tuple(strips), tuple(_ticks(end)), threshold, 1 - threshold)


def _live_strip(track: int, own: Sequence[Scored], duration_s: float, threshold: float) -> LiveStrip:
    runs = tuple(_run(run, duration_s, threshold) for run in _runs(own, _gap(own)))
    return LiveStrip(track, runs, _scores_in_words(track, own))


def _strip(face: Face, report: Report, gap: float, looked_at: Sequence[tuple[float, float]]) -> Strip:
    own = _in_order(frame for frame in report.frames if frame.track == face.track)
    runs = tuple(_run(run, report.duration_s, report.threshold) for run in _runs(own, gap))
    unseen = tuple(
        _stretch(first, last, report.duration_s)
        for part in looked_at
        for first, last in _without(part, [run.place for run in runs], gap)
    )
    return Strip(face, runs, unseen, _scores_in_words(face.track, own) + _absence(unseen))


def _spans(frames: Sequence[Scored], gap: float) -> list[tuple[float, float]]:
    return [(run[0].time_s, run[-1].time_s) for run in _runs(_in_order(frames), gap)]


def _skipped(looked_at: Sequence[tuple[float, float]], duration_s: float) -> Iterator[Stretch]:
    """What lies between the parts that were looked at. Room for one more frame is no gap."""
    edges = [0.0, *(edge for part in looked_at for edge in part), duration_s]
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first > 0.2:
            yield _stretch(first, last, duration_s)


def _in_order(frames: Iterable[Scored]) -> list[Scored]:
    return sorted(frames, key=lambda frame: frame.time_s)


def _without(part: tuple[float, float], runs: Sequence[Stretch], gap: float) -> Iterator[tuple[float, float]]:
    """What the runs leave of a part that was looked at, in seconds; pauses shorter than a gap don't count."""
    begin, end = part
    within = [run for run in runs if run.last_s >= begin and run.first_s <= end]
    for run in within:
        if run.first_s - begin > gap:
            yield begin, run.first_s
        begin = run.last_s
    if end - begin > gap or not within:
        yield begin, end


def _scores_in_words(track: int, own: Sequence[Scored]) -> str:
    if not own:
        return gettext("Face {track}: no frame was scored.").format(track=track)
    top = max(own, key=lambda frame: frame.score)
    words = ngettext(
        "Face {track}: {count} frame scored between {first} and {last}; mean {mean}, "
        "highest {top} at {top_at}.",
        "Face {track}: {count} frames scored between {first} and {last}; mean {mean}, "
        "highest {top} at {top_at}.",
        len(own),
    )
    return words.format(
        track=track,
        count=len(own),
        first=clock(own[0].time_s),
        last=clock(own[-1].time_s),
        mean=percent(fmean(frame.score for frame in own)),
        top=percent(top.score),
        top_at=clock(top.time_s),
    )


def _absence(unseen: Sequence[Stretch]) -> str:
    if not unseen:
        return ""
    stretches = ", ".join(stretch.label for stretch in unseen)
    return " " + gettext("Looked for and not seen: {stretches}.").format(stretches=stretches)


def score_y(score: float) -> float:
    """1 is the top of a strip, 0 its bottom."""
    return round(HEIGHT * (1 - score), 1)


def _x(time_s: float, duration_s: float) -> float:
    return round(WIDTH * min(1.0, max(0.0, time_s / duration_s)), 1)


def _gap(frames: Sequence[Scored]) -> float:
    """Seconds from which a pause counts as a gap: a few usual distances between neighbouring frames."""
    times = sorted({frame.time_s for frame in frames})
    steps = [after - before for before, after in pairwise(times)]
    return max(0.2, 4 * median(steps)) if steps else 0.2


def _runs(frames: Sequence[Scored], gap: float) -> Iterator[list[Scored]]:
    run: list[Scored] = []
    for frame in frames:
        if run and frame.time_s - run[-1].time_s > gap:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _run(frames: Sequence[Scored], duration_s: float, threshold: float) -> Run:
    place = _stretch(frames[0].time_s, frames[-1].time_s, duration_s)
    points = [(_within(place, frame.time_s, duration_s), score_y(frame.score)) for frame in frames]
    # A lone frame is a line of no length, which round caps show as a dot.
    line = _line(points if len(points) > 1 else points * 2)
    return Run(place, f"M{line}", tuple(_areas([_zone(frame.score, threshold) for frame in frames], points)))


def _areas(zones: Sequence[Verdict], points: Sequence[Point]) -> Iterator[Area]:
    """From halfway before the first of some frames that are alike to halfway after their last."""
    for zone, group in groupby(range(len(points)), key=lambda place: zones[place]):
        places = list(group)
        first, last = places[0], places[-1]
        before = [_halfway(points[first - 1], points[first])] if first else []
        after = [_halfway(points[last], points[last + 1])] if last + 1 < len(points) else []
        top = [*before, *points[first : last + 1], *after]
        yield Area(zone, f"M{top[0][0]} {HEIGHT}L{_line(top)}L{top[-1][0]} {HEIGHT}Z")


def _zone(score: float, threshold: float) -> Verdict:
    if score >= threshold:
        return Verdict.FAKE
    return Verdict.REAL if score <= 1 - threshold + 1e-9 else Verdict.INCONCLUSIVE


def _halfway(one: Point, other: Point) -> Point:
    return round((one[0] + other[0]) / 2, 1), round((one[1] + other[1]) / 2, 1)


def _line(points: Sequence[Point]) -> str:
    return "L".join(f"{x} {y}" for x, y in points)


def _stretch(first_s: float, last_s: float, duration_s: float) -> Stretch:
    """Wide enough to be seen."""
    x, end = _x(first_s, duration_s), _x(last_s, duration_s)
    missing = max(0.0, MIN_RUN_WIDTH - (end - x))
    x = min(max(0.0, x - missing / 2), WIDTH - MIN_RUN_WIDTH)
    return Stretch(first_s, last_s, round(x, 1), round(max(MIN_RUN_WIDTH, end - x), 1))


def _within(place: Stretch, time_s: float, duration_s: float) -> float:
    """Where a moment stands in its stretch, which may be drawn wider than it is long."""
    if place.last_s <= place.first_s:
        return _x(time_s, duration_s)
    return round(place.x + place.width * (time_s - place.first_s) / (place.last_s - place.first_s), 1)


def _ticks(duration_s: float) -> Iterator[Tick]:
    step = next((step for step in ROUND_STEPS if duration_s / step <= TICKS), ROUND_STEPS[-1])
    for index in range(int(duration_s / step) + 1):
        percent = round(100 * index * step / duration_s, 2)
        anchor = "start" if index == 0 else "end" if percent > 96 else "middle"
        label = clock(index * step)
        yield Tick(label.removesuffix(".0") if step >= 1 else label, percent, anchor)
