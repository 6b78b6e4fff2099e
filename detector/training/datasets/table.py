"""A folder with a ``videos.csv`` and perhaps a ``faces.csv`` of stills.

The columns are file, split, label, source, group and licence; for stills file, split, source and licence.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from detector.training.datasets.clips import Clip, DatasetError, Still

VIDEOS, FACES = "videos.csv", "faces.csv"


def found(folder: Path) -> bool:
    return (folder / VIDEOS).is_file()


def rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def read(folder: Path) -> list[Clip]:
    """All clips of the table. Raises DatasetError where a group is on two sides."""
    clips = [
        Clip(
            folder / row["file"],
            row["label"] == "fake",
            row["source"],
            row["group"],
            row["split"],
            scene_of(Path(row["file"]), row["source"]),
            *method_and_compression(row["source"]),
        )
        for row in rows(folder / VIDEOS)
    ]
    sides: dict[str, str] = {}
    for clip in clips:
        if sides.setdefault(clip.group, clip.split) != clip.split:
            raise DatasetError(f"{VIDEOS}: group {clip.group} is in {sides[clip.group]} and in {clip.split}.")
    return clips


def read_stills(folder: Path) -> list[Still]:
    """The still faces of the folder; none where it has no ``faces.csv``."""
    if not (folder / FACES).is_file():
        return []
    return [Still(folder / row["file"], row["source"], row["split"]) for row in rows(folder / FACES)]


def scene_of(path: Path, source: str) -> str:
    """FaceForensics++ names a fake by its target and its source, 033_097, and the target's real clip 033."""
    return path.stem.split("__")[-1].split("_")[0] if source.startswith("FF++") else path.stem


def method_and_compression(source: str) -> tuple[str, str]:
    """Of a source named like FF++-Deepfakes-c23; both empty for other sources."""
    parts = source.split("-")
    return (parts[1], parts[2]) if parts[0] == "FF++" and len(parts) == 3 else ("", "")
