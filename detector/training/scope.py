"""Where a model's knowledge ends: what the features of training faces have in common, and what lacks it.

A drawn or animated face, or a pattern taken for a face, gets a score like any other crop. How far its
features lie from those of photographed faces tells it apart, as far as the figures on the card say.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from skimage import data

from detector.crops import CROP_PX
from detector.models import SCOPE_DIRECTIONS, CnnLstm
from detector.preprocessing import Input, to_tensor
from detector.training.blending import Image
from detector.training.cache import as_served, cache_name, load, main_face
from detector.training.labels import Clip

FRAMES = 4
"""Of a clip's face, spread evenly."""
EVERY = 10
"""Neighbouring frames of a window hardly differ."""
ORDINARY = 0.99
"""The share of ordinary clips that stay in scope."""
BATCH = 16
FACELESS = ("chelsea", "coffee", "rocket")
"""Pictures of scikit-image that show no human face."""


@torch.no_grad()
def set_scope(model: CnnLstm, features: torch.Tensor) -> None:
    """The subspace in which faces differ, from (n, time, features_width) windows of real and fake ones."""
    frames = features[:, ::EVERY, : model.scope_width].float().flatten(0, 1)
    middle = frames.mean(dim=0)
    _, _, directions = torch.linalg.svd(frames - middle, full_matrices=False)
    basis = directions[:SCOPE_DIRECTIONS]
    inside = (frames - middle) @ basis.T
    left = (frames - middle).square().sum(dim=1) - inside.square().sum(dim=1)
    model.scope_mean.copy_(middle)
    model.scope_basis[: len(basis)].copy_(basis)
    model.scope_spread.copy_(left.mean().clamp(min=1e-6))


def limit_of(strangeness: Sequence[float]) -> float:
    """Up to where a face is in scope, from the values of ordinary clips."""
    return round(float(np.quantile(strangeness, ORDINARY)), 2)


def scope_figures(
    model: CnnLstm, how: Input, clips: Sequence[Clip], cache: Path, limit: float
) -> dict[str, float]:
    """Shares that are out of scope: of the clips' faces, drawn, and of pictures without faces."""
    faces = [crops for clip in clips if len(crops := spread_crops(cache, clip, how.margin))]
    figures = {
        name: share_beyond(model, how, [[draw(crop) for crop in crops] for crops in faces], limit)
        for name, draw in DRAWINGS.items()
    }
    return figures | {"pictures_without_faces": share_beyond(model, how, faceless_crops(), limit)}


@torch.inference_mode()
def share_beyond(model: CnnLstm, how: Input, faces: Sequence[Sequence[Image]], limit: float) -> float:
    crops = [crop for face in faces for crop in face]
    batches = [crops[at : at + BATCH] for at in range(0, len(crops), BATCH)]
    features = torch.cat([model.features(to_tensor(np.stack(batch), how)) for batch in batches])
    strange = [float(model.strangeness(part)) for part in features.split([len(face) for face in faces])]
    return round(float(np.mean([value > limit for value in strange])), 3)


def spread_crops(cache: Path, clip: Clip, margin: float) -> npt.NDArray[np.uint8]:
    """(n, 224, 224, 3) crops of the clip's main face, as serving cuts them; none where no face was found."""
    faces = main_face(load(cache, cache_name([clip.path])))
    picked = np.linspace(0, len(faces.crops) - 1, min(FRAMES, len(faces.crops)))
    return as_served(faces.crops[picked.astype(int)], margin)


def faceless_crops(a_picture: int = 20) -> list[list[Image]]:
    """Random parts of :data:`FACELESS`, each as one crop."""
    rng, crops = np.random.default_rng(0), []
    for name in FACELESS:
        picture = getattr(data, name)()
        for _ in range(a_picture):
            down, across = (int(rng.integers(side - CROP_PX)) for side in picture.shape[:2])
            crops.append([np.ascontiguousarray(picture[down : down + CROP_PX, across : across + CROP_PX])])
    return crops


def pencil(crop: Image) -> Image:
    grey, _ = cv2.pencilSketch(crop, sigma_s=60, sigma_r=0.07, shade_factor=0.05)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def painted(crop: Image) -> Image:
    return np.asarray(cv2.stylization(crop, sigma_s=60, sigma_r=0.45), np.uint8)


def cartoon(crop: Image) -> Image:
    """Flat colours with dark outlines."""
    flat = cv2.pyrMeanShiftFiltering(crop, 20, 40) // 40 * 40 + 20
    grey = cv2.medianBlur(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), 7)
    edges = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 4)
    return np.where(edges[..., None] == 0, 0, flat).astype(np.uint8)


DRAWINGS: dict[str, Callable[[Image], Image]] = {"pencil": pencil, "painted": painted, "cartoon": cartoon}
