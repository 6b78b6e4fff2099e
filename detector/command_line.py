"""The command line: the detector's one door, for scripts and people.

Exit status 0: every clip was analysed; 2: bad usage; 3: at least one could not be; 4: no usable weights.
"""

import argparse
import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import detector
from detector.codes import REASON_SENTENCES, Failure
from detector.config import BACKBONES, DEVICES, FACE_FINDERS, DetectorConfig
from detector.errors import AnalysisError, ConfigError, NoWeights
from detector.result import AnalysisResult, Document, FaceResult, error_document

ANALYSED, BAD_USAGE, SOME_FAILED, NO_WEIGHTS, INTERRUPTED = 0, 2, 3, 4, 130


@dataclass(frozen=True, slots=True)
class Report:
    """Where the answers go. ``evidence``: the folder for images, or None."""

    as_json: bool
    evidence: Path | None
    several: bool

    def folder_for(self, number: int, clip: str) -> Path | None:
        """One clip's images lie in the folder itself; of several, each has a numbered folder inside."""
        if self.evidence is None or not self.several:
            return self.evidence
        return self.evidence / f"{number:02}-{re.sub(r'[^A-Za-z0-9._-]+', '_', Path(clip).stem)[:80]}"

    def result(self, clip: str, result: AnalysisResult) -> None:
        if self.as_json:
            print_json(result.to_document(shown(clip)))
        else:
            say("\n".join(readable(clip, result)))

    def failure(self, clip: str, code: Failure) -> None:
        document = error_document(shown(clip), code)
        if self.as_json:
            print_json(document)
        else:
            say(f"failed: {shown(clip)}\n  {document['error']['message']} [{code}]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        return analyze(options)
    except ConfigError as error:
        parser.error(str(error))
    except NoWeights as error:
        print(f"{error.sentence} ({shown(error.detail)})", file=sys.stderr)
        return NO_WEIGHTS
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has seen enough; Python must not try to flush to it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m detector",
        description="Check whether the faces in videos were manipulated.",
        epilog="Exit status: 0 all analysed, 2 bad usage, 3 at least one clip could not be analysed, "
        "4 no usable weights.",
    )
    analyse = parser.add_subparsers(dest="command", required=True).add_parser(
        "analyze", help="print a verdict for each clip", epilog=parser.epilog
    )
    analyse.add_argument("clips", nargs="+", metavar="CLIP")
    analyse.add_argument(
        "--json", action="store_true", help="print one JSON document a line, in the order given"
    )
    analyse.add_argument(
        "--evidence",
        type=Path,
        metavar="DIR",
        help="write face crops and heatmaps here; of several clips each gets a numbered folder inside",
    )
    usual = DetectorConfig()
    add = analyse.add_argument
    add("--backbone", default=usual.backbone, metavar="NAME", help=f"one of {', '.join(BACKBONES)}")
    add("--model-path", type=Path, metavar="FILE", help="weights with their card beside them")
    add("--device", default=usual.device, choices=DEVICES)
    add("--threshold", type=float, default=usual.threshold, metavar="T", help="fake at or above it")
    add("--stability", action="store_true", help="judge again after compression and scaling")
    add("--sequence-length", type=int, default=usual.sequence_length, metavar="N", help="20 to 40 frames")
    add("--face-finder", default=usual.face_finder, choices=FACE_FINDERS)
    return parser


def analyze(options: argparse.Namespace) -> int:
    """Analyse every clip. Raises ConfigError and NoWeights before any of them is opened."""
    config = DetectorConfig(
        backbone=options.backbone,
        model_path=options.model_path,
        device=options.device,
        threshold=options.threshold,
        stability=options.stability,
        sequence_length=options.sequence_length,
        face_finder=options.face_finder,
    )
    report = Report(options.json, options.evidence, len(options.clips) > 1)
    if report.evidence is not None:
        make_folder(report.evidence)
    detector.find_weights(config)
    detector.warm(config)
    codes = [one(clip, config, report, number) for number, clip in enumerate(options.clips, 1)]
    return SOME_FAILED if any(codes) else ANALYSED


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The evidence can't be written: {error}") from error


def one(clip: str, config: DetectorConfig, report: Report, number: int) -> Failure | None:
    """Analyse one clip and report it. Returns the code of its failure."""
    try:
        with Progress(clip) as progress:
            result = detector.analyze(clip, config=config, on_progress=progress)
    except NoWeights:
        raise
    except AnalysisError as error:
        code, detail = error.code, error.detail
    except Exception:
        code, detail = Failure.CRASHED, traceback.format_exc()
    else:
        write_evidence(result, report.folder_for(number, clip))
        report.result(clip, result)
        return None
    if detail:
        print(f"{shown(clip)}: {printable(detail.strip())}", file=sys.stderr)
    report.failure(clip, code)
    return code


def write_evidence(result: AnalysisResult, folder: Path | None) -> None:
    if folder is None:
        return
    make_folder(folder)
    for entry in result.evidence:
        (folder / entry.crop).write_bytes(entry.crop_jpeg)
        (folder / entry.heatmap).write_bytes(entry.heatmap_png)


class Progress:
    """Shows how far a clip is, on one line, to someone who watches a terminal."""

    def __init__(self, clip: str) -> None:
        self._clip = shown(clip)
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._print("")

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._print(f"{self._clip}: {stage} {done}/{total}" if total else f"{self._clip}: {stage}")

    def _print(self, text: str) -> None:
        if self._shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def readable(clip: str, result: AnalysisResult) -> list[str]:
    """A verdict for people, line by line."""
    value = result.fake_probability
    scored = "no score" if value is None else f"probability of manipulation {value:.2f}"
    lines = [f"{result.verdict}: {shown(clip)}", f"  {scored}; fake from {result.threshold:.2f}"]
    lines += [f"  {REASON_SENTENCES[reason]} [{reason}]" for reason in result.reasons]
    lines += [f"  {face_line(face)}" for face in result.faces]
    if result.stability is not None:
        lines.append(f"  {'stable' if result.stability.stable else 'unstable'} under compression and scaling")
    return [*lines, f"  {result.model.name} {result.model.version}, {result.timing.total_s:.1f} s"]


def face_line(face: FaceResult) -> str:
    value = "no score" if face.fake_probability is None else f"{face.fake_probability:.2f}"
    line = f"face {face.track}: {face.verdict} {value}, {face.first_s:.1f} to {face.last_s:.1f} s"
    why = f" [{', '.join(face.reasons)}]" if face.reasons else ""
    return f"{line}, {face.frames} frames, {face.quality.face_px} px high{why}"


def shown(name: str) -> str:
    """A file name fit to be printed and stored: odd bytes and control characters are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable(text: str) -> str:
    return "\n".join(shown(line) for line in text.splitlines())


def print_json(document: Document) -> None:
    say(json.dumps(document, allow_nan=False))


def say(text: str) -> None:
    print(text, flush=True)
