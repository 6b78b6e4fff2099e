"""FaceForensics++ as its download script lays it out (Roessler et al. 2019).

    original_sequences/{youtube,actors}/{raw,c23,c40}/videos/033.mp4
    manipulated_sequences/METHOD/{raw,c23,c40}/videos/033_097.mp4
    {train,val,test}.json, here or in splits/: lists of pairs of ids

A fake 033_097 shows the scene of 033 with the face of 097. Clips of actors (DeepFakeDetection) are named
01__SCENE.mp4 and 01_02__SCENE__CODE.mp4. The official split knows the YouTube clips alone. The actors meet
one another in fakes, so with all fakes at hand they are one group and on one side.
"""

import json
from pathlib import Path

from detector.training.datasets.clips import Clip, Entry
from detector.training.datasets.groups import placed

REALS, FAKES = "original_sequences", "manipulated_sequences"
TERMS = "FaceForensics Terms of Use: research only, as agreed to at download"


def found(folder: Path) -> bool:
    return (folder / REALS).is_dir() or (folder / FAKES).is_dir()


def read(folder: Path) -> list[Clip]:
    pairs = official_pairs(folder)
    sides = {name: split for split, names in pairs for name in names}
    paths = (path for root in (REALS, FAKES) for path in sorted((folder / root).glob("*/*/videos/*.mp4")))
    entries = (entry_of(path, sides) for path in paths)
    return placed([entry for entry in entries if entry is not None], [names for _, names in pairs])


def official_pairs(folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(split, people) for each pair of ids in the split files that are there."""
    return [
        (split, tuple(f"youtube-{number}" for number in pair))
        for split in ("train", "val", "test")
        for file in (folder / f"{split}.json", folder / "splits" / f"{split}.json")
        if file.is_file()
        for pair in json.loads(file.read_text(encoding="utf-8"))
    ]


def entry_of(path: Path, sides: dict[str, str]) -> Entry | None:
    """None for a clip that the official split has no place for."""
    compression, kind, root = (path.parents[number].name for number in (1, 2, 3))
    compression = "c0" if compression == "raw" else compression
    fake = root == FAKES
    people, scene = people_and_scene(path.stem)
    split = stated_side(people, sides)
    if split is None:
        return None
    name = "original" if kind == "youtube" else kind
    method = kind if fake else "original"
    source = f"FF++-{name}-{compression}"
    return Entry(Clip(path, fake, source, "", split, scene, method, compression), people)


def people_and_scene(stem: str) -> tuple[tuple[str, ...], str]:
    """Target and then source of a clip, and the name of the target's real clip."""
    numbers, *rest = stem.split("__")
    people = numbers.split("_")
    if rest:
        return tuple(f"actor-{number}" for number in people), f"{people[0]}__{rest[0]}"
    return tuple(f"youtube-{number}" for number in people), people[0]


def stated_side(people: tuple[str, ...], sides: dict[str, str]) -> str | None:
    """Empty where the split says nothing of these people; None where they may be on no side.

    That is so for people of two sides, and for an id in no file when the file of train is there.
    """
    if people[0].startswith("actor") or not sides:
        return ""
    stated = {sides.get(name, "") for name in people}
    unlisted = "" in stated and "train" in sides.values()
    return None if len(stated) > 1 or unlisted else stated.pop()
