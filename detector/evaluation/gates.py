"""What a limit of quality is worth: how right verdicts are where a clip is seen well, and where it isn't.

Clips as they are and degraded, in six parts of equal size by each quality, judged by their probability alone,
as if there were no limits. A limit belongs where the parts below it are hardly better than chance; where the
lowest sixth is too coarse to tell, it is cut finer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from detector.evaluation.control import controls
from detector.evaluation.measures import (
    Measure,
    Measured,
    Outcome,
    Share,
    auc,
    inconclusive_share,
    measured_in,
    sample_of,
)
from detector.evaluation.tables import FIGURE, SIZE, Row, cells, defined, size, write_table
from detector.verdict import outcome as verdict_of

PARTS = 6
QUALITIES: dict[str, Callable[[Outcome], float | None]] = {
    "face_px": lambda o: o.face_px,
    "sharpness": lambda o: o.sharpness,
    "yaw_deg": lambda o: o.yaw_deg,
    "frames": lambda o: o.frames,
    "bits_per_pixel": lambda o: o.bits_per_pixel,
}
EDGES: dict[str, tuple[float, ...]] = {
    "face_px": (0, 36, 48, 60),
    "bits_per_pixel": (0, 0.008, 0.012, 0.02),
}
"""Where the lowest values are cut finer."""
MEASURED: dict[str, Measure] = {
    "auc": auc,
    "inconclusive_share": inconclusive_share,
    "real_verdicts_right": Share(lambda s: ~s.fake, lambda s: s.called_real),
    "fake_verdicts_right": Share(lambda s: s.fake, lambda s: s.called_fake),
}


def ungated(outcomes: Sequence[Outcome], threshold: float) -> list[Outcome]:
    """Those that have a probability, each with the verdict that it alone gives."""
    return [
        replace(o, verdict=str(verdict_of(o.probability, threshold)))
        for o in outcomes
        if o.probability is not None
    ]


def parts_by(
    outcomes: Sequence[Outcome],
    quality: Callable[[Outcome], float | None],
    edges: Sequence[float] = (),
) -> list[tuple[float, float, list[Outcome]]]:
    """(least, most, outcomes) of each part, in the order of the quality, then of those between the edges."""
    known = sorted((value, at) for at, o in enumerate(outcomes) if (value := quality(o)) is not None)
    sixths = [[known[n] for n in numbers] for numbers in np.array_split(np.arange(len(known)), PARTS)]
    finer = [[item for item in known if low <= item[0] < high] for low, high in pairwise(edges)]
    return [(part[0][0], part[-1][0], [outcomes[at] for _, at in part]) for part in (*sixths, *finer) if part]


def gates(outcomes: Sequence[Outcome], threshold: float) -> list[Row]:
    """Rows of the table: quality, least and most of the part, measure, figure with interval, size."""
    rows: list[Row] = []
    for name, quality in QUALITIES.items():
        for least, most, part in parts_by(ungated(outcomes, threshold), quality, EDGES.get(name, ())):
            found = figures_of(part)
            rows += [
                [name, f"{least:.4g}", f"{most:.4g}", measure, *cells(figure), *size(part)]
                for measure, figure in found.items()
            ]
    return rows


def figures_of(part: Sequence[Outcome]) -> dict[str, Measured]:
    sample = sample_of(part)
    found = {name: measured_in(sample, measure) for name, measure in MEASURED.items()}
    return {name: figure for name, figure in {**found, **controls(part)}.items() if defined(figure)}


def write_gates(path: Path, outcomes: Sequence[Outcome], threshold: float, facts: Mapping[str, str]) -> None:
    header = ["quality", "least", "most", "measure", *FIGURE, *SIZE]
    write_table(path, header, gates(outcomes, threshold), facts)
