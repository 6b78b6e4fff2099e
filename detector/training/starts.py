"""What a run ended with, for whatever goes on from it: its running average, rounded to half precision.

    python -m detector.training.starts detector/training/configs/efficientnet_first.toml

keeps that beside the code, so that all that follows can be repeated without the run. Rounded, the run itself
and what was kept of it give the same.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from detector.loading import halved
from detector.training.settings import read_config

KEPT = Path(__file__).parent / "kept"


def ended_with(folder: Path) -> dict[str, Tensor]:
    """CNN and frame output of a run, out of its folder or as kept here under the folder's name.

    Raises FileNotFoundError where neither is there.
    """
    run = folder / "checkpoint.pt"
    state = rounded_average(run) if run.is_file() else safetensors.torch.load_file(kept_file(folder.name))
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def steps_taken(folder: Path) -> int:
    """By a run, in its folder or as kept here."""
    run = folder / "checkpoint.pt"
    if run.is_file():
        return int(torch.load(run, weights_only=True, map_location="cpu")["step"])
    with safetensors.safe_open(kept_file(folder.name), "pt") as file:
        return int(file.metadata()["steps"])


def keep(folder: Path) -> Path:
    """Write what the run ended with. Returns the file."""
    path = kept_file(folder.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"steps": str(steps_taken(folder))}
    safetensors.torch.save_file(rounded_average(folder / "checkpoint.pt"), path, facts)
    return path


def rounded_average(checkpoint: Path) -> dict[str, Tensor]:
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")["average"]
    state.pop("n_averaged")
    return halved({name.removeprefix("module."): value for name, value in state.items()})


def kept_file(name: str) -> Path:
    return KEPT / f"{name}.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Keep what a run ended with, for another to go on from.")
    parser.add_argument("config", type=Path)
    print(keep(read_config(parser.parse_args(arguments).config).folder))


if __name__ == "__main__":
    main()
