"""The same clips compressed, reduced, blurred and made noisy: what becomes of the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.evaluation.control import controls
from detector.evaluation.judging import Job, Judge
from detector.evaluation.measures import (
    Measure,
    Measured,
    Outcome,
    auc,
    coverage,
    decided_accuracy,
    difference,
    false_alarm_rate,
    inconclusive_share,
    measured_in,
    sample_of,
)
from detector.evaluation.outcomes import main_subsets, outcomes_of
from detector.evaluation.reencoding import DEGRADATIONS, Quality, reencode
from detector.evaluation.tables import FIGURE, SIZE, Row, cells, defined, size, write_table
from detector.training.labels import Clip

AS_IS = "as_is"
MEASURED: dict[str, Measure] = {
    "auc": auc,
    "accuracy_of_decided": decided_accuracy,
    "inconclusive_share": inconclusive_share,
    "coverage": coverage,
    "reals_called_fake": false_alarm_rate,
}


@dataclass(frozen=True, slots=True)
class Reencoded:
    """The one source in another quality."""

    quality: Quality

    @property
    def name(self) -> str:
        return repr(self.quality)

    def make(self, sources: Sequence[Path], target: Path) -> None:
        reencode(sources[0], target, self.quality)


def judge_degraded(judge: Judge, clips: Sequence[Clip]) -> dict[str, list[Outcome]]:
    """The clips' outcomes under each degradation."""
    judged = {}
    for quality in DEGRADATIONS:
        jobs = [Job((clip.path,), Reencoded(quality)) for clip in clips]
        judged[quality.name] = outcomes_of(clips, judge.judge(jobs, quality.name))
    return judged


def figures_of(plain: Sequence[Outcome], degraded: Sequence[Outcome]) -> dict[str, Measured]:
    """The measures of degraded clips, with the drop of the AUC against the same clips as they are."""
    sample = sample_of(degraded)
    found = {name: measured_in(sample, measure) for name, measure in MEASURED.items()}
    if degraded is not plain:
        found["auc_drop"] = difference(sample_of(plain), sample, auc)
    return {name: figure for name, figure in {**found, **controls(degraded)}.items() if defined(figure)}


def robustness(
    plain: Sequence[Outcome], judged: Mapping[str, Sequence[Outcome]]
) -> dict[tuple[str, str], tuple[Sequence[Outcome], dict[str, Measured]]]:
    """By subset and degradation: the outcomes and their figures."""
    return {
        (part.name, name): (part.among(outcomes), figures_of(part.outcomes, part.among(outcomes)))
        if name != AS_IS
        else (part.outcomes, figures_of(part.outcomes, part.outcomes))
        for part in main_subsets(plain)
        for name, outcomes in {AS_IS: plain, **judged}.items()
    }


def write_robustness(
    path: Path,
    found: Mapping[tuple[str, str], tuple[Sequence[Outcome], dict[str, Measured]]],
    facts: Mapping[str, str],
) -> None:
    rows: list[Row] = [
        [subset, degradation, name, *cells(figure), *size(outcomes)]
        for (subset, degradation), (outcomes, figures) in found.items()
        for name, figure in figures.items()
    ]
    write_table(path, ["subset", "degradation", "measure", *FIGURE, *SIZE], rows, facts)
