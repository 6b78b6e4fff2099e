"""Heatmaps: where in a face the deciding model saw signs of manipulation.

Class activation maps (Zhou et al. 2016). For a CNN that ends in an average over its feature maps they split
the logit fully: the mean over the cells of a map is the logit of its frame, so that a map can't look alarming
when the score is not. Colours have one fixed scale for all clips and are not stretched per image.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from detector.codes import Verdict
from detector.engine import Engine
from detector.result import Evidence
from detector.scoring import ScoredTrack, ScoredWindow
from detector.weights import Calibration

FULL_COLOUR = 16.0
"""Calibrated log-odds of a cell at which its colour is as strong as it gets."""
TOWARDS_FAKE, TOWARDS_REAL = (214, 73, 11), (24, 110, 196)
STRONGEST = 0.62


def logit_map(engine: Engine, window: ScoredWindow, position: int) -> npt.NDArray[np.float32]:
    """(7, 7) logits whose mean is what this frame gives to its window's sequence logit.

    What the LSTM adds belongs to no place in a single frame, so it is spread evenly.
    """
    model = engine.model
    with torch.inference_mode():
        crop = np.ascontiguousarray(window.sightings[position].crop[None])
        maps = model.feature_maps(engine.prepared(crop))[0]
        cells: Tensor = torch.einsum("c,chw->hw", model.frame_output.weight[0], maps)
    correction = window.sequence_logit - float(np.mean(window.frame_logits))
    share = window.frame_logits[position] + correction
    values = cells.float().cpu().numpy()
    return np.asarray(values + (share - values.mean()), np.float32)


def heatmap(
    crop: npt.NDArray[np.uint8], cells: npt.NDArray[np.float32], calibration: Calibration
) -> npt.NDArray[np.uint8]:
    """The crop under its map: orange where it looks manipulated, blue where real, plain where neither."""
    odds = calibration.scale * cells + calibration.offset
    size = crop.shape[1], crop.shape[0]
    odds = np.asarray(cv2.resize(odds, size, interpolation=cv2.INTER_CUBIC), np.float32)
    strength = np.clip(np.abs(odds) / FULL_COLOUR, 0, 1)[..., None] * STRONGEST
    colour = np.where(odds[..., None] > 0, TOWARDS_FAKE, TOWARDS_REAL)
    grey = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.asarray(grey * (1 - strength) + colour * strength, np.uint8)


def explain(
    engine: Engine, tracks: Sequence[ScoredTrack], deciding: int | None, verdict: Verdict, limit: int
) -> Iterator[Evidence]:
    """Evidence of the frames that drove the verdict, at most ``limit``."""
    for window, position in chosen(tracks, deciding, verdict)[:limit]:
        seen = window.sightings[position]
        cells = logit_map(engine, window, position)
        picture = heatmap(seen.crop, cells, engine.card.calibration)
        name = f"{seen.track}-{seen.frame}"
        yield Evidence(
            track=seen.track,
            frame=seen.frame,
            time_s=round(seen.time_s, 3),
            crop=f"{name}-crop.jpg",
            heatmap=f"{name}-heatmap.png",
            crop_jpeg=encoded(".jpg", seen.crop, [cv2.IMWRITE_JPEG_QUALITY, 90]),
            heatmap_png=encoded(".png", picture, []),
        )


def chosen(
    tracks: Sequence[ScoredTrack], deciding: int | None, verdict: Verdict
) -> list[tuple[ScoredWindow, int]]:
    """The strongest frame of each window of the deciding face, then one of each other face.

    For ``real`` the strongest frame is the most real-looking one, otherwise the most suspicious.
    """
    sign = -1.0 if verdict == Verdict.REAL else 1.0
    first = [track for track in tracks if track.track == deciding]
    others = [track for track in tracks if track.track != deciding]
    picks = [strongest(window, sign) for track in first for window in track.windows]
    picks.sort(key=lambda pick: -sign * pick[0].frame_logits[pick[1]])
    return picks + [
        max((strongest(w, 1.0) for w in t.windows), key=lambda p: p[0].frame_logits[p[1]]) for t in others
    ]


def strongest(window: ScoredWindow, sign: float) -> tuple[ScoredWindow, int]:
    logits = window.frame_logits
    return window, max(range(len(logits)), key=lambda position: sign * logits[position])


def encoded(kind: str, picture: npt.NDArray[np.uint8], options: list[int]) -> bytes:
    _, content = cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    return bytes(content)
