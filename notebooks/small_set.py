"""A small labelled set that the notebooks run on: one person, scikit-image's astronaut (NASA, public domain).

A camera that moves over the picture gives real clips. For the fakes the face was blended with itself first,
under a mask, in another colour or resolution. Such a set shows the way that data takes and nothing of faces.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from detector.faces import MtcnnFinder
from detector.training.blending import draw_recipe, self_blend

Picture = npt.NDArray[np.uint8]

SIZE = (480, 360)
FRAMES, FPS = 36, 25
HEAD = (slice(15, 235), slice(115, 335))
"""Rows and columns of a square around the head in the astronaut's picture."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One walk of the camera, with its own light; odd scenes are mirrored."""

    number: int
    split: str

    @property
    def name(self) -> str:
        return f"scene{self.number}"

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.number)


def make_set(folder: Path, train: int = 0, val: int = 0) -> Path:
    """Write that many scenes of each split as a real and a fake clip, with their ``groups.csv``."""
    scenes = [Scene(number, "train" if number < train else "val") for number in range(train + val)]
    rows = []
    for scene in scenes:
        for label in ("real", "fake"):
            (folder / label).mkdir(parents=True, exist_ok=True)
            file = f"{label}/{scene.name}_{label}.mp4"
            write(folder / file, scene, fake=label == "fake")
            rows.append([file, scene.name, scene.name, scene.split])
    with (folder / "groups.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([["file", "group", "scene", "split"], *rows])
    return folder


def write(path: Path, scene: Scene, *, fake: bool) -> None:
    """One clip as H.264, without sound."""
    options = {"crf": str(scene.rng.integers(18, 26)), "preset": "veryfast"}
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in pictures(scene, fake=fake):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


def pictures(scene: Scene, *, fake: bool) -> Iterator[Picture]:
    """Frames of (height, width, 3) RGB; a real clip and its fake see the same, frame by frame."""
    rng = scene.rng
    still = lit(blended(scene) if fake else astronaut(), rng.uniform(0.8, 1.2, 3))
    if scene.number % 2:
        still = np.ascontiguousarray(still[:, ::-1])
    speed, phase = rng.uniform(0.04, 0.12, 4), rng.uniform(0, 6, 4)
    for frame in range(FRAMES):
        across, down, zoom, turn = np.sin(speed * frame + phase)
        centre = (225 if scene.number % 2 == 0 else 287) + 18 * across, 125 + 12 * down
        matrix = cv2.getRotationMatrix2D(centre, 4 * turn, 1.8 + 0.15 * zoom)
        matrix[:, 2] += np.array(SIZE) / 2 - centre
        yield np.asarray(cv2.warpAffine(still, matrix, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)


def lit(picture: Picture, gains: npt.NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(picture * gains, 0, 255), np.uint8)


def blended(scene: Scene) -> Picture:
    """The astronaut with her face blended over itself."""
    recipe = replace(draw_recipe(scene.rng), outline="face", ratio=1.0, change_source=True)
    picture = astronaut()
    picture[HEAD] = self_blend(np.ascontiguousarray(picture[HEAD]), landmarks(), recipe)
    return np.asarray(picture, np.uint8)


@cache
def landmarks() -> npt.NDArray[np.float32]:
    """(5, 2) pixels inside the head's square."""
    found = MtcnnFinder().find(np.ascontiguousarray(astronaut()))
    points = max(found, key=lambda face: face.height).landmarks
    return np.asarray(points - np.array([HEAD[1].start, HEAD[0].start]), np.float32)
