"""False alarms by age, sex and group of people, over real still faces.

The detector's door takes videos only, so a still is judged by the frame model alone: its largest face is
found and cut as in a clip, scored once, and calibrated as a clip would be. A clip's probability rests on a
hundred frames and this one on one, so these rates compare people with one another. They are not the rates of
clips.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from detector.config import DetectorConfig
from detector.crops import cut, placement, sharpness, yaw_deg
from detector.engine import Engine, engine_for
from detector.evaluation.measures import Measured, wilson
from detector.evaluation.tables import Row, cells, write_table
from detector.result import FaceQuality
from detector.training.processes import worked
from detector.verdict import MIN_FRAMES, TrackEvidence, judge_face

STATED = ("age", "sex", "group")
AGE_BANDS = ((0, 12), (13, 17), (18, 29), (30, 44), (45, 59), (60, 74), (75, 130))


@dataclass(frozen=True, slots=True)
class Portrait:
    """A real still face and what its source says of the person; empty where it says nothing."""

    path: Path
    source: str
    age: str = ""
    sex: str = ""
    group: str = ""

    @property
    def age_band(self) -> str:
        if not self.age:
            return ""
        low, high = next((low, high) for low, high in AGE_BANDS if float(self.age) < high + 1)
        return f"{low}-{high}" if high < AGE_BANDS[-1][1] else f"{low} and over"


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a still. ``probability`` is None where no face was found."""

    portrait: Portrait
    verdict: str
    probability: float | None


def read_portraits(folder: Path, split: str) -> list[Portrait]:
    """The stills of one split of a folder with a ``faces.csv``; none where it has no such file."""
    table = folder / "faces.csv"
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [
            Portrait(folder / row["file"], row["source"], *(row.get(key) or "" for key in STATED))
            for row in csv.DictReader(file)
            if row["split"] == split
        ]


@torch.inference_mode()
def score(engine: Engine, portrait: Portrait, threshold: float) -> Score:
    """The verdict on a still's largest face, by the rules for faces too small, blurred or turned as well."""
    image = cv2.imread(str(portrait.path))
    picture = None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    found = [] if picture is None else engine.finder.find(picture)
    if picture is None or not found:
        return Score(portrait, "inconclusive", None)
    largest = max(found, key=lambda detection: detection.height)
    crop = cut(picture, placement(largest, engine.card.margin))
    features = engine.model.features(engine.prepared(crop[None]))
    logit, strangeness = engine.model.frame_logits(features), float(engine.model.strangeness(features))
    quality = FaceQuality(
        round(largest.height), sharpness(crop), yaw_deg(largest.landmarks), round(strangeness, 2)
    )
    # Said to be seen in enough frames: too few of them is no fault of a still.
    evidence = TrackEvidence(1, 0.0, 0.0, MIN_FRAMES, float(logit[0]), quality)
    face = judge_face(evidence, engine.card.calibration, threshold)
    return Score(portrait, str(face.verdict), face.fake_probability)


def score_one(job: tuple[Portrait, DetectorConfig]) -> Score:
    portrait, config = job
    return score(engine_for(config), portrait, config.threshold)


def score_all(portraits: Sequence[Portrait], config: DetectorConfig, processes: int) -> list[Score]:
    jobs = [(portrait, config) for portrait in portraits]
    return list(worked(score_one, jobs, processes, "stills", chunk=8))


KEYS: dict[str, Callable[[Portrait], str]] = {
    "all": lambda _: "all",
    "source": lambda p: p.source,
    "age": lambda p: p.age_band,
    "sex": lambda p: p.sex,
    "group": lambda p: p.group,
    "group_and_sex": lambda p: f"{p.group} {p.sex}" if p.group and p.sex else "",
}


def audit_rows(scores: Sequence[Score]) -> list[Row]:
    """Shares for each kind of people, with Wilson intervals: every still is another person."""
    rows: list[Row] = []
    for by, key in KEYS.items():
        for name in sorted({key(s.portrait) for s in scores} - {""}, key=by_number):
            part = [s for s in scores if key(s.portrait) == name]
            rows += [[by, name, measure, *cells(figure)] for measure, figure in shares(part).items()]
    return rows


def by_number(name: str) -> tuple[float, str]:
    """Bands in the order of their ages, other names by the alphabet."""
    first = name.split("-")[0].split(" ")[0]
    return (float(first) if first.isdigit() else 0.0, name)


def shares(scores: Sequence[Score]) -> dict[str, Measured]:
    return {
        "called_fake": share(s.verdict == "fake" for s in scores),
        "inconclusive": share(s.verdict == "inconclusive" for s in scores),
        "no_face_found": share(s.probability is None for s in scores),
        "above_half": share(s.probability > 0.5 for s in scores if s.probability is not None),
    }


def share(flags: Iterable[bool]) -> Measured:
    seen = list(flags)
    if not seen:
        return Measured(float("nan"), float("nan"), float("nan"))
    return Measured(sum(seen) / len(seen), *wilson(sum(seen), len(seen)), len(seen))


def write_audit(path: Path, scores: Sequence[Score], facts: Mapping[str, str]) -> None:
    write_table(path, ["by", "subset", "measure", "value", "low", "high", "n"], audit_rows(scores), facts)
