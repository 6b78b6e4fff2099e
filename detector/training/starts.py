"""What a run goes on from: the running average of another, rounded to half precision.

    python -m detector.training.starts detector/training/configs/efficientnet_first.toml

keeps that of a run that has ended beside the code, so that the next part of a training can be repeated
without it. Rounded, the run itself and what was kept of it give the same.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from detector.loading import halved
from detector.training.settings import TrainConfig, read_config

KEPT = Path(__file__).parent / "kept"


def averaged_state(folder: Path) -> dict[str, Tensor]:
    """The running average of CNN and frame output at a run's last checkpoint."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")["average"]
    state.pop("n_averaged")
    return {name.removeprefix("module."): value for name, value in state.items()}


def start_state(config: TrainConfig) -> dict[str, Tensor]:
    """What ``config.start`` ended with, out of its folder or as kept here.

    Raises FileNotFoundError where neither is there.
    """
    folder = config.runs / config.start
    if (folder / "checkpoint.pt").is_file():
        state = halved(averaged_state(folder))
    else:
        state = safetensors.torch.load_file(kept_file(config.start))
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def keep(config: TrainConfig) -> Path:
    """Write what the run ended with. Returns the file."""
    path = kept_file(config.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(halved(averaged_state(config.folder)), path)
    return path


def kept_file(name: str) -> Path:
    return KEPT / f"{name}.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Keep what a run ended with, for another to go on from.")
    parser.add_argument("config", type=Path)
    print(keep(read_config(parser.parse_args(arguments).config)))


if __name__ == "__main__":
    main()
