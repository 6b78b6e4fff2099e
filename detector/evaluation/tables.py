"""The CSV files of an evaluation, and the table that it prints."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from detector.evaluation.calibration import CALIBRATION
from detector.evaluation.control import controls
from detector.evaluation.measures import MEASURES, Measured, Outcome, measured_in, sample_of
from detector.evaluation.outcomes import Subset

FIGURE = ("value", "low", "high", "n")
SIZE = ("clips", "fakes", "groups")
PRINTED = {
    "auc": "AUC",
    "control_auc_all_three": "control",
    "accuracy_of_decided": "right of decided",
    "equal_error_rate": "EER",
    "inconclusive_share": "inconclusive",
    "coverage": "covered",
    "reals_called_fake": "false alarms",
}
"""Measures in the printed table, with the titles of their columns."""

Row = Sequence[object]
Figures = dict[str, Measured]


def figures_of(outcomes: Sequence[Outcome]) -> Figures:
    """Every measure that these clips define, with the controls and the calibration."""
    sample = sample_of(outcomes)
    found = {name: measured_in(sample, measure) for name, measure in {**MEASURES, **CALIBRATION}.items()}
    return {name: figure for name, figure in {**found, **controls(outcomes)}.items() if defined(figure)}


def defined(figure: Measured) -> bool:
    return figure.value == figure.value


def cells(figure: Measured) -> list[object]:
    """Value, interval and n as they are written."""
    return [*(f"{v:.4f}" if v == v else "" for v in (figure.value, figure.low, figure.high)), figure.n]


def size(outcomes: Sequence[Outcome]) -> list[object]:
    return [len(outcomes), sum(o.fake for o in outcomes), len({o.group for o in outcomes})]


def write_table(path: Path, header: Sequence[str], rows: Iterable[Row], facts: Mapping[str, str]) -> None:
    """Write the rows, each with what it was measured with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, *facts])
        writer.writerows([*row, *facts.values()] for row in rows)


def write_figures(path: Path, parts: Sequence[tuple[Subset, Figures]], facts: Mapping[str, str]) -> None:
    """One row a subset and measure; the last row's interval is the fastest and the slowest clip."""
    rows = [
        [part.by, part.name, name, *cells(figure), *size(part.outcomes)]
        for part, figures in parts
        for name, figure in figures.items()
    ]
    everyone = parts[0][0].outcomes
    seconds = sorted(o.seconds for o in everyone if o.seconds == o.seconds)
    if seconds:
        spread = Measured(sum(seconds) / len(seconds), seconds[0], seconds[-1], len(seconds))
        rows.append(["all", "all", "seconds_per_clip", *cells(spread), *size(everyone)])
    write_table(path, ["by", "subset", "measure", *FIGURE, *SIZE], rows, facts)


def write_clips(path: Path, outcomes: Sequence[Outcome], facts: Mapping[str, str]) -> None:
    """One row a clip. Names stay out: the data sets' terms let figures be published, not their files.

    Groups are numbered in the order of the rows, because a group's own name may be made of clip names.
    """
    header = ["source", "method", "compression", "label", "group", "verdict", "fake_probability"]
    header += ["face_px", "sharpness", "kbit_s", "seconds"]
    in_order = sorted(outcomes, key=lambda o: (o.source, o.fake, o.score, o.kbit_s or 0.0))
    numbers = {name: n for n, name in enumerate(dict.fromkeys(o.group for o in in_order), 1)}
    rows = [
        [o.source, o.method, o.compression, "fake" if o.fake else "real", numbers[o.group], o.verdict]
        + [given(v) for v in (o.probability, o.face_px, o.sharpness)]
        + ["" if o.kbit_s is None else round(o.kbit_s), given(o.seconds)]
        for o in in_order
    ]
    write_table(path, header, rows, facts)


def given(value: float | None) -> object:
    return "" if value is None or value != value else value


def printed(parts: Sequence[tuple[Subset, Figures]]) -> str:
    """A line for each subset, with 95 % intervals."""
    lines = [["subset", "clips (fake)", *PRINTED.values()]]
    for part, figures in parts:
        found = [short(figures.get(name)) for name in PRINTED]
        name = part.name if part.by in ("all", "set", "source") else f"{part.by} {part.name}"
        lines.append([name, f"{len(part.outcomes)} ({part.fakes})", *found])
    return aligned(lines)


def short(figure: Measured | None) -> str:
    return "" if figure is None else f"{figure.value:.2f} [{figure.low:.2f} {figure.high:.2f}]"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
