"""Trees of empty files in the layouts of data sets, for tests in which nothing is decoded."""

from pathlib import Path


def touch(folder: Path, *names: str) -> None:
    """Make empty files with their folders."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
