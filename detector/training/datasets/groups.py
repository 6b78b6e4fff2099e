"""Groups of clips that share people, and divisions that never part one."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from detector.training.datasets.clips import Clip, Entry

HELD_BACK = ("test", "val", "train")
"""Where a set states several sides for people who share clips, the first of these counts."""


class Groups:
    """Names joined into groups (union-find); a group is called by the smallest of its names."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, name: str) -> str:
        above = self._above
        while above.setdefault(name, name) != name:
            above[name] = name = above[above[name]]
        return name

    def join(self, names: Iterable[str]) -> None:
        roots = {self.of(name) for name in names}
        for root in roots:
            self._above[root] = min(roots)


def placed(entries: Sequence[Entry], joined: Iterable[Sequence[str]] = ()) -> list[Clip]:
    """Give every clip its group and side. ``joined`` are people who belong together beside the clips.

    Groups of which the set states no side go to train and val by the hash of their name. A clip that shares
    people with a stated side without being listed there is left out: it would be known from both sides.
    """
    groups = Groups()
    for people in (*joined, *(entry.people for entry in entries)):
        groups.join(people)
    stated: dict[str, set[str]] = {}
    for entry in entries:
        stated.setdefault(groups.of(entry.people[0]), set()).add(entry.clip.split)
    clips = []
    for entry in entries:
        group = groups.of(entry.people[0])
        sides = stated[group] - {""}
        side = min(sides, key=HELD_BACK.index) if sides else side_by_hash(group)
        if not sides or entry.clip.split == side:
            clips.append(replace(entry.clip, group=group, split=side))
    return clips


def side_by_hash(group: str) -> str:
    """One group in five is for validation, whatever else is in the set."""
    return "val" if is_tune(group, "val") else "train"


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def is_tune(group: str, salt: str = "tune") -> bool:
    """Whether a training group is kept for choosing and calibrating: one in five, by a hash of its name."""
    return digest(f"{salt}:{group}")[0] % 5 == 0


def fit_and_tune(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Training clips parted four to one by whole groups: to fit the model, and to choose and calibrate it."""
    fit: list[Clip] = []
    tune: list[Clip] = []
    for clip in clips:
        (tune if is_tune(clip.group) else fit).append(clip)
    return fit, tune


def folds(clips: Iterable[Clip], count: int) -> list[list[Clip]]:
    """``count`` parts for cross-validation, of whole groups and about equal in reals and in fakes.

    The parts depend on what the clips are, never on their order. Every part holds both labels where at least
    ``count`` groups hold each: groups with both are dealt first, the others where their label is missing.
    """
    if count < 2:
        raise ValueError("Cross-validation needs two folds or more.")
    clips = list(clips)
    members: dict[str, list[Clip]] = {}
    for clip in clips:
        members.setdefault(clip.group, []).append(clip)
    whole = Counter(clip.fake for clip in clips)
    deals = [Deal(name, Counter(clip.fake for clip in group), whole) for name, group in members.items()]
    parts = [Part(whole) for _ in range(count)]
    for deal in sorted(deals, key=Deal.order):
        min(parts, key=deal.cost).take(deal)
    at = {name: number for number, part in enumerate(parts) for name in part.groups}
    return [[clip for clip in clips if at[clip.group] == number] for number in range(count)]


@dataclass(slots=True)
class Part:
    """One fold as it fills up."""

    whole: Counter[bool]
    labels: Counter[bool] = field(default_factory=Counter)
    groups: list[str] = field(default_factory=list)

    def take(self, deal: "Deal") -> None:
        self.labels += deal.labels
        self.groups.append(deal.group)


@dataclass(frozen=True, slots=True)
class Deal:
    """A group on its way into a fold."""

    group: str
    labels: Counter[bool]
    whole: Counter[bool]

    def order(self) -> tuple[int, float, bytes]:
        """Groups with both labels first, then the large ones."""
        share = sum(number / self.whole[label] for label, number in self.labels.items())
        return -len(self.labels), -share, digest(self.group)

    def cost(self, part: Part) -> tuple[int, float]:
        """Few labels that were missing there, then how uneven the folds become."""
        missing = sum(part.labels[label] == 0 for label in self.labels)
        uneven = sum(
            (2 * part.labels[label] + number) * number / self.whole[label] ** 2
            for label, number in self.labels.items()
        )
        return -missing, uneven
