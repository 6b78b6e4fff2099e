"""What a figure was measured with: hardware, versions and commit."""

import os
import platform
import subprocess
from pathlib import Path

import torch

import detector


def machine_facts() -> dict[str, str]:
    """Plain values for the columns of a CSV file."""
    return {
        "cpu": cpu_name(),
        "cores": str(len(os.sched_getaffinity(0))),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "truthlens": detector.__version__,
        "commit": commit(),
    }


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def commit() -> str:
    """The commit that the code stands at, marked where files differ from it.

    Outside a checkout, as in a container, ``TRUTHLENS_COMMIT`` says it, or it is empty.
    """
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.strip() or os.environ.get("TRUTHLENS_COMMIT", "")
