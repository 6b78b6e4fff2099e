"""The figures of a model: from the CSV files of its evaluation, else from its card. Nothing is made up.

A row that was measured with other weights than the card's is no figure of this model, and is not read.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from detector.model_cards.card import ModelCard
from detector.model_cards.fields import Fields

PLOTS = ("roc", "reliability", "scores", "coverage", "robustness")
MAIN_SPLITS = ("val", "tune")
DEGRADED = "degraded"
MADE_WITH = ("date", "cpu", "cores", "gpu", "python", "torch", "truthlens", "commit")

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval and the number of clips (or stills) that it is over, as far as known."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def has_interval(self) -> bool:
        """An interval without width claims a certainty that nobody measured."""
        return self.low is not None and self.high is not None and self.low < self.high


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that belong together. ``by`` and ``name`` say whose; counts are None where not known."""

    by: str
    name: str
    clips: int | None
    fakes: int | None
    groups: int | None
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Change:
    """What one change to the order of the frames does, with the LSTM and with the mean of the frames."""

    name: str
    clips: int | None
    lstm: Figure | None
    mean: Figure | None
    moved: float | None


@dataclass(frozen=True, slots=True)
class SourceCount:
    """Clips of one source that were judged."""

    name: str
    reals: int
    fakes: int


@dataclass(frozen=True, slots=True)
class Results:
    """Everything measured on one split. ``made_with``: date, hardware, versions and commit."""

    split: str
    made_with: Row = field(default_factory=dict)
    figures: tuple[Group, ...] = ()
    robustness: tuple[Group, ...] = ()
    faces: tuple[Group, ...] = ()
    stability: tuple[Group, ...] = ()
    audit: tuple[Group, ...] = ()
    changes: tuple[Change, ...] = ()
    sources: tuple[SourceCount, ...] = ()
    plots: tuple[Path, ...] = ()

    @property
    def everything(self) -> Group | None:
        """The figures over all clips."""
        return next((group for group in self.figures if group.name == "all"), None)

    @property
    def seconds(self) -> Figure | None:
        """A clip's seconds: mean, and those of the fastest and the slowest."""
        return self.everything.figures.get("seconds_per_clip") if self.everything else None


def read_results(card: ModelCard) -> tuple[Results, ...]:
    """Of the validation and the tune split, measured or not, and of any other split with figures."""
    folders = sorted(path.name for path in card.results.glob("*") if (path / "figures.csv").is_file())
    on_card = [name for name, entry in card.fields.part("metrics").parts() if _has_figures(entry)]
    names = dict.fromkeys([*MAIN_SPLITS, *folders, *on_card])
    found = [_of_split(card, name) for name in names if "-limit-" not in name]
    return tuple(results for results in found if results.figures or results.split in MAIN_SPLITS)


def _of_split(card: ModelCard, split: str) -> Results:
    folder, sha256 = card.results / split, card.weights.sha256
    rows = read_rows(folder / "figures.csv", sha256)
    entry = card.fields.part("metrics").part(split)
    return Results(
        split=split,
        made_with=_made_with(rows) if rows else _made_with([{"date": entry.text("date")}]),
        figures=grouped(rows, "by", "subset") or tuple(_on_card(entry)),
        robustness=grouped(read_rows(folder / "robustness.csv", sha256), "subset", "degradation")
        or tuple(_degraded_on_card(entry)),
        faces=grouped(read_rows(folder / "faces.csv", sha256), "", "people"),
        stability=grouped(read_rows(folder / "stability.csv", sha256), "", "subset"),
        audit=grouped(read_rows(folder / "audit.csv", sha256), "by", "subset"),
        changes=tuple(_changes(read_rows(folder / "temporal.csv", sha256))),
        sources=_sources(read_rows(folder / "clips.csv", sha256)),
        plots=_plots(folder / "plots") if rows else (),
    )


def read_rows(path: Path, sha256: str | None = None) -> list[Row]:
    """The rows of a CSV file, those measured with other weights left out; none where it can't be read."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key: value or "" for key, value in row.items() if key} for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error):
        return []
    return [row for row in rows if sha256 is None or row.get("weights_sha256") == sha256]


def number_in(row: Row, column: str) -> float | None:
    try:
        value = float(row.get(column, ""))
    except ValueError:
        return None
    return value if isfinite(value) else None


def count_in(row: Row, column: str) -> int | None:
    value = number_in(row, column)
    return None if value is None else int(value)


def figure_in(row: Row, column: str = "value") -> Figure | None:
    value = number_in(row, column)
    if value is None:
        return None
    return Figure(value, number_in(row, "low"), number_in(row, "high"), count_in(row, "n"))


def grouped(rows: Sequence[Row], by: str, name: str) -> tuple[Group, ...]:
    """Rows of one measure each, gathered by the columns ``by`` and ``name``; in the order of the file."""
    groups: dict[tuple[str, str], Group] = {}
    for row in rows:
        figure, subset = figure_in(row), row.get(name, "")
        key = (row.get(by) or ("all" if subset == "all" else ""), subset)
        if figure is None or not row.get("measure"):
            continue
        clips, fakes, scenes = (count_in(row, column) for column in ("clips", "fakes", "groups"))
        group = groups.setdefault(key, Group(*key, clips, fakes, scenes, {}))
        group.figures[row["measure"]] = figure
    return tuple(groups.values())


def _made_with(rows: Sequence[Row]) -> Row:
    return {name: rows[0][name] for name in MADE_WITH if rows[0].get(name)}


def _on_card(entry: Fields) -> Iterator[Group]:
    for name, part in entry.parts():
        figures = dict(_figures_on_card(part))
        if "auc" in figures and name != DEGRADED:
            clips, fakes = (part.number(key) for key in ("clips", "fakes"))
            yield Group("all" if name == "all" else "", name, _whole(clips), _whole(fakes), None, figures)


def _degraded_on_card(entry: Fields) -> Iterator[Group]:
    for name, part in entry.part(DEGRADED).parts():
        figures = dict(_figures_on_card(part))
        if figures:
            yield Group("all", name, None, None, None, figures)


def _figures_on_card(part: Fields) -> Iterator[tuple[str, Figure]]:
    for name in part.content:
        if figure := figure_on_card(part, name):
            yield name, figure


def figure_on_card(part: Fields, name: str) -> Figure | None:
    """A list of value, low and high."""
    numbers = part.numbers(name)
    if len(numbers) != 3 or numbers[0] is None:
        return None
    return Figure(numbers[0], numbers[1], numbers[2])


def _has_figures(entry: Fields) -> bool:
    return next(_on_card(entry), None) is not None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class KnownClips:
    """Probabilities of the clips of one split that are known to be real, and of those known to be fake."""

    real: tuple[float, ...]
    fake: tuple[float, ...]


def known_clips(card: ModelCard, split: str = "val") -> KnownClips:
    """Clips that got no probability are left out; there are none where the split was not measured."""
    rows = read_rows(card.results / split / "clips.csv", card.weights.sha256)
    by_label = [
        [number_in(row, "fake_probability") for row in rows if row.get("label") == label]
        for label in ("real", "fake")
    ]
    real, fake = (tuple(value for value in values if value is not None) for values in by_label)
    return KnownClips(real, fake)


def _changes(rows: Sequence[Row]) -> Iterator[Change]:
    """Two rows a change: of the LSTM's output and of the mean of the frames."""
    for name in dict.fromkeys(row.get("change", "") for row in rows):
        part = {row.get("output", ""): row for row in rows if row.get("change", "") == name}
        lstm, mean = part.get("lstm", {}), part.get("mean_of_frames", {})
        yield Change(
            name,
            count_in(lstm or mean, "clips"),
            figure_in(lstm, "auc"),
            figure_in(mean, "auc"),
            number_in(lstm, "mean_logit_moved"),
        )


def _sources(rows: Sequence[Row]) -> tuple[SourceCount, ...]:
    names = sorted({row.get("source", "") for row in rows})
    labels = [(row.get("source", ""), row.get("label", "")) for row in rows]
    return tuple(
        SourceCount(name, labels.count((name, "real")), labels.count((name, "fake"))) for name in names
    )


def _plots(folder: Path) -> tuple[Path, ...]:
    """The plots that are there, as SVG where they can be."""
    options = ([folder / f"{name}.svg", folder / f"{name}.png"] for name in PLOTS)
    found = (next((path for path in paths if path.is_file()), None) for paths in options)
    return tuple(path for path in found if path)
