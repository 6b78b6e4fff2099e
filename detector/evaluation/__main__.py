"""Judge the clips of a labelled split through the command line, and measure the verdicts.

    python -m detector.evaluation --data FOLDER --split val [--robustness] [--faces] [--stability] [--time]
        [--audit]

prints a table and writes CSV files and plots to benchmarks/results/BACKBONE/SPLIT. The split ``tune`` is the
part of ``train`` that models are chosen and calibrated on. Documents are kept in the folder of --work, so
that a run that was ended goes on where it was.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from detector.config import DEVICES, FACE_FINDERS, DetectorConfig
from detector.evaluation import plots
from detector.evaluation.audit import read_portraits, score_all, write_audit
from detector.evaluation.card import metrics_of, write_card
from detector.evaluation.crowds import judge_crowds, write_crowds
from detector.evaluation.gates import write_gates
from detector.evaluation.judging import Job, Judge, Record, content_hash, context_of
from detector.evaluation.machine import machine_facts
from detector.evaluation.measures import Outcome
from detector.evaluation.outcomes import Subset, outcomes_of, subsets
from detector.evaluation.robustness import judge_degraded, robustness, write_robustness
from detector.evaluation.steadiness import judge_checked, write_steadiness
from detector.evaluation.tables import Figures, figures_of, printed, write_clips, write_figures
from detector.evaluation.temporal import write_temporal
from detector.training.labels import Clip, DatasetError, read_split
from detector.weights import find_weights

RESULTS, WORK = Path("benchmarks/results"), Path("runs/evaluation")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Clips with who judges them, where figures go, and what every row says of how it was measured."""

    clips: list[Clip]
    judge: Judge
    folder: Path
    facts: dict[str, str]

    def outcomes(self) -> list[Outcome]:
        jobs = [Job((clip.path,)) for clip in self.clips]
        return outcomes_of(self.clips, self.judge.judge(jobs, "clips"))

    def figures(self, outcomes: Sequence[Outcome]) -> list[tuple[Subset, Figures]]:
        parts = [(part, figures_of(part.outcomes)) for part in subsets(outcomes)]
        write_figures(self.folder / "figures.csv", parts, self.facts)
        write_clips(self.folder / "clips.csv", outcomes, self.facts)
        plots.draw_outcomes(self.folder / "plots", outcomes)
        return parts

    def degraded(self, outcomes: Sequence[Outcome]) -> dict[str, Figures]:
        """Figures of all clips under each degradation; those of each data set are written too."""
        judged = judge_degraded(self.judge, self.clips)
        found = robustness(outcomes, judged)
        write_robustness(self.folder / "robustness.csv", found, self.facts)
        every = [*outcomes, *chain.from_iterable(judged.values())]
        write_gates(self.folder / "gates.csv", every, DetectorConfig().threshold, self.facts)
        figures = {name: figures for (subset, name), (_, figures) in found.items() if subset == "all"}
        areas, control = (
            {name: figure[key] for name, figure in figures.items() if key in figure}
            for key in ("auc", "control_auc_all_three")
        )
        if areas:
            plots.draw_degradations(self.folder / "plots", areas, control)
        return figures

    def audit(self, data: Path, config: DetectorConfig) -> None:
        portraits = read_portraits(data, self.facts["split"])
        if portraits:
            scores = score_all(portraits, config, self.judge.processes)
            write_audit(self.folder / "audit.csv", scores, self.facts)
        else:
            print("There are no still faces of this split to audit.")

    def crowds(self) -> None:
        judged = judge_crowds(self.judge, self.clips)
        if judged:
            write_crowds(self.folder / "faces.csv", judged, self.facts)
        else:
            print("Too few reals of different groups to show five people in one picture.")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m detector.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, usual = parser.add_argument, DetectorConfig()
    add("--data", type=Path, required=True, help="a folder of labelled clips, in any known layout")
    add("--split", default="val", help="train, tune, val, or test where a data set has one")
    add("--limit", type=int, metavar="N", help="N clips only, for a trial; written to a folder of their own")
    add("--robustness", action="store_true", help="also the clips compressed, reduced, blurred and noisy")
    add("--faces", action="store_true", help="also five people in one picture")
    add("--stability", action="store_true", help="also what the stability check is worth")
    add("--time", action="store_true", help="also what becomes of it when frames change places")
    add("--audit", action="store_true", help="also false alarms on still faces by age, sex and group")
    add("--card", action="store_true", help="put the figures on the card of the weights too")
    add("--backbone", default=usual.backbone)
    add("--model-path", type=Path, metavar="FILE", help="weights with their card beside them")
    add("--device", default=usual.device, choices=DEVICES)
    add("--face-finder", default=usual.face_finder, choices=FACE_FINDERS)
    add("--processes", type=int, default=min(2, len(os.sched_getaffinity(0))))
    add("--out", type=Path, default=RESULTS, help="the folder of all results")
    add("--work", type=Path, default=WORK, help="where documents are kept between runs")
    return parser.parse_args(arguments)


def clips_of(data: Path, split: str, limit: int | None) -> list[Clip]:
    """The clips of a split, or ``limit`` of them: always the same ones, half of them fake if there are."""
    clips = read_split(data, split)
    if limit is None:
        return clips
    mixed = sorted(clips, key=lambda clip: content_hash(clip.path))
    fakes, reals = ([clip for clip in mixed if clip.fake is label] for label in (True, False))
    count = max(limit // 2, limit - len(reals))
    chosen = fakes[:count]
    return [*chosen, *reals[: limit - len(chosen)]]


def evaluation_of(options: argparse.Namespace, config: DetectorConfig) -> Evaluation:
    weights = find_weights(config)
    command = ["--backbone", config.backbone, "--device", config.device, "--face-finder", config.face_finder]
    if config.model_path:
        command += ["--model-path", str(config.model_path)]
    card = weights.path.with_suffix(".json")
    record = Record(options.work / f"{weights.sha256[:16]}.jsonl")
    judge = Judge(tuple(command), context_of(card, command), record, max(1, options.processes))
    facts = {
        "split": options.split,
        "model": f"{weights.name} {weights.version}",
        "weights_sha256": weights.sha256,
        "date": datetime.now(UTC).date().isoformat(),
        **machine_facts(),
    }
    name = options.model_path.stem if options.model_path else config.backbone
    part = options.split if options.limit is None else f"{options.split}-limit-{options.limit}"
    clips = clips_of(options.data, options.split, options.limit)
    return Evaluation(clips, judge, options.out / name / part, facts)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    config = DetectorConfig(
        backbone=options.backbone,
        model_path=options.model_path,
        device=options.device,
        face_finder=options.face_finder,
    )
    try:
        run = evaluation_of(options, config)
    except DatasetError as error:
        raise SystemExit(str(error)) from error
    outcomes = run.outcomes()
    parts = run.figures(outcomes)
    print(printed(parts))
    degraded = run.degraded(outcomes) if options.robustness else {}
    if options.stability:
        checked = judge_checked(run.judge, run.clips)
        write_steadiness(run.folder / "stability.csv", outcomes, checked, run.facts)
    if options.faces:
        run.crowds()
    if options.time:
        write_temporal(run.folder / "temporal.csv", run.clips, config, run.facts)
    if options.audit:
        run.audit(options.data, config)
    if options.card:
        card = find_weights(config).path.with_suffix(".json")
        write_card(card, options.split, metrics_of(parts, degraded, run.facts["date"]))
    print(f"Written to {run.folder}")


if __name__ == "__main__":
    main()
