"""Face crops cut once, kept on disk, read by memory map, so that no epoch decodes or searches again.

The crops are wider than the model's input by ``WIDEN`` at the same pixel density, so that training can shift,
turn and scale them without leaving the picture.
"""

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from detector.config import MARGIN
from detector.crops import CROP_PX, Placement, crop_matrix, cut, placement
from detector.faces import FaceFinder, MtcnnFinder
from detector.reading import Frame
from detector.tracks import FaceTracker, Sighting
from detector.training.labels import Clip, Still, read_clips, read_stills
from detector.training.processes import worked

CACHE_PX = 272
WIDEN = CACHE_PX / CROP_PX
WINDOWS, WINDOW_LENGTH = 4, 30


@dataclass(frozen=True, slots=True)
class CachedFaces:
    """The crops of one clip or of a batch of stills.

    crops: (n, 272, 272, 3) uint8 RGB, memory-mapped; landmarks: (n, 5, 2) in pixels of the crop;
    track, window, frame: (n,) integers; stills are a track each. The crops of one track follow each other.
    """

    name: str
    crops: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    track: npt.NDArray[np.int32]
    window: npt.NDArray[np.int32]
    frame: npt.NDArray[np.int32]


def cache_name(paths: Iterable[Path]) -> str:
    """A file name for the crops of those files.

    Four parts of each path count: FaceForensics++ has files of one name in the folders of all its methods and
    compressions.
    """
    names = ("/".join(path.parts[-4:]) for path in paths)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:20]


def load(folder: Path, name: str) -> CachedFaces:
    """The cached crops of that name. Raises FileNotFoundError where they were never cut."""
    facts = np.load(folder / f"{name}.npz")
    crops = np.load(folder / f"{name}.npy", mmap_mode="r")
    return CachedFaces(name, crops, facts["landmarks"], facts["track"], facts["window"], facts["frame"])


def main_face(faces: CachedFaces) -> CachedFaces:
    """The face that is seen longest, the first of several: in a fake clip others may be untouched."""
    if not len(faces.track):
        return faces
    _, firsts, counts = np.unique(faces.track, return_index=True, return_counts=True)
    longest = int(counts.argmax())
    part = slice(firsts[longest], firsts[longest] + counts[longest])
    return CachedFaces(
        faces.name,
        faces.crops[part],
        faces.landmarks[part],
        faces.track[part],
        faces.window[part],
        faces.frame[part],
    )


def as_served(crops: npt.NDArray[np.uint8], margin: float) -> npt.NDArray[np.uint8]:
    """(n, 224, 224, 3) crops as serving cuts them at that margin, out of (n, 272, 272, 3) cached ones."""
    side = 2 * round(CROP_PX * margin / MARGIN / 2)
    edge = (CACHE_PX - side) // 2
    inner = crops[:, edge:-edge, edge:-edge]
    resized = [cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR) for crop in inner]
    return np.array(resized, np.uint8).reshape(-1, CROP_PX, CROP_PX, 3)


def frames_in_windows(path: Path, windows: int = WINDOWS, length: int = WINDOW_LENGTH) -> Iterator[Frame]:
    """Windows of consecutive frames in the middle of equal parts of a short clip, decoded from its start."""
    with av.open(str(path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    starts = window_starts(count, windows, length)
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            inside = [w for w, start in enumerate(starts) if start <= index < start + length]
            if inside:
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                yield Frame(inside[0], index, float(frame.time or 0), turned(picture, frame.rotation))


def window_starts(count: int, windows: int, length: int) -> list[int]:
    """First frames of windows that do not overlap; fewer windows where the clip is short."""
    windows = max(1, min(windows, count // length))
    part = count / windows
    return [int(part * w + max(0.0, part - length) / 2) for w in range(windows)]


def turned(picture: npt.NDArray[np.uint8], rotation: float) -> npt.NDArray[np.uint8]:
    """The picture upright, given the rotation that the container states in degrees."""
    return np.ascontiguousarray(np.rot90(picture, round(rotation / 90) % 4))


def landmarks_in_crop(landmarks: npt.NDArray[np.float32], place: Placement) -> npt.NDArray[np.float32]:
    wide = Placement(place.x, place.y, place.side * WIDEN, place.roll_deg)
    matrix = crop_matrix(wide, CACHE_PX)
    return np.asarray(landmarks @ matrix[:, :2].T + matrix[:, 2], np.float32)


def cache_clip(clip: Clip, folder: Path, finder: FaceFinder) -> None:
    """Cut and store the faces of one clip, unless that was done before."""
    name = cache_name([clip.path])
    if (folder / f"{name}.npz").exists():
        return
    tracker = FaceTracker(finder, crop_px=CACHE_PX, widen=WIDEN)
    store(folder, name, list(tracker.follow(frames_in_windows(clip.path))))


def store(folder: Path, name: str, sightings: list[Sighting]) -> None:
    sightings = sorted(sightings, key=lambda seen: (seen.track, seen.frame))
    crops = np.array([seen.crop for seen in sightings], np.uint8).reshape(-1, CACHE_PX, CACHE_PX, 3)
    points = [landmarks_in_crop(seen.landmarks, seen.place) for seen in sightings]
    keep(
        folder,
        name,
        crops,
        landmarks=np.array(points, np.float32).reshape(-1, 5, 2),
        track=np.array([seen.track for seen in sightings], np.int32),
        window=np.array([seen.window for seen in sightings], np.int32),
        frame=np.array([seen.frame for seen in sightings], np.int32),
    )


def keep(folder: Path, name: str, crops: npt.NDArray[np.uint8], **facts: Any) -> None:
    """Written beside and then moved, the facts last: a kill never leaves what is taken for whole."""
    np.save(folder / f"{name}.part.npy", crops)
    np.savez(folder / f"{name}.part.npz", **facts)
    for ending in ("npy", "npz"):
        (folder / f"{name}.part.{ending}").replace(folder / f"{name}.{ending}")


def cache_stills(stills: list[Still], folder: Path, finder: FaceFinder) -> None:
    """Cut and store the largest face of each still."""
    name = cache_name([still.path for still in stills])
    if (folder / f"{name}.npz").exists():
        return
    crops, points = [], []
    for still in stills:
        picture = np.asarray(cv2.cvtColor(cv2.imread(str(still.path)), cv2.COLOR_BGR2RGB), np.uint8)
        found = max(finder.find(picture), key=lambda d: d.height, default=None)
        if found is not None:
            place = placement(found)
            wide = Placement(place.x, place.y, place.side * WIDEN, place.roll_deg)
            crops.append(cut(picture, wide, CACHE_PX))
            points.append(landmarks_in_crop(found.landmarks, place))
    numbers = np.arange(len(crops), dtype=np.int32)
    zeros = np.zeros_like(numbers)
    keep(
        folder,
        name,
        np.array(crops, np.uint8).reshape(-1, CACHE_PX, CACHE_PX, 3),
        landmarks=np.array(points, np.float32).reshape(-1, 5, 2),
        track=numbers,
        window=zeros,
        frame=zeros,
    )


def still_batches(stills: list[Still], size: int = 200) -> list[list[Still]]:
    return [stills[i : i + size] for i in range(0, len(stills), size)]


def _work(job: tuple[Clip | list[Still], Path]) -> None:
    item, folder = job
    global _finder
    _finder = _finder or MtcnnFinder()
    if isinstance(item, Clip):
        cache_clip(item, folder, _finder)
    else:
        cache_stills(item, folder, _finder)


_finder: MtcnnFinder | None = None


def build(data: Path, folder: Path, split: str, processes: int) -> None:
    """Cut every clip and still of a split into ``folder``; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    items: list[Clip | list[Still]] = [*read_clips(data, split), *still_batches(read_stills(data, split))]
    for _ in worked(_work, [(item, folder) for item in items], processes, f"faces of {split}"):
        pass


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cut the faces of a data set for training.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--split", default="train")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    build(options.data, options.cache, options.split, options.processes)


if __name__ == "__main__":
    main()
