"""What is seen of a clip's faces: decode, find, follow; a sideways clip is looked at again, turned."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np

from detector.codes import Failure
from detector.config import MARGIN, DetectorConfig
from detector.errors import AnalysisError
from detector.faces import FaceFinder, reduced
from detector.provenance import provenance_of, reading_credentials
from detector.reading import ClipReader, Frame, open_clip
from detector.result import ProgressHook, Provenance, SampledWindow, StopHook, VideoFacts
from detector.tracks import FaceTracker, Sighting
from detector.verdict import MIN_FRAMES


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass over a clip's windows showed. Times are seconds."""

    video: VideoFacts
    sightings: list[Sighting]
    windows: tuple[SampledWindow, ...]
    bits_per_pixel: float
    truncated: bool
    provenance: Provenance
    probe_s: float
    decode_s: float
    faces_s: float


@dataclass(slots=True)
class Watch:
    """Passes frames on: counts them, times the wait, notes each window with one small picture, may stop."""

    report: ProgressHook
    should_stop: StopHook
    turns: int = 0
    waited_s: float = 0.0
    samples: dict[int, Frame] = field(default_factory=dict)
    windows: dict[int, SampledWindow] = field(default_factory=dict)

    def frames(self, clip: ClipReader) -> Iterator[Frame]:
        self.report("decode", 0, clip.expected)
        source = iter(clip.frames())
        done = 0
        while True:
            began = perf_counter()
            frame = next(source, None)
            self.waited_s += perf_counter() - began
            if frame is None:
                return
            check(self.should_stop)
            frame = replace(frame, picture=np.ascontiguousarray(np.rot90(frame.picture, self.turns)))
            if frame.window not in self.samples:
                self.samples[frame.window] = replace(frame, picture=reduced(frame.picture)[0].copy())
            self.windows[frame.window] = with_frame(self.windows.get(frame.window), frame)
            yield frame
            done += 1
            self.report("faces", done, max(done, clip.expected))


class Listener(Protocol):
    """Hears of every face as soon as it is cut out.

    ``restart`` says that a look at the clip begins, and that faces of an earlier one don't count.
    """

    def restart(self, video: VideoFacts) -> None: ...

    def add(self, seen: Sighting) -> None: ...


def with_frame(window: SampledWindow | None, frame: Frame) -> SampledWindow:
    """The window up to this frame."""
    time_s = round(frame.time_s, 3)
    if window is None:
        return SampledWindow(frame.window, frame.index, frame.index, time_s, time_s, 1)
    return replace(window, last_frame=frame.index, last_s=time_s, frames=window.frames + 1)


def check(should_stop: StopHook) -> None:
    """Raise the cancelled error once the caller wants to stop."""
    if should_stop():
        raise AnalysisError(Failure.CANCELLED)


def look(
    path: Path,
    finder: FaceFinder,
    margin: float,
    config: DetectorConfig,
    report: ProgressHook,
    should_stop: StopHook,
    listener: Listener | None = None,
) -> Look:
    """Follow every face of the clip. Where none is found upright, the picture is tried turned.

    margin: side of the crops as a multiple of the longer side of the face's box.
    """
    tracker = partial(FaceTracker, finder, widen=margin / MARGIN)
    seen, samples = look_once(path, tracker, config, Watch(report, should_stop), listener)
    if any_followed(seen.sightings):
        return seen
    turns = best_turn(samples, finder)
    if turns == 0:
        return seen
    again, _ = look_once(path, tracker, config, Watch(report, should_stop, turns), listener)
    if not any_followed(again.sightings):
        tell_again(seen, listener)
        return seen
    return replace(again, decode_s=seen.decode_s + again.decode_s, faces_s=seen.faces_s + again.faces_s)


def look_once(
    path: Path,
    tracker: Callable[[], FaceTracker],
    config: DetectorConfig,
    watch: Watch,
    listener: Listener | None,
) -> tuple[Look, list[Frame]]:
    began = perf_counter()
    with (
        open_clip(
            path,
            windows=config.windows,
            window_length=config.sequence_length,
            limits=config.limits,
            should_stop=watch.should_stop,
        ) as clip,
        reading_credentials(clip.file, clip.facts, config, watch.should_stop) as credentials,
    ):
        opened = perf_counter()
        if listener is not None:
            listener.restart(clip.video)
        followed = tracker().follow(watch.frames(clip))
        sightings = list(heard(as_played(followed, watch.turns, clip.video), listener))
        took = perf_counter() - opened
        seen = Look(
            video=clip.video,
            sightings=sightings,
            windows=tuple(watch.windows.values()),
            bits_per_pixel=clip.bits_per_pixel,
            truncated=clip.truncated,
            provenance=provenance_of(clip.facts, credentials.collect()),
            probe_s=opened - began,
            decode_s=watch.waited_s,
            faces_s=took - watch.waited_s,
        )
    return seen, list(watch.samples.values())


def heard(sightings: Iterable[Sighting], listener: Listener | None) -> Iterator[Sighting]:
    for seen in sightings:
        if listener is not None:
            listener.add(seen)
        yield seen


def tell_again(seen: Look, listener: Listener | None) -> None:
    """The earlier look counts after all."""
    if listener is not None:
        listener.restart(seen.video)
        for sighting in seen.sightings:
            listener.add(sighting)


def as_played(sightings: Iterable[Sighting], turns: int, video: VideoFacts) -> Iterator[Sighting]:
    """The sightings with their boxes in the picture as it is played, not as it was turned to be looked at."""
    for seen in sightings:
        yield replace(seen, box=turned_back(seen.box, turns, video)) if turns else seen


def any_followed(sightings: Iterable[Sighting]) -> bool:
    """Whether any face was seen in enough frames to be judged."""
    counts: dict[int, int] = {}
    for seen in sightings:
        counts[seen.track] = counts.get(seen.track, 0) + 1
    return max(counts.values(), default=0) >= MIN_FRAMES


def best_turn(samples: list[Frame], finder: FaceFinder) -> int:
    """Quarter turns (counter-clockwise) at which the samples show most faces; 0 where no turn shows any."""
    found = {
        turns: sum(
            len(finder.find(np.ascontiguousarray(np.rot90(sample.picture, turns)))) for sample in samples
        )
        for turns in (1, 2, 3)
    }
    best = max(found, key=lambda turns: found[turns])
    return best if found[best] else 0


def turned_back(
    box: tuple[float, float, float, float], turns: int, video: VideoFacts
) -> tuple[float, float, float, float]:
    """A box of the picture after quarter turns, in pixels of the picture as it is played."""
    width, height = (video.height, video.width) if turns % 2 else (video.width, video.height)
    for _ in range(turns):
        left, top, right, bottom = box
        width, height = height, width
        box = (width - bottom, left, width - top, right)
    return box
