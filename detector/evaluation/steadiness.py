"""What the stability check is worth: how many of the wrong and of the right verdicts it takes back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from detector.evaluation.judging import Job, Judge
from detector.evaluation.measures import (
    Measure,
    Outcome,
    Share,
    decided_accuracy,
    difference,
    false_alarm_rate,
    inconclusive_share,
    measured_in,
    miss_rate,
    sample_of,
)
from detector.evaluation.outcomes import main_subsets, outcomes_of
from detector.evaluation.tables import FIGURE, SIZE, Row, cells, defined, size, write_table
from detector.training.labels import Clip

BEFORE_AND_AFTER: dict[str, Measure] = {
    "accuracy_of_decided": decided_accuracy,
    "inconclusive_share": inconclusive_share,
    "reals_called_fake": false_alarm_rate,
    "fakes_called_real": miss_rate,
}


def judge_checked(judge: Judge, clips: Sequence[Clip]) -> list[Outcome]:
    """The clips' outcomes with the check switched on."""
    jobs = [Job((clip.path,)) for clip in clips]
    return outcomes_of(clips, judge.judge(jobs, "stability check", "--stability"))


def rows_of(subset: str, plain: Sequence[Outcome], checked: Sequence[Outcome]) -> list[Row]:
    """The check's figures for some clips, judged without it and with it."""
    before, after = sample_of(plain), sample_of(checked)
    turned = before.decided & ~after.decided
    figures = {
        "right_turned_inconclusive": measured_in(before, Share(lambda _: turned, lambda s: s.right)),
        "wrong_turned_inconclusive": measured_in(
            before, Share(lambda _: turned, lambda s: s.decided & ~s.right)
        ),
    }
    for name, measure in BEFORE_AND_AFTER.items():
        figures[f"{name}_without"] = measured_in(before, measure)
        figures[f"{name}_with"] = measured_in(after, measure)
        figures[f"{name}_change"] = difference(after, before, measure)
    return [[subset, name, *cells(f), *size(plain)] for name, f in figures.items() if defined(f)]


def write_steadiness(
    path: Path, plain: Sequence[Outcome], checked: Sequence[Outcome], facts: Mapping[str, str]
) -> None:
    rows = [
        row for part in main_subsets(plain) for row in rows_of(part.name, part.outcomes, part.among(checked))
    ]
    write_table(path, ["subset", "measure", *FIGURE, *SIZE], rows, facts)
