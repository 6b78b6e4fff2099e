"""The Deepfake Detection Challenge (Dolhansky et al. 2020): the whole set, its parts, or Kaggle's sample.

    metadata.json, beside its clips, here or one or two folders down:
        train  {"a.mp4": {"label": "FAKE", "split": "train", "original": "b.mp4"}, ...}
        test   {"a.mp4": {"is_fake": 1, ...}, ...}
    labels.csv, beside the clips of the official validation: filename,label with 1 for fake

The set does not say who is on screen. Fakes stay with the clip that they were made from; two originals of the
same actor can't be known, and may be on different sides where train is parted by hash.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from detector.training.datasets.clips import Clip, DatasetError, Entry
from detector.training.datasets.groups import placed

METADATA, LABELS = "metadata.json", "labels.csv"
TERMS = "Terms of the Deepfake Detection Challenge data set, as agreed to at download"


def found(folder: Path) -> bool:
    return any(files(folder, METADATA)) or any(files(folder, LABELS))


def files(folder: Path, name: str) -> Iterator[Path]:
    for depth in ("", "*/", "*/*/"):
        yield from sorted(folder.glob(depth + name))


def read(folder: Path) -> list[Clip]:
    """All clips that are there: parts of the set may lack some that their metadata names."""
    metadata = list(files(folder, METADATA))
    known = {file.parent for file in metadata}
    labels = [file for file in files(folder, LABELS) if file.parent not in known]
    train = "train" if labels else ""
    entries = [entry for file in metadata for entry in metadata_entries(file, train)]
    entries += [entry for file in labels for entry in label_entries(file)]
    return placed(entries)


def metadata_entries(file: Path, train: str) -> Iterator[Entry]:
    """``train``: the side of the training clips, empty where the set has no validation of its own."""
    table = read_index(file)
    for path in present(file.parent, table):
        row = table[path.name]
        if "is_fake" in row:
            yield entry_of(path, bool(int(row["is_fake"])), path.name, "test")
        elif "label" in row:
            yield entry_of(path, row["label"] == "FAKE", row.get("original") or path.name, train)
        else:
            raise DatasetError(f"{METADATA}: {path.name} has neither a label nor is_fake.")


def read_index(file: Path) -> dict[str, dict[str, Any]]:
    """The facts of each clip, by its name. Raises DatasetError where the file holds something else."""
    index = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(index, dict) or not all(isinstance(row, dict) for row in index.values()):
        raise DatasetError(f"{file.name} in {file.parent} does not map clips to their facts, as DFDC's does.")
    return index


def label_entries(file: Path) -> Iterator[Entry]:
    with file.open(newline="", encoding="utf-8") as lines:
        table = {row[0]: row[1] for row in csv.reader(lines) if len(row) == 2}
    for path in present(file.parent, table):
        yield entry_of(path, table[path.name] == "1", path.name, "val")


def present(folder: Path, names: Iterable[str]) -> list[Path]:
    there = {path.name for path in folder.iterdir()}
    return [folder / name for name in sorted(names) if name in there]


def entry_of(path: Path, fake: bool, original: str, split: str) -> Entry:
    scene = Path(original).stem
    return Entry(Clip(path, fake, "DFDC", "", split, scene), (scene,))
