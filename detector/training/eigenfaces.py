"""Faces as an autoencoder would paint them: smooth, near the average, right in pose and wrong in detail.

Face swaps are mostly decoded by an autoencoder from a few hundred numbers. A linear one (Turk and Pentland
1991) has closed form, needs no training run and leaves the same kind of traces.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from detector.training.blending import (
    FACE,
    Image,
    Points,
    Recipe,
    Rng,
    face_mask,
    matched_in_part,
    paste,
    similarity,
)
from detector.training.cache import CachedFaces

FACE_PX = 64
CANONICAL: Points = np.asarray(FACE * 20 + np.array([32, 20]), np.float32)
"""Where the five landmarks lie in an aligned face."""
MOST = 256
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Eigenfaces:
    """mean: (12288,); components: (256, 12288), orthonormal, the strongest first; pixels from 0 to 1."""

    mean: Floats
    components: Floats

    def encode(self, face: Image) -> Floats:
        """(64, 64, 3) uint8 to (256,)."""
        return np.asarray(self.components @ (face.reshape(-1) / np.float32(255) - self.mean), np.float32)

    def decode(self, code: Floats) -> Image:
        """The first numbers of a code, as many as are given, to (64, 64, 3) uint8."""
        pixels = self.mean + code @ self.components[: len(code)]
        return np.asarray(np.clip(pixels * 255, 0, 255), np.uint8).reshape(FACE_PX, FACE_PX, 3)


def aligned(crop: Image, landmarks: Points) -> Image:
    """The face of a crop, (64, 64, 3), its landmarks near :data:`CANONICAL`."""
    small = cv2.resize(crop, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    matrix = similarity(np.asarray(landmarks / 2, np.float32), CANONICAL)
    return np.asarray(
        cv2.warpAffine(small, matrix, (FACE_PX, FACE_PX), borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def fit(faces: Iterable[CachedFaces], seed: int = 0) -> Eigenfaces:
    """Eigenfaces of 8 crops of each track."""
    rows = [
        aligned(np.array(each.crops[i]), each.landmarks[i]).reshape(-1)
        for each in faces
        for track in np.unique(each.track)
        for i in evenly(np.flatnonzero(each.track == track), 8)
    ]
    pixels = np.stack(rows).astype(np.float32) / 255
    pca = PCA(min(MOST, *pixels.shape), svd_solver="randomized", random_state=seed).fit(pixels)
    return Eigenfaces(np.asarray(pca.mean_, np.float32), np.asarray(pca.components_, np.float32))


def evenly(positions: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    """Up to ``count`` of the positions, from the first to the last."""
    return np.unique(positions[np.linspace(0, len(positions) - 1, count).astype(int)])


def kept(path: Path, faces: Iterable[CachedFaces]) -> Eigenfaces:
    """The eigenfaces stored at ``path``, made from ``faces`` where there are none yet."""
    if not path.exists():
        made = fit(faces)
        part = path.with_name(f"{path.stem}-{os.getpid()}.part.npz")  # several processes may make it at once
        np.savez(part, mean=made.mean, components=made.components)
        part.replace(path)
    stored = np.load(path)
    return Eigenfaces(stored["mean"], stored["components"])


def decoded_blend(
    crop: Image, landmarks: Points, other: Floats, recipe: Recipe, eigenfaces: Eigenfaces
) -> Image:
    """The crop with its face as decoded from its code, drawn towards the code of another person."""
    rng = np.random.default_rng(recipe.seed + 3)
    code = eigenfaces.encode(aligned(crop, landmarks))
    numbers = int(2 ** rng.uniform(6, 8))
    towards = rng.uniform(0, 0.5)
    face = eigenfaces.decode(((1 - towards) * code + towards * other)[:numbers])
    return painted(crop, landmarks, face, recipe, rng)


def painted(crop: Image, landmarks: Points, face: Image, recipe: Recipe, rng: Rng) -> Image:
    """An aligned face laid over the crop where the landmarks are, now and then sharpened as tools do."""
    size = crop.shape[0]
    matrix = similarity(CANONICAL, landmarks)
    placed = cv2.warpAffine(
        face, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if rng.random() < 0.3:
        soft = cv2.GaussianBlur(placed, (0, 0), 3.0)
        placed = cv2.addWeighted(placed, 1.6, soft, -0.6, 0)
    mask = face_mask(landmarks, size, recipe)
    source = matched_in_part(np.asarray(placed, np.uint8), crop, mask, rng.uniform(0.6, 1.0))
    return paste(source, crop, mask * rng.uniform(0.4, 1.0))
