"""The preview of the Deepfake Detection Challenge (Dolhansky et al. 2019).

    original_videos/PERSON/PERSON_CONTEXT_NUMBER.mp4
    method_{A,B}/TARGET/TARGET_CONTEXT/SWAPPED_TARGET_CONTEXT_NUMBER.mp4
    dataset.json: {"method_A/...mp4": {"label": "fake", "set": "train", "target_id": ..., "swapped_id": ...,
                   "augmentations": [...]}, ...}

Its train is parted into train and val by hash; its test stays as it is.
"""

from pathlib import Path
from typing import Any

from detector.training.datasets.clips import Clip, Entry
from detector.training.datasets.dfdc import TERMS, read_index
from detector.training.datasets.groups import placed

__all__ = ["TERMS", "found", "read"]

INDEX = "dataset.json"


def found(folder: Path) -> bool:
    return (folder / INDEX).is_file()


def read(folder: Path) -> list[Clip]:
    table = read_index(folder / INDEX)
    there = (name for name in sorted(table) if (folder / name).is_file())
    return placed([entry_of(folder / name, name.split("/")[0], table[name]) for name in there])


def entry_of(path: Path, part: str, row: dict[str, Any]) -> Entry:
    fake = row["label"] == "fake"
    method = part if fake else "original"
    people = tuple(str(row[key]) for key in ("target_id", "swapped_id") if row.get(key) is not None)
    scene = "_".join(path.stem.split("_")[-3:])
    split = "test" if row["set"] == "test" else ""
    changes = "+".join(str(change) for change in row.get("augmentations") or ())
    clip = Clip(path, fake, f"DFDC-preview-{method}", "", split, scene, method, changes)
    return Entry(clip, people or (scene,))
