"""What a training run is told by its TOML file."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.crops import CROP_PX
from detector.training.augmentation import Qualities
from detector.training.samples import Shares


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a TOML file says. ``steps`` may be raised or lowered between two starts of the same run.

    start: ``imagenet``, ``installed`` for the weights that the detector itself uses, or the name of a run
    whose frame model is gone on with (``starts.py``). members: the runs that an ensemble is made of; it
    isn't trained itself. weights: what its file is called, where not as the model.
    teacher: backbone of the installed model to learn from, in place of the labels. pixels: crops are reduced
    to so many, except for a teacher. workers: processes that make the crops, beside those that train; 0 has
    these make them. echoes: how often a pair is learnt from, for a GPU that is faster than what makes the
    pairs. pairs: folder of pairs that ``detector.training.pairs`` makes. parts: the run sees one of so many
    parts of these, another for each seed. minutes: the run ends by then, whatever ``steps`` says, and the
    learning rate falls accordingly.
    """

    name: str
    model: str = "efficientnet_lstm"
    start: str = "imagenet"
    members: tuple[str, ...] = ()
    weights: str = ""
    teacher: str = ""
    pixels: int = CROP_PX
    workers: int = 0
    echoes: int = 1
    pairs: Path | None = None
    parts: int = 1
    minutes: float = 0.0
    data: Path = Path("data")
    cache: Path = Path("runs/cache")
    runs: Path = Path("runs")
    steps: int = 2400
    batch_pairs: int = 16
    learning_rate: float = 4e-4
    weight_decay: float = 1e-2
    warmup: int = 100
    average: float = 0.998
    seed: int = 1
    processes: int = 2
    evaluate_every: int = 400
    save_every: int = 100
    shares: Shares = field(default_factory=Shares)
    qualities: Qualities = field(default_factory=Qualities)

    def __post_init__(self) -> None:
        if self.minutes and self.processes > 1:
            raise ValueError("minutes: processes that train together can't each look at their own clock")

    @property
    def folder(self) -> Path:
        return self.runs / self.name


def read_config(path: Path) -> TrainConfig:
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    values["shares"] = Shares(**values.pop("shares", {}))
    values["qualities"] = Qualities(**values.pop("qualities", {}))
    values["members"] = tuple(values.get("members", ()))
    for key in {"data", "cache", "runs", "pairs"} & values.keys():
        values[key] = Path(values[key])
    return TrainConfig(**values)


def progress(config: TrainConfig, step: int, seconds: float) -> float:
    """The share of the run that is done, by steps or by time, whichever is further."""
    by_time = seconds / (60 * config.minutes) if config.minutes else 0.0
    return max(step / config.steps, by_time)


def learning_rate(config: TrainConfig, step: int, seconds: float = 0.0) -> float:
    """Warm-up, a plateau, then a straight line to zero over the last quarter."""
    left = (1 - progress(config, step, seconds)) / 0.25
    return config.learning_rate * max(0.01, min(1.0, (step + 1) / config.warmup, left))
