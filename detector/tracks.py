"""Following faces from frame to frame: detection on some frames, links by overlap, positions in between.

Frames arrive in presentation order and leave as soon as the next detection has placed their faces, so only
a handful of pictures is ever held.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from detector.crops import CROP_PX, Placement, cut, placement, sharpness, yaw_deg
from detector.faces import Detection, FaceFinder, overlap
from detector.reading import Frame

DETECT_EVERY = 8
SEARCH_EVERY = 16
"""Frames between searches of the whole picture; at the detections between, known faces are followed."""
MIN_OVERLAP = 0.3
MAX_MISSES = 1
"""A face may be missed this often in a row; the frames between are filled in when it is back."""
LONGEST_TAIL = 2
"""Frames after a shot's last detection that may reuse its placement; a longer tail is searched once more."""
CUT_DIFFERENCE = 28.0
"""Mean absolute difference of two neighbouring frames' thumbnails (0 to 255) that counts as a cut."""
MIN_LIKENESS, LONE_LIKENESS = 0.4, 0.6
"""Likeness of colours that links faces across shots: at the same place, or of the only two left."""
SMOOTHING = 0.5
MAX_FACES = 8
"""Faces followed at a time, the tallest first: in a crowd the others are too small to be judged."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face in one frame: box as left, top, right, bottom in pixels; crop (size, size, 3) uint8 RGB."""

    track: int
    window: int
    frame: int
    time_s: float
    box: tuple[float, float, float, float]
    place: Placement
    landmarks: npt.NDArray[np.float32]
    crop: npt.NDArray[np.uint8]
    sharpness: float
    yaw_deg: float


@dataclass(slots=True)
class _Person:
    """A face followed so far; ``number`` is the track it is reported under."""

    number: int
    box: tuple[float, float, float, float]
    likeness: npt.NDArray[np.float32]


@dataclass(slots=True)
class _Link:
    """A face of the current shot as last detected, at frame ``position`` of the shot."""

    person: _Person
    detection: Detection
    place: Placement
    position: int
    misses: int = 0


@dataclass(slots=True)
class FaceTracker:
    """Turns frames into sightings.

    crop_px, widen: size of the crops, and how much wider than ``MARGIN`` they are cut; neither changes who is
    taken for whom.
    """

    finder: FaceFinder
    crop_px: int = CROP_PX
    widen: float = 1.0
    searched: int = 0
    _people: list[_Person] = field(default_factory=list)
    _links: list[_Link] = field(default_factory=list)
    _held: dict[int, Frame] = field(default_factory=dict)
    _position: int = -1
    _detected: int = -1

    def follow(self, frames: Iterable[Frame]) -> Iterator[Sighting]:
        """Every sighting of every face; a track's frames come in order."""
        window, before = -1, np.empty(0, np.uint8)
        for frame in frames:
            small = thumbnail(frame.picture)
            if frame.window != window or is_cut(before, small):
                yield from self._end_shot()
            yield from self._add(frame)
            window, before = frame.window, small
        yield from self._end_shot()

    def _add(self, frame: Frame) -> Iterator[Sighting]:
        self._position += 1
        self._held[self._position] = frame
        if self._position % DETECT_EVERY == 0:
            yield from self._detect()

    def _end_shot(self) -> Iterator[Sighting]:
        if self._position - self._detected > LONGEST_TAIL:
            yield from self._detect()
        for link in self._links:
            if link.misses == 0:
                yield from self._between(link, link, self._position)
        self._links, self._held, self._position, self._detected = [], {}, -1, -1

    def _detect(self) -> Iterator[Sighting]:
        frame = self._held[self._position]
        first, self._detected = self._detected < 0, self._position
        found = self._found(frame)
        pairs, lone = match([link.detection.box for link in self._links], [d.box for d in found])
        fresh = [found[i] for i in lone]
        links = [self._continued(self._links[a], found[b]) for a, b in pairs]
        for old, new in zip([self._links[a] for a, _ in pairs], links, strict=True):
            yield from self._between(old, new, self._position)
        links += self._started(frame, fresh, {link.person.number for link in self._links}, first)
        for link in links[len(pairs) :]:
            yield self._sighting(link.person.number, frame, link.detection, link.place)
        kept = {a for a, _ in pairs}
        links += [link for i, link in enumerate(self._links) if i not in kept and self._missed(link)]
        self._links = links
        oldest = min((link.position for link in links), default=self._position)
        self._held = {at: held for at, held in self._held.items() if at >= oldest}

    def _found(self, frame: Frame) -> list[Detection]:
        known = [link.detection for link in self._links]
        if known and self._position % SEARCH_EVERY and not any(link.misses for link in self._links):
            followed = self.finder.follow(frame.picture, known)
            if followed is not None:
                return followed
        self.searched += 1
        return sorted(self.finder.find(frame.picture), key=lambda d: -d.height)[:MAX_FACES]

    @staticmethod
    def _missed(link: _Link) -> bool:
        link.misses += 1
        return link.misses <= MAX_MISSES

    def _continued(self, link: _Link, detection: Detection) -> _Link:
        seen = placement(detection)
        smooth = link.place.blend(seen, SMOOTHING)
        link.person.box = detection.box
        # Centre as detected; size and roll smoothed, because a detector's jitter in them is not the face's.
        place = Placement(seen.x, seen.y, smooth.side, smooth.roll_deg)
        return _Link(link.person, detection, place, self._position)

    def _started(
        self, frame: Frame, detections: list[Detection], taken: set[int], first: bool
    ) -> list[_Link]:
        links: list[_Link] = []
        for detection in detections:
            place = placement(detection)
            looks = colours(cut(frame.picture, place, 64))
            free = [p for p in self._people if p.number not in taken]
            person = recognised(free, detection, looks, alone=first and len(detections) == 1)
            if person is None:
                person = _Person(len(self._people) + 1, detection.box, looks)
                self._people.append(person)
            person.box = detection.box
            taken.add(person.number)
            links.append(_Link(person, detection, place, self._position))
        return links

    def _between(self, old: _Link, new: _Link, last: int) -> Iterator[Sighting]:
        """Sightings from after ``old``'s frame to ``last``, moving evenly from one detection to the other."""
        steps = max(1, new.position - old.position)
        for position in range(old.position + 1, last + 1):
            weight = min(1.0, (position - old.position) / steps) if new is not old else 0.0
            detection = interpolated(old.detection, new.detection, weight)
            place = old.place.blend(new.place, weight)
            yield self._sighting(old.person.number, self._held[position], detection, place)

    def _sighting(self, track: int, frame: Frame, detection: Detection, place: Placement) -> Sighting:
        wide = Placement(place.x, place.y, place.side * self.widen, place.roll_deg)
        crop = cut(frame.picture, wide, self.crop_px)
        return Sighting(
            track=track,
            window=frame.window,
            frame=frame.index,
            time_s=frame.time_s,
            box=detection.box,
            place=place,
            landmarks=detection.landmarks,
            crop=crop,
            sharpness=sharpness(crop),
            yaw_deg=yaw_deg(detection.landmarks),
        )


def thumbnail(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture as small as cuts are noticed in."""
    return np.asarray(cv2.resize(picture[::4, ::4], (32, 18), interpolation=cv2.INTER_AREA), np.uint8)


def is_cut(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> bool:
    """Whether the thumbnails of two neighbouring frames are so unlike that they belong to different shots."""
    return float(cv2.absdiff(before, after).mean()) > CUT_DIFFERENCE


def match(
    old: list[tuple[float, float, float, float]], new: list[tuple[float, float, float, float]]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs (old, new) of boxes by greatest overlap first, and the new ones left over."""
    ranked = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(old) for j, b in enumerate(new)), reverse=True
    )
    pairs: list[tuple[int, int]] = []
    for shared, i, j in ranked:
        if shared >= MIN_OVERLAP and all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    taken = {j for _, j in pairs}
    return pairs, [j for j in range(len(new)) if j not in taken]


def colours(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Histogram of hue and saturation over the middle of a crop, summing to one."""
    edge = crop.shape[0] // 5
    hsv = cv2.cvtColor(crop[edge:-edge, edge:-edge], cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1], None, [18, 8], [0, 180, 0, 256])
    return np.asarray(histogram / max(float(histogram.sum()), 1.0), np.float32)


def recognised(
    people: list[_Person], detection: Detection, looks: npt.NDArray[np.float32], *, alone: bool
) -> _Person | None:
    """The person of an earlier shot whom a newly found face continues, if any."""
    best = max(people, key=lambda person: overlap(person.box, detection.box), default=None)
    if best is None:
        return None
    likeness = cv2.compareHist(best.likeness, looks, cv2.HISTCMP_CORREL)
    if overlap(best.box, detection.box) >= MIN_OVERLAP:
        return best if likeness >= MIN_LIKENESS else None
    return best if alone and len(people) == 1 and likeness >= LONE_LIKENESS else None


def interpolated(a: Detection, b: Detection, weight: float) -> Detection:
    """The detection ``weight`` of the way from one to the other."""
    box = tuple((1 - weight) * x + weight * y for x, y in zip(a.box, b.box, strict=True))
    points = (1 - weight) * a.landmarks + weight * b.landmarks
    return Detection(
        box=(box[0], box[1], box[2], box[3]),
        landmarks=points.astype(np.float32),
        confidence=min(a.confidence, b.confidence),
    )
