"""Labelled data sets: which file is real or fake, where it comes from, and which group it may not leave."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from detector.training.datasets import celebdf, dfdc, dfdc_preview, faceforensics, plain, table
from detector.training.datasets.clips import Clip, DatasetError, Still
from detector.training.datasets.groups import fit_and_tune, folds, is_tune
from detector.training.datasets.table import method_and_compression, scene_of

__all__ = [
    "Clip",
    "DatasetError",
    "Still",
    "fit_and_tune",
    "folds",
    "is_tune",
    "method_and_compression",
    "read_clips",
    "read_split",
    "read_stills",
    "scene_of",
    "terms_by_source",
]

Terms = dict[str, dict[str, str | int]]
"""For each source how many files there are, and under which terms."""
NOT_STATED = "Not stated"


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which data sets are laid out; ``sign`` is what it is known by."""

    name: str
    sign: str
    found: Callable[[Path], bool]
    read: Callable[[Path], list[Clip]]
    terms: str


LAYOUTS = (
    Layout("table", "videos.csv", table.found, table.read, NOT_STATED),
    Layout(
        "FaceForensics++",
        "original_sequences/ or manipulated_sequences/",
        faceforensics.found,
        faceforensics.read,
        faceforensics.TERMS,
    ),
    Layout("Celeb-DF", "Celeb-real/ or Celeb-synthesis/", celebdf.found, celebdf.read, celebdf.TERMS),
    Layout("plain", "real/ and fake/", plain.found, plain.read, plain.TERMS),
    Layout("DFDC preview", "dataset.json", dfdc_preview.found, dfdc_preview.read, dfdc_preview.TERMS),
    Layout("DFDC", "metadata.json or labels.csv beside the clips", dfdc.found, dfdc.read, dfdc.TERMS),
)


def find_layout(folder: Path) -> Layout:
    """The layout of a folder, by what is in it. Raises DatasetError where it is none of those known."""
    for layout in LAYOUTS:
        if layout.found(folder):
            return layout
    known = "; ".join(f"{layout.name} ({layout.sign})" for layout in LAYOUTS)
    raise DatasetError(f"{folder} is not a known data set. Known by what is in the folder: {known}.")


def read_clips(folder: Path, split: str) -> list[Clip]:
    """The clips of one split (``train``, ``val``, in some sets ``test``) of a folder in any known layout.

    Raises DatasetError where the layout is unknown, or the set has no clip of that split.
    """
    layout = find_layout(folder)
    clips = layout.read(folder)
    chosen = [clip for clip in clips if clip.split == split]
    if not chosen:
        there = ", ".join(sorted({clip.split for clip in clips})) or "none at all"
        raise DatasetError(f"{folder} ({layout.name}) has no clips of the split {split}. It has: {there}.")
    return chosen


def read_split(folder: Path, split: str) -> list[Clip]:
    """As ``read_clips``; ``tune`` is the part of ``train`` that models are chosen and calibrated on."""
    return fit_and_tune(read_clips(folder, "train"))[1] if split == "tune" else read_clips(folder, split)


def read_stills(folder: Path, split: str) -> list[Still]:
    """The still faces of one split of a folder with a ``faces.csv``; none in other layouts."""
    return [still for still in table.read_stills(folder) if still.split == split]


def terms_by_source(path: Path, split: str) -> Terms:
    """For each source how many of its files a split has, and their terms, for the card of the weights.

    path: the folder of a data set, or a table with a column of licences (``faces.csv``). Official sets go by
    terms that are known by the set's name. A table that is not there says nothing.
    """
    if path.suffix == ".csv":
        return table_terms(path, split) if path.is_file() else {}
    if table.found(path):
        return table_terms(path / table.VIDEOS, split)
    layout = find_layout(path)
    clips = (clip for clip in layout.read(path) if clip.split == split)
    return counted((clip.source, layout.terms) for clip in clips)


def table_terms(file: Path, split: str) -> Terms:
    rows = (row for row in table.rows(file) if row["split"] == split)
    return counted((row["source"], row.get("licence") or NOT_STATED) for row in rows)


def counted(files: Iterable[tuple[str, str]]) -> Terms:
    """From (source, terms) of each file; of several terms of a source, how many files have each."""
    found: dict[str, Counter[str]] = {}
    for source, terms in files:
        found.setdefault(source, Counter())[terms] += 1
    return {name: {"files": every.total(), "terms": in_words(every)} for name, every in sorted(found.items())}


def in_words(terms: Counter[str]) -> str:
    if len(terms) == 1:
        return next(iter(terms))
    return "; ".join(f"{name} ({count} of {terms.total()})" for name, count in terms.most_common())
