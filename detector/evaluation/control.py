"""What blur, face size and bitrate alone would tell: the control beside every AUC.

Where real and fake clips come from different cameras or encoders, a model that has learned nothing of
manipulation may still tell them apart. What these three numbers reach is the part of an AUC that proves
nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from detector.evaluation.measures import (
    NO_SCORE,
    Measured,
    Outcome,
    Sample,
    Values,
    auc,
    measured_in,
    sample_of,
)

CUES = ("sharpness", "face_px", "kbit_s")
FOLDS = 5


def cue(outcomes: Sequence[Outcome], name: str) -> Values:
    """(clips,) logarithms of one cue; a clip that lacks it gets the median, which tells nothing."""
    found = [getattr(outcome, name) for outcome in outcomes]
    values = np.array([np.nan if value is None else np.log1p(value) for value in found], np.float64)
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), np.median(known) if len(known) else 0.0, values)


def better_way(sample: Sample) -> Sample:
    """The sample with its scores turned round where that gives the higher AUC."""
    value = auc(sample, np.ones((1, len(sample.fake))))[0]
    return replace(sample, score=-sample.score) if value < 0.5 else sample


def held_out(outcomes: Sequence[Outcome], sample: Sample) -> Values | None:
    """(clips,) scores of a logistic regression of all cues, each clip's by a fit without its group.

    None where there are fewer than five clips of a label, or all are of one group.
    """
    cues = np.stack([cue(outcomes, name) for name in CUES], axis=1)
    scores = np.full(len(sample.fake), NO_SCORE)
    fakes = int(sample.fake.sum())
    folds = min(FOLDS, len(np.unique(sample.group)))
    if folds < 2 or min(fakes, len(scores) - fakes) < FOLDS:
        return None
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for fit, rest in parts.split(cues, sample.fake, sample.group):
        if len(set(sample.fake[fit].tolist())) == 2:
            model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
            scores[rest] = model.fit(cues[fit], sample.fake[fit]).predict_proba(cues[rest])[:, 1]
    return scores


def control_samples(outcomes: Sequence[Outcome]) -> dict[str, Sample]:
    """The clips with what each control makes of them in place of the detector's score."""
    sample = sample_of(outcomes)
    alone = {name: better_way(replace(sample, score=cue(outcomes, name))) for name in CUES}
    together = held_out(outcomes, sample)
    return alone if together is None else {**alone, "all_three": replace(sample, score=together)}


def controls(outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    """AUC of each control on these clips; NaN unless both labels are there."""
    return {
        f"control_auc_{name}": measured_in(sample, auc) for name, sample in control_samples(outcomes).items()
    }
