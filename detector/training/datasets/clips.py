"""What every reader makes: labelled clips, before and after they are given a group and a side."""

from dataclasses import dataclass
from pathlib import Path


class DatasetError(ValueError):
    """A folder that is no known data set, or one that contradicts itself. Its text is for the reader."""


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip as its data set lists it: without its group, and without its split unless the set states one.

    people: whatever else in the set it may not be parted from, first its own: identities or original clips.
    """

    clip: Clip
    people: tuple[str, ...]
