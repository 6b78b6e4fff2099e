"""How long clips wait for a worker, by load and number of workers, simulated with measured times.

    python -m benchmarks.queue_simulation [--out benchmarks/results/queue_simulation.csv]

Clips come at random (a Poisson process) and are taken in their order by whichever worker is free. A clip
takes as long as one of the validation clips took (``benchmarks/results/efficientnet/val/clips.csv``), drawn
at random: one worker with the cores named there to itself, the model loaded. Fetching files, writing rows and
rush hours are not simulated, and other clips are longer or larger.
"""

import argparse
import csv
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from math import ceil
from pathlib import Path
from random import Random

MEASURED = Path("benchmarks/results/efficientnet/val/clips.csv")
LOADS = (0.5, 0.8, 0.95)
WORKERS = (1, 4, 16, 64)
CLIPS = 200_000
WARM_UP = 20_000
"""Clips at the beginning that are not counted: the queue begins empty."""
DAY_S = 86_400
MILLION = 1_000_000
FACTS = ("model", "weights_sha256", "date", "cpu", "cores", "gpu", "python", "torch", "truthlens", "commit")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds between a clip's coming and its being taken."""

    median_s: float
    p95_s: float
    p99_s: float


def simulate(times_s: Sequence[float], *, workers: int, load: float, clips: int, seed: int = 0) -> Waits:
    """``load``: the share of the workers' time that is taken, under 1."""
    random = Random(seed)
    pace = load * workers / statistics.fmean(times_s)
    free_at, now, waits = [0.0] * workers, 0.0, []
    for _ in range(clips + WARM_UP):
        now += random.expovariate(pace)
        begins = max(now, free_at[0])
        heapreplace(free_at, begins + random.choice(times_s))
        waits.append(begins - now)
    cuts = statistics.quantiles(waits[WARM_UP:], n=100)
    return Waits(cuts[49], cuts[94], cuts[98])


def measured(path: Path) -> tuple[list[float], dict[str, str]]:
    """Seconds of each clip, and what they were measured with."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [float(row["seconds"]) for row in rows], {name: rows[0][name] for name in FACTS}


def lines(times_s: Sequence[float]) -> Iterator[dict[str, object]]:
    mean = statistics.fmean(times_s)
    for load in LOADS:
        for workers in (*WORKERS, workers_for(MILLION, mean, load)):
            waits = simulate(times_s, workers=workers, load=load, clips=CLIPS)
            yield {
                "load": load,
                "workers": workers,
                "clips_a_day": round(load * workers * DAY_S / mean),
                "service_mean_s": f"{mean:.3f}",
                "wait_median_s": f"{waits.median_s:.3f}",
                "wait_p95_s": f"{waits.p95_s:.3f}",
                "wait_p99_s": f"{waits.p99_s:.3f}",
            }


def workers_for(clips_a_day: int, mean_s: float, load: float) -> int:
    return ceil(clips_a_day * mean_s / DAY_S / load)


def write(path: Path, found: Sequence[Mapping[str, object]], facts: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*found[0], *facts])
        table.writeheader()
        table.writerows({**line, **facts} for line in found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue_simulation")
    parser.add_argument("--measured", type=Path, default=MEASURED)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/queue_simulation.csv"))
    options = parser.parse_args()
    times_s, facts = measured(options.measured)
    found = list(lines(times_s))
    write(options.out, found, facts)
    for line in found:
        print("  ".join(f"{name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
