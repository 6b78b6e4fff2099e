"""What is left of submitted clips when the site is ill-treated under load.

    python -m benchmarks.faults [--scene NAME] [--clips 200] [--kills 50] [--seed 0] [--short]
                                [--out benchmarks/results/faults.csv]

Each scene starts the whole site (broker, worker, web server, the tiny model) on folders of its own. Clients
hand in clips, whole and in pieces, and go on after every error. The database counts every end of an analysis
by a trigger. Exit status 1: a clip was lost, analysed twice, has no end or more than one, or a file has no
owner or is missing. ``--short`` is the first scene alone, small, and writes nothing.
"""

import argparse
import csv
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.facts import run_facts
from benchmarks.faults.scenes import SCENES, Figures, Size, Skipped

LARGE = "kills"
SHORT = Size(clips=10, kills=7, seed=0, pause_s=0.5)


def part_of(size: Size) -> Size:
    """For the other scenes, which take longer over each clip."""
    return replace(size, clips=-(-size.clips // 4), kills=-(-size.kills // 2))


def play(name: str, size: Size) -> Figures:
    print(f"{name} (seed {size.seed})", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tl-faults-") as folder:
        Path(folder).chmod(0o755)
        try:
            figures = SCENES[name](Path(folder) / "site", size)
        except Skipped as reason:
            print(f"  skipped: {reason}")
            return {"skipped": str(reason)}
        except BaseException:
            log = Path(folder) / "site" / "up.log"
            print(log.read_text(errors="replace")[-6000:] if log.exists() else "(no log)", file=sys.stderr)
            raise
    figures["seconds"] = round(time.monotonic() - began)
    for figure, value in figures.items():
        print(f"  {figure:34} {value}")
    return figures


def write(path: Path, facts: dict[str, object], found: dict[str, Figures]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["scene", "figure", "value", *facts])
        for scene, figures in found.items():
            for figure, value in figures.items():
                table.writerow([scene, figure, value, *facts.values()])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--scene", action="append", choices=SCENES, help="this one alone; may be repeated")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--short", action="store_true", help="under a minute, and nothing is written")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/faults.csv"))
    options = parser.parse_args()
    if options.short:
        return 0 if play(LARGE, SHORT)["clean"] else 1
    size = Size(options.clips, options.kills, options.seed, pause_s=2.0)
    facts = run_facts(seed=size.seed)
    found = {name: play(name, size if name == LARGE else part_of(size)) for name in options.scene or SCENES}
    write(options.out, facts, found)
    return 0 if all(figures.get("clean", True) for figures in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
