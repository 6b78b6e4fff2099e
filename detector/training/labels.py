"""Labelled data sets: which file is real or fake, where it comes from, and which group it may not leave."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled video. Clips of one group share people or scenes and stay on one side of every split.

    scene: whose footage it is; a fake and the real clip it was made from share it, frame by frame.
    method: how a fake was made, ``original`` for a real clip of a set that names methods, else empty.
    compression: as the data set names it (c0, c23, c40), else empty.
    """

    path: Path
    fake: bool
    source: str
    group: str
    split: str
    scene: str = ""
    method: str = ""
    compression: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """One real still face."""

    path: Path
    source: str
    split: str


def read_clips(folder: Path, split: str) -> list[Clip]:
    """The clips of one split (``train`` or ``val``) of a folder with a ``videos.csv``."""
    with (folder / "videos.csv").open(newline="", encoding="utf-8") as file:
        return [
            Clip(
                folder / row["file"],
                row["label"] == "fake",
                row["source"],
                row["group"],
                row["split"],
                scene_of(Path(row["file"]), row["source"]),
                *method_and_compression(row["source"]),
            )
            for row in csv.DictReader(file)
            if row["split"] == split
        ]


def scene_of(path: Path, source: str) -> str:
    """FaceForensics++ names a fake by its target and its source, 033_097, and the target's real clip 033."""
    return path.stem.split("__")[-1].split("_")[0] if source.startswith("FF++") else path.stem


def method_and_compression(source: str) -> tuple[str, str]:
    """Of a source named like FF++-Deepfakes-c23; both empty for other sources."""
    parts = source.split("-")
    return (parts[1], parts[2]) if parts[0] == "FF++" and len(parts) == 3 else ("", "")


def read_stills(folder: Path, split: str) -> list[Still]:
    """The still faces of one split of a folder with a ``faces.csv``."""
    with (folder / "faces.csv").open(newline="", encoding="utf-8") as file:
        return [
            Still(folder / row["file"], row["source"], row["split"])
            for row in csv.DictReader(file)
            if row["split"] == split
        ]


def terms_by_source(table: Path, split: str) -> dict[str, dict[str, str | int]]:
    """For each source in a table of the data set, how many of its files a split has and under which terms."""
    found: dict[str, dict[str, str | int]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                entry = found.setdefault(row["source"], {"files": 0, "terms": row["licence"]})
                entry["files"] = int(entry["files"]) + 1
    return dict(sorted(found.items()))


def is_tune(group: str, salt: str = "tune") -> bool:
    """Whether a training group is kept for choosing and calibrating: one in five, by a hash of its name."""
    digest = hashlib.sha256(f"{salt}:{group}".encode()).digest()
    return digest[0] % 5 == 0


def fit_and_tune(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Training clips parted four to one by whole groups: to fit the model, and to choose and calibrate it."""
    fit: list[Clip] = []
    tune: list[Clip] = []
    for clip in clips:
        (tune if is_tune(clip.group) else fit).append(clip)
    return fit, tune
