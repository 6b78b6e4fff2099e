"""Celeb-DF, version 1 or 2 (Li et al. 2020).

    Celeb-real/id1_0007.mp4  Celeb-synthesis/id1_id0_0007.mp4  YouTube-real/00170.mp4
    List_of_testing_videos.txt: lines like ``1 YouTube-real/00170.mp4``, 1 for real

A fake id1_id0_0007 shows the scene of id1_0007 with the face of id0. The official test list shares its
celebrities with the other clips. Where it is there, these others are left out of train and val, and few but
YouTube reals remain: Celeb-DF is then a set to be judged on. Without the list, groups are parted by hash.
"""

from pathlib import Path

from detector.training.datasets.clips import Clip, Entry
from detector.training.datasets.groups import placed

REAL, YOUTUBE, FAKE = "Celeb-real", "YouTube-real", "Celeb-synthesis"
TEST_LIST = "List_of_testing_videos.txt"
TERMS = "Terms to Use Celeb-DF: research only, as agreed to at download"
SOURCES = {REAL: "Celeb-DF-real", YOUTUBE: "Celeb-DF-YouTube", FAKE: "Celeb-DF-synthesis"}


def found(folder: Path) -> bool:
    return (folder / REAL).is_dir() or (folder / FAKE).is_dir()


def read(folder: Path) -> list[Clip]:
    listed = test_list(folder / TEST_LIST)
    paths = (path for part in SOURCES for path in sorted((folder / part).glob("*.mp4")))
    return placed([entry_of(path, listed) for path in paths])


def test_list(file: Path) -> set[str]:
    """The clips of the official test, as FOLDER/NAME; none where there is no list."""
    if not file.is_file():
        return set()
    lines = file.read_text(encoding="utf-8").splitlines()
    return {line.split()[1] for line in lines if len(line.split()) == 2}


def entry_of(path: Path, listed: set[str]) -> Entry:
    part = path.parent.name
    split = "test" if f"{part}/{path.name}" in listed else ""
    *people, number = path.stem.split("_")
    if part == YOUTUBE:
        people, scene = [f"youtube-{path.stem}"], f"youtube-{path.stem}"
    else:
        people = people or [path.stem]
        scene = f"{people[0]}_{number}"
    return Entry(Clip(path, part == FAKE, SOURCES[part], "", split, scene), tuple(people))
