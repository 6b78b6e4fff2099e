"""Plots of an evaluation, as SVG and PNG. The same figures give the same bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from detector.config import DetectorConfig
from detector.evaluation.calibration import reliability
from detector.evaluation.control import control_samples
from detector.evaluation.measures import Measured, Outcome, Sample, Values, by_level, sample_of
from detector.evaluation.outcomes import ordered

matplotlib.use("Agg")
from matplotlib import pyplot

BLUE, RED, GREY = "#1f5fa8", "#b3332b", "#808080"
STYLE = {
    "svg.hashsalt": "truthlens",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": 100,
    "savefig.dpi": 150,
}
UNDATED = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


@contextmanager
def plot(folder: Path, name: str, size: tuple[float, float]) -> Iterator[Any]:
    """Axes of that size in inches; what is drawn on them is written to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=size, layout="constrained")
        try:
            yield axes
            for ending, metadata in UNDATED.items():
                figure.savefig(folder / f"{name}.{ending}", metadata=metadata)
        finally:
            pyplot.close(figure)


def roc_points(sample: Sample) -> tuple[Values, Values]:
    """False alarms and hits as the threshold falls, both from 0 to 1."""
    fakes, reals = (levels[0][::-1] for levels in by_level(sample, np.ones((1, len(sample.fake)))))
    alarms, hits = (np.r_[0.0, np.cumsum(part) / part.sum()] for part in (reals, fakes))
    return alarms, hits


def draw_roc(axes: Any, outcomes: Sequence[Outcome]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="a coin")
    control = control_samples(outcomes).get("all_three")
    if control is not None:
        axes.plot(*roc_points(control), color=GREY, label="control: blur, face size, bitrate")
    axes.plot(*roc_points(sample_of(outcomes)), color=BLUE, label="detector")
    axes.set(xlabel="Reals scored as high (false alarms)", ylabel="Fakes found", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(frameon=False, loc="lower right")


def draw_reliability(axes: Any, outcomes: Sequence[Outcome]) -> None:
    points = reliability(sample_of(outcomes))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="perfectly calibrated")
    stated = [point.stated for point in points]
    spread = [
        [p.found - min(p.low, p.found) for p in points],
        [max(p.high, p.found) - p.found for p in points],
    ]
    found = [point.found for point in points]
    axes.errorbar(stated, found, spread, fmt="o-", color=BLUE, capsize=3, label="bins, 95 % intervals")
    for point in points:
        axes.annotate(f"{point.clips}", (point.stated, point.found), (4, -10), textcoords="offset points")
    axes.set(xlabel="Stated probability of manipulation", ylabel="Share of fakes (labels weighed the same)")
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    axes.legend(frameon=False, loc="upper left")


def draw_scores(axes: Any, outcomes: Sequence[Outcome], threshold: float) -> None:
    """A dot a clip, sources below one another; clips at the same score are moved apart."""
    names = [
        *ordered(o.source for o in outcomes if not o.fake),
        *ordered(o.source for o in outcomes if o.fake),
    ]
    rows = list(dict.fromkeys(reversed(names)))
    for label, colour in ((False, BLUE), (True, RED)):
        part = sorted((o for o in outcomes if o.fake is label), key=lambda o: (o.source, o.score))
        shift = [0.28 * ((place % 5) - 2) / 2 for place in range(len(part))]
        heights = [rows.index(o.source) + by for o, by in zip(part, shift, strict=True)]
        name = "fake" if label else "real"
        axes.scatter([o.score for o in part], heights, 12, colour, alpha=0.7, linewidths=0, label=name)
    for limit in (1 - threshold, threshold):
        axes.axvline(limit, color=GREY, linewidth=0.8, linestyle=":")
    counts = [sum(o.source == name for o in outcomes) for name in rows]
    axes.set_yticks(range(len(rows)), [f"{name} ({n})" for name, n in zip(rows, counts, strict=True)])
    axes.set(xlabel="Stated probability of manipulation", xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4))
    axes.legend(frameon=False, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.12))


def coverage_points(sample: Sample) -> tuple[Values, Values]:
    """Share of clips judged and how many of these are right, as less and less certain clips are judged too.

    Certainty is the probability's distance from one half; a clip without a probability is never judged.
    """
    certainty = np.where(sample.scored, np.abs(sample.score - 0.5), -1.0)
    order = np.argsort(-certainty, kind="stable")
    order = order[sample.scored[order]]
    right = (sample.score[order] >= 0.5) == sample.fake[order]
    count = np.arange(1, len(order) + 1)
    last = np.r_[certainty[order][1:] != certainty[order][:-1], True]
    return count[last] / len(sample.fake), np.cumsum(right)[last] / count[last]


def draw_coverage(axes: Any, outcomes: Sequence[Outcome]) -> None:
    sample = sample_of(outcomes)
    axes.plot(*coverage_points(sample), color=BLUE, label="the most certain clips")
    decided = sample.decided
    if decided.any():
        right = sample.right[decided].mean()
        axes.plot([decided.mean()], [right], "o", color=RED, label="as shipped")
    axes.set(xlabel="Share of clips decided", ylabel="Right, of the decided", xlim=(0, 1.01), ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")


def draw_robustness(axes: Any, areas: Mapping[str, Measured], control: Mapping[str, Measured]) -> None:
    names = list(areas)
    values = [areas[name].value for name in names]
    spread = [
        [max(0.0, areas[n].value - areas[n].low) for n in names],
        [max(0.0, areas[n].high - areas[n].value) for n in names],
    ]
    places = np.arange(len(names))
    axes.bar(places, values, 0.6, color=BLUE, yerr=spread, capsize=3, ecolor="black", label="detector, 95 %")
    shown = [control[name].value if name in control else np.nan for name in names]
    axes.plot(places, shown, "_", color=RED, markersize=18, markeredgewidth=2, label="control")
    axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xticks(places, [name.replace("_", "\n") for name in names])
    axes.set(ylabel="AUC", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.14))


def draw_outcomes(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Every plot that needs the outcomes alone; where one label is missing only their scores are shown."""
    threshold = DetectorConfig().threshold
    sources = len({o.source for o in outcomes})
    with plot(folder, "scores", (6.5, 1.2 + 0.3 * sources)) as axes:
        draw_scores(axes, outcomes, threshold)
    if len({o.fake for o in outcomes}) < 2:
        return
    draws: dict[str, Callable[[Any, Sequence[Outcome]], None]] = {
        "roc": draw_roc,
        "reliability": draw_reliability,
        "coverage": draw_coverage,
    }
    for name, draw in draws.items():
        with plot(folder, name, (4.5, 4.2)) as axes:
            draw(axes, outcomes)


def draw_degradations(folder: Path, areas: Mapping[str, Measured], control: Mapping[str, Measured]) -> None:
    with plot(folder, "robustness", (7.0, 3.6)) as axes:
        draw_robustness(axes, areas, control)
