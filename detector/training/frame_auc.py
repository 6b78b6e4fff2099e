"""How well runs tell clips apart by single frames, without LSTM, calibration or limits of quality.

    python -m detector.training.frame_auc CONFIG[:SEED] ... --data FOLDER --split val

prints and writes, for each run and for the installed default model, the AUC over clips of the mean score of
frames spread over each clip, with its bootstrap interval over groups. Cheap enough to compare seeds, short
runs and margins (``--margins 1.3 1.16``) by; the figures of a finished model are those of
``detector.evaluation``.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from detector.config import DetectorConfig
from detector.evaluation.machine import machine_facts
from detector.evaluation.measures import Outcome, auc, measured
from detector.evaluation.outcomes import subsets
from detector.evaluation.tables import FIGURE, SIZE, Row, cells, size, write_table
from detector.loading import load_model
from detector.models import MODELS
from detector.preprocessing import INPUTS, Input
from detector.training.labels import Clip, read_split
from detector.training.settings import TrainConfig, read_config
from detector.training.train import FrameModel, clip_score, load_run
from detector.weights import find_weights

FRAMES = 12
RESULTS = Path("benchmarks/results/frame_models.csv")


def config_of(text: str) -> TrainConfig:
    """CONFIG, or CONFIG:SEED for a run that was started with ``--seed``."""
    path, _, seed = text.partition(":")
    config = read_config(Path(path))
    return replace(config, name=f"{config.name}_{seed}") if seed else config


def models(configs: Sequence[TrainConfig]) -> Iterator[tuple[str, FrameModel, Input]]:
    """Name, frame model and input of the installed default model and of each run."""
    weights = find_weights(DetectorConfig())
    installed = load_model(weights, torch.device("cpu"))
    how = Input(weights.mean, weights.std, weights.margin)
    yield f"{weights.name} {weights.version}", FrameModel(installed), how
    for config in configs:
        model = MODELS[config.model]()
        load_run(model, config.folder)
        yield config.name, FrameModel(model), INPUTS[config.model]


def outcome(model: FrameModel, clip: Clip, cache: Path, how: Input) -> Outcome:
    score = clip_score(model, clip, cache, how, FRAMES, torch.device("cpu"))
    return Outcome(
        fake=clip.fake,
        group=clip.group,
        source=clip.source,
        verdict="inconclusive",
        probability=score,
        seconds=float("nan"),
        method=clip.method,
        compression=clip.compression,
    )


@torch.inference_mode()
def rows_of(name: str, model: FrameModel, how: Input, clips: Sequence[Clip], cache: Path) -> list[Row]:
    """With crops of the margin that ``how`` states."""
    outcomes = [outcome(model.eval(), clip, cache, how) for clip in clips]
    return [
        [name, f"{how.margin:g}", part.by, part.name, "auc", *cells(figure), *size(part.outcomes)]
        for part in subsets(outcomes)
        if (figure := measured(part.outcomes, auc)).value == figure.value
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="AUC of runs by the mean of single frames.")
    parser.add_argument("configs", nargs="+", metavar="CONFIG[:SEED]")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="tune")
    parser.add_argument(
        "--margins", nargs="*", type=float, default=[], help="of the crops, not the models' own"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    configs = [config_of(text) for text in options.configs]
    clips = read_split(options.data, options.split)
    rows: list[Row] = []
    for name, model, how in models(configs):
        for margin in options.margins or [how.margin]:
            found = rows_of(name, model, replace(how, margin=margin), clips, configs[0].cache)
            print(
                f"{name}, margin {margin:g}",
                *(f"{r[3]} {r[5]} ({r[6]} to {r[7]})" for r in found),
                sep="\n  ",
            )
            rows += found
    date = datetime.now(UTC).date().isoformat()
    facts = {"split": options.split, "frames": str(FRAMES), "date": date, **machine_facts()}
    write_table(options.out, ["run", "margin", "by", "subset", "measure", *FIGURE, *SIZE], rows, facts)


if __name__ == "__main__":
    main()
