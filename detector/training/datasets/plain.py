"""A plain folder of ``real/`` and ``fake/``; folders inside ``fake/`` name methods.

Every file is a group of its own, unless a ``groups.csv`` says more:

    file,group,scene,split
    real/anna.mp4,anna,anna,
    fake/anna_swapped.mp4,anna,anna,

Of its columns only file and group must be there. Files with the same scene were filmed at once, frame by
frame: a real clip and the fakes made from it. Without a split, groups are parted by hash.
"""

from pathlib import Path

from detector.training.datasets import table
from detector.training.datasets.clips import Clip, DatasetError, Entry
from detector.training.datasets.groups import HELD_BACK, placed

GROUPS = "groups.csv"
ENDS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"}
TERMS = "Not stated: a folder of the user's own"


def found(folder: Path) -> bool:
    return (folder / "real").is_dir() and (folder / "fake").is_dir()


def read(folder: Path) -> list[Clip]:
    """All clips. Raises DatasetError where ``groups.csv`` names a file or a split that is not there."""
    stated = read_groups(folder / GROUPS)
    paths = {
        path.relative_to(folder).as_posix(): path
        for label in ("real", "fake")
        for path in sorted((folder / label).rglob("*"))
        if path.suffix.lower() in ENDS
    }
    for name in stated:
        if name not in paths:
            raise DatasetError(f"{GROUPS} names {name}, which is not there.")
    return placed([entry_of(name, path, stated.get(name, {})) for name, path in paths.items()])


def read_groups(file: Path) -> dict[str, dict[str, str]]:
    return {row["file"]: row for row in table.rows(file)} if file.is_file() else {}


def entry_of(name: str, path: Path, row: dict[str, str]) -> Entry:
    parts = Path(name).parts
    fake = parts[0] == "fake"
    method = parts[1] if fake and len(parts) > 2 else ""
    source = f"fake-{method}" if method else parts[0]
    split, scene, group = row.get("split") or "", row.get("scene") or name, row.get("group") or name
    if split and split not in HELD_BACK:
        raise DatasetError(f"{GROUPS}: {name} is in the split {split}. Known are {', '.join(HELD_BACK)}.")
    return Entry(Clip(path, fake, source, "", split, scene, method), (group,))
