"""Thousands of hostile files through the limited child: how they end, and what they cost.

    python -m benchmarks.fuzz [--examples 3000] [--seed 0] [--out benchmarks/results/fuzz.csv]

First the fixed corpus, then what hypothesis makes of good clips, steered towards what takes long and much.
Every tenth file is also copied for browsers. Where strace is installed, a part of the files is opened under
it, and what else is opened is counted. Exit status 1: a file escaped its limits, ended without a code, or
had another one opened.
"""

import argparse
import csv
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, seed, settings, target

from benchmarks.facts import run_facts
from detector import child
from detector.child import PACKAGE_ROOT
from detector.tests import hostile
from detector.tests.fuzzing import LIMITS, Outcome, look

COPY_EVERY = 10
TRACED_OF_CORPUS = 40
CALLS = "open,openat,connect,execve"
OPENED = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)".*\) = \d+')
CONNECTED = re.compile(r"connect\(.*sa_family=AF_INET")
OWN: tuple[str, ...] = (sys.prefix, sys.base_prefix, PACKAGE_ROOT, "/usr/lib", "/lib", "/etc/ld.so", "/proc/")
OWN += ("/sys/", "/usr/share/locale", "/usr/share/zoneinfo", "/etc/localtime")
DEVICES = re.compile(r"/dev/(?:null|fd/\d+|urandom)")


@dataclass(slots=True)
class Tally:
    """Figures of one part of the run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    most_mb: float = 0.0
    most_space_mb: float = 0.0
    escaped: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: Outcome) -> None:
        self.outcomes[outcome.code] += 1
        self.longest_s = max(self.longest_s, outcome.seconds)
        self.most_mb = max(self.most_mb, outcome.peak_mb)
        self.most_space_mb = max(self.most_space_mb, outcome.space_mb)
        if not outcome.is_in_bounds:
            self.escaped.append(f"{name}: {outcome}")

    def figures(self) -> Iterator[tuple[str, object]]:
        yield "files", self.outcomes.total()
        yield from ((f"ended as: {code}", count) for code, count in sorted(self.outcomes.items()))
        yield "longest, s", f"{self.longest_s:.2f}"
        yield "limit, s", f"{LIMITS.decode_wall_s:g}"
        yield "most memory, MB", f"{self.most_mb:.0f}"
        yield "most address space, MB", f"{self.most_space_mb:.0f}"
        yield "limit of address space, MB", LIMITS.decode_memory_bytes // 2**20
        yield "over a limit, or without a code", len(self.escaped)


class Bench:
    """Opens one file after the other, and keeps those that escape."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self._path, self._kept = folder / "clip.mp4", kept
        self.read, self.copied = Tally(), Tally()

    def try_out(self, name: str, content: bytes) -> Outcome:
        self._path.write_bytes(content)
        outcome = look(self._path)
        self.read.add(name, outcome)
        if not outcome.is_in_bounds:
            self._keep(content)
        if self.read.outcomes.total() % COPY_EVERY == 0:
            self.copied.add(name, look(self._path, copy=True))
        return outcome

    def _keep(self, content: bytes) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        (self._kept / f"{len(self.read.escaped)}.bin").write_bytes(content)

    def parts(self) -> dict[str, Tally]:
        return {"read": self.read, "copied": self.copied}


def try_corpus(bench: Bench) -> None:
    for name, content in (*hostile.corpus(), *hostile.elsewhere("/etc/passwd")):
        bench.try_out(name, content)


def try_examples(bench: Bench, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(content=hostile.mutated())
    def each(content: bytes) -> None:
        outcome = bench.try_out("made by hypothesis", content)
        target(outcome.seconds, label="seconds")
        target(outcome.peak_mb, label="memory")

    each()


def trace(folder: Path) -> tuple[int, list[str]]:
    """How many files were opened under strace, and what beside them was opened or called."""
    secret = folder / "secret.mp4"
    secret.write_bytes(hostile.seeds()["h264.mp4"])
    files = [
        *hostile.elsewhere(str(secret)),
        *hostile.elsewhere("http://127.0.0.1:9/clip.mp4"),
        *islice(hostile.corpus(), 0, None, TRACED_OF_CORPUS),
    ]
    foreign = [found for name, content in files for found in _traced(folder, name, content)]
    return len(files), foreign


def _traced(folder: Path, name: str, content: bytes) -> Iterator[str]:
    path, log = folder / "traced.mp4", folder / "strace.log"
    path.write_bytes(content)
    log.unlink(missing_ok=True)
    plain = child.command
    strace = ["strace", "-D", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(log)]
    with patch.object(child, "command", lambda job, limits: [*strace, *plain(job, limits)]):
        look(path)
    if not log.exists():  # refused before any child was started
        return
    for line in log.read_text(errors="replace").splitlines():
        opened = OPENED.search(line)
        if opened and not opened[1].startswith(OWN) and not DEVICES.fullmatch(opened[1]):
            yield f"{name}: {opened[1]}"
        if CONNECTED.search(line):
            yield f"{name}: {line}"


def write(path: Path, facts: dict[str, object], parts: dict[str, list[tuple[str, object]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["part", "figure", "value", *facts])
        for part, figures in parts.items():
            for figure, value in figures:
                table.writerow([part, figure, value, *facts.values()])
                print(f"{part:10} {figure:34} {value}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--examples", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fuzz.csv"))
    parser.add_argument("--keep", type=Path, default=Path("var/fuzz"), help="folder for files that escape")
    options = parser.parse_args()
    facts = run_facts(seed=options.seed)
    with tempfile.TemporaryDirectory(prefix="tl-fuzz-") as folder:
        bench = Bench(Path(folder), options.keep)
        try_corpus(bench)
        try_examples(bench, options.examples, options.seed)
        found = {name: list(tally.figures()) for name, tally in bench.parts().items()}
        foreign: list[str] = []
        if shutil.which("strace"):
            traced, foreign = trace(Path(folder))
            found["traced"] = [("files", traced), ("other files opened or called", len(foreign))]
        else:
            print("strace is not installed, so what else is opened was not looked at.")
        write(options.out, facts, found)
    escaped = [*bench.read.escaped, *bench.copied.escaped, *foreign]
    print("\n".join(escaped[:50]))
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
