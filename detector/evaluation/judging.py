"""Documents of many clips through the command line, in parallel, with a record that outlives a killed run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import av
from tqdm import tqdm

import detector
from detector.codes import Failure
from detector.command_line import ANALYSED, SOME_FAILED
from detector.result import Document, error_document

CLIPS_A_RUN = 32
"""Clips that one run of the command line is given: its start costs as much as some clips do."""
LEFT_OUT = {"frames", "evidence"}
"""Fields of a document that no figure reads, left out of the record."""


class Recipe(Protocol):
    """How a clip is made before it is judged. ``name`` says what is done, and never means two things."""

    @property
    def name(self) -> str: ...

    def make(self, sources: Sequence[Path], target: Path) -> None:
        """Write the clip. Raises ValueError or an error of av where the sources can't be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """One clip to judge: a file as it is, or what a recipe makes of one or several."""

    sources: tuple[Path, ...]
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip's document without its frames, and its video stream's bitrate (None where it can't be read)."""

    document: Document
    kbit_s: float | None


@dataclass(slots=True)
class Record:
    """What was judged so far: a file with one JSON line a clip, written as soon as a clip is done."""

    path: Path
    _known: dict[str, Judged] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # the run before was killed in the middle of a line
            self.path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            entry = json.loads(line)
            self._known[entry["key"]] = Judged(entry["document"], entry["kbit_s"])

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Judged:
        return self._known[key]

    def add(self, key: str, judged: Judged) -> None:
        entry = {"key": key, "kbit_s": judged.kbit_s, "document": judged.document}
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            self._known[key] = judged


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges clips through ``python -m detector analyze --json``.

    options: of the command line. context: everything beside clip and recipe that a document depends on.
    """

    options: tuple[str, ...]
    context: str
    record: Record
    processes: int = 2

    def judge(self, jobs: Sequence[Job], title: str, *options: str) -> list[Judged]:
        """One answer a job, in order. ``options`` are added to the judge's own."""
        sweep(self.record.path.parent)
        keys = [self._key(job, options) for job in jobs]
        missing = {key: job for key, job in zip(keys, jobs, strict=True) if key not in self.record}
        parts = chunks(list(missing.items()), self.processes)
        with (
            tqdm(total=len(missing), desc=title, disable=None) as bar,
            ThreadPoolExecutor(self.processes) as pool,
        ):
            for _ in pool.map(lambda part: self._run(part, options, bar), parts):
                pass
        shutil.rmtree(scratch(self.record.path.parent))
        return [self.record[key] for key in keys]

    def _key(self, job: Job, options: Sequence[str]) -> str:
        done = job.recipe.name if job.recipe else "as is"
        what = [self.context, *options, done, *(content_hash(path) for path in job.sources)]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def _run(self, part: Sequence[tuple[str, Job]], options: Sequence[str], bar: Any) -> None:
        """Make what has to be made, judge it in one run of the command line, and record each answer."""
        with tempfile.TemporaryDirectory(dir=scratch(self.record.path.parent)) as folder:
            ready: list[tuple[str, Path]] = []
            for number, (key, job) in enumerate(part):
                path = prepared(job, Path(folder) / f"{number}.mp4")
                if path is not None:
                    ready.append((key, path))
                    continue
                unreadable = error_document("", Failure.UNREADABLE)
                self.record.add(key, Judged(unreadable, None))
                bar.update()
            paths = [path for _, path in ready]
            # Documents come first in the zip: it then asks for one more, and they check their end.
            for document, (key, path) in zip(self._documents(paths, options), ready, strict=False):
                # What the detector refuses may be no video at all, though av makes pictures of it.
                self.record.add(key, Judged(slim(document), None if "error" in document else bitrate(path)))
                bar.update()

    def _documents(self, paths: Sequence[Path], options: Sequence[str]) -> Iterator[Document]:
        """Each document as soon as it is printed. Ends the evaluation where the command line breaks off."""
        if not paths:
            return
        command = [sys.executable, "-m", "detector", "analyze", "--json", *self.options, *options]
        threads = max(1, len(os.sched_getaffinity(0)) // self.processes)
        environment = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        count = 0
        with subprocess.Popen(
            [*command, *map(str, paths)], stdout=subprocess.PIPE, text=True, env=environment
        ) as run:
            for line in run.stdout or ():
                count += 1
                yield json.loads(line)
        if run.returncode not in (ANALYSED, SOME_FAILED) or count != len(paths):
            raise SystemExit(f"The detector ended with status {run.returncode} after {count} clips.")


def scratch(folder: Path) -> Path:
    """This process's folder for clips that are made, judged and deleted."""
    path = folder / f"clips-{os.getpid()}"
    path.mkdir(exist_ok=True)
    return path


def sweep(folder: Path) -> None:
    """Delete what killed runs left there: it may be pictures that nobody is to keep."""
    for left in folder.glob("clips-*"):
        if not Path("/proc", left.name.removeprefix("clips-")).exists():
            shutil.rmtree(left, ignore_errors=True)


def chunks(items: Sequence[tuple[str, Job]], processes: int) -> list[Sequence[tuple[str, Job]]]:
    """The items in parts of one run each, with work for every process."""
    size = max(1, min(CLIPS_A_RUN, -(-len(items) // processes)))
    return [items[start : start + size] for start in range(0, len(items), size)]


def prepared(job: Job, target: Path) -> Path | None:
    """The file to judge; None where it could not be made."""
    if job.recipe is None:
        return job.sources[0]
    try:
        job.recipe.make(job.sources, target)
    except (av.FFmpegError, ValueError, IndexError):
        return None
    return target


def slim(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in LEFT_OUT}


def bitrate(path: Path) -> float | None:
    """Kilobits a second of the video stream, from its packets; None where they can't be read."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = float(stream.time_base or 0)
            packets = [(p.size, float(p.duration or 0) * base) for p in container.demux(stream)]
    except (av.FFmpegError, IndexError):
        return None
    seconds = sum(duration for _, duration in packets)
    return sum(size for size, _ in packets) * 8 / 1000 / seconds if seconds else None


_hashes: dict[Path, str] = {}


def content_hash(path: Path) -> str:
    """SHA-256 of a file, read once in the life of the process."""
    if path not in _hashes:
        with path.open("rb") as file:
            _hashes[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[path]


def context_of(card: Path, options: Sequence[str]) -> str:
    """A digest of the weights, their calibration, the detector's code and the options.

    ``card`` is the JSON beside the weights; its metrics play no part, since an evaluation writes them.
    """
    fields = json.loads(card.read_text(encoding="utf-8"))
    fields.pop("metrics", None)
    digest = hashlib.sha256(json.dumps([fields, *options], sort_keys=True).encode())
    for path in sorted(Path(detector.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
