"""``python -m truthlens_client analyze FILE|FOLDER...``: submit, wait, write tables.

Exit status 0: all analysed, or accepted where nobody waits; 2: bad usage; 3: at least one could not be.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from truthlens_client.client import Client
from truthlens_client.documents import Analysis
from truthlens_client.errors import ApiError, Unreachable
from truthlens_client.tables import Outcome, write_csv, write_json

EXTENSIONS = (".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv")
FAILED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.url or not options.token:
        parser.error("Name the site and a token: --url and --token, or TRUTHLENS_URL and TRUTHLENS_TOKEN.")
    if not options.url.startswith(("http://", "https://")):
        parser.error(f"The site’s address begins with http:// or https://, not like {options.url}.")
    for table in (options.csv, options.json):
        if table is not None and not table.parent.is_dir():  # better now than after an hour
            parser.error(f"There is no folder {table.parent} to write to.")
    files = list(_files(options.paths, parser))
    if not files:
        parser.error("There is no video in what you named.")
    with Client(options.url, options.token) as client:
        outcomes = analyze(client, files, options)
    if options.csv:
        write_csv(options.csv, outcomes)
    if options.json:
        write_json(options.json, outcomes)
    return FAILED if any(outcome.failure for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="truthlens_client", description="Have videos judged by a TruthLens site."
    )
    command = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "analyze", help="submit videos"
    )
    command.add_argument("paths", nargs="+", type=Path, metavar="FILE|FOLDER")
    command.add_argument("--url", default=os.environ.get("TRUTHLENS_URL", ""), help="or TRUTHLENS_URL")
    command.add_argument(
        "--token",
        default=os.environ.get("TRUTHLENS_TOKEN", ""),
        help="or TRUTHLENS_TOKEN, which nobody else sees",
    )
    command.add_argument("--backbone", default="", metavar="NAME", help="another model than the standard one")
    command.add_argument("--stability", action="store_true", help="check compressed copies too")
    command.add_argument("--anew", action="store_true", help="analyse again what has a result")
    command.add_argument("--wait", action="store_true", help="wait for the results, as --csv and --json do")
    command.add_argument("--csv", type=Path, metavar="OUT", help="write a table of the results")
    command.add_argument("--json", type=Path, metavar="OUT", help="write the result documents")
    return parser


def _files(paths: Sequence[Path], parser: argparse.ArgumentParser) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file())
        elif path.is_file():
            yield path
        else:
            parser.error(f"There is no file {path}.")


def analyze(client: Client, files: Sequence[Path], options: argparse.Namespace) -> list[Outcome]:
    """All are handed in before the first is waited for, so that the site is never idle."""
    submitted = _submit_all(client, files, options)
    waits = options.wait or options.csv or options.json
    outcomes = _finish_all(client, submitted) if waits else [_accepted(*pair) for pair in submitted]
    outcomes = [_with_site(outcome, options.url) for outcome in outcomes]
    for outcome in outcomes:
        print(_line(outcome))
    if len(outcomes) > 1:
        print(_summary(outcomes), file=sys.stderr)
    return outcomes


Submitted = tuple[Path, "Analysis | Outcome"]


def _submit_all(client: Client, files: Sequence[Path], options: argparse.Namespace) -> list[Submitted]:
    submitted: list[Submitted] = []
    with _bar(sum(file.stat().st_size for file in files), "Sending", unit="B", unit_scale=True) as bar:
        for file in files:
            before = bar.n
            try:
                analysis: Analysis | Outcome = client.submit(
                    file,
                    backbone=options.backbone,
                    stability=options.stability,
                    anew=options.anew,
                    on_sent=lambda number, before=before: bar.update(before + number - bar.n),  # type: ignore[misc]
                )
            except (ApiError, Unreachable) as error:
                analysis = _refused(file, error)
            submitted.append((file, analysis))
    return submitted


def _finish_all(client: Client, submitted: Sequence[Submitted]) -> list[Outcome]:
    outcomes = []
    with _bar(len(submitted), "Analysing", unit="file") as bar:
        for file, analysis in submitted:
            outcomes.append(_finished(client, file, analysis, bar))
            bar.update()
    return outcomes


def _finished(client: Client, file: Path, analysis: "Analysis | Outcome", bar: "tqdm[None]") -> Outcome:
    if isinstance(analysis, Outcome):
        return analysis

    def show(current: Analysis) -> None:
        bar.set_postfix_str(f"{file.name}: {current.stage or current.state} {current.done}/{current.total}")

    try:
        ended = client.wait(analysis, on_progress=show)
        result = client.result(ended) if ended.state == "done" else None
    except (ApiError, Unreachable) as error:
        return replace(_refused(file, error), url=analysis.url)
    return Outcome(file, ended.state, ended.url, ended.failure, ended.message, result)


def _accepted(file: Path, analysis: "Analysis | Outcome") -> Outcome:
    if isinstance(analysis, Outcome):
        return analysis
    return Outcome(file, analysis.state, analysis.url)


def _refused(file: Path, error: Exception) -> Outcome:
    code = error.code if isinstance(error, ApiError) else "unreachable"
    return Outcome(file, "refused", failure=code, message=str(error))


def _with_site(outcome: Outcome, site: str) -> Outcome:
    """Its address as a browser or another program can open it."""
    return replace(outcome, url=f"{site.rstrip('/')}{outcome.url}") if outcome.url else outcome


def _summary(outcomes: Sequence[Outcome]) -> str:
    failed = sum(bool(outcome.failure) for outcome in outcomes)
    verdicts = Counter(outcome.result["verdict"] for outcome in outcomes if outcome.result)
    parts = [f"{number} {verdict}" for verdict, number in sorted(verdicts.items())]
    parts += [f"{failed} could not be analysed"] if failed else []
    return f"{len(outcomes)} files: {', '.join(parts) or 'all handed in'}."


def _line(outcome: Outcome) -> str:
    if outcome.failure:
        return f"{outcome.file}: {outcome.failure}: {outcome.message}"
    if outcome.result is None:
        return f"{outcome.file}: {outcome.state} {outcome.url}"
    probability = outcome.result["fake_probability"]
    shown = "" if probability is None else f", probability of a manipulated face {_percent(probability)}"
    return f"{outcome.file}: {outcome.result['verdict']}{shown}"


def _percent(probability: float) -> str:
    """As the pages put it: nothing is certain. Near a limit, 69.6% isn't rounded onto it."""
    if probability > 0.99:
        return "over 99%"
    if probability < 0.01:
        return "under 1%"
    return f"{probability:.1%}".replace(".0%", "%")


def _bar(total: int, what: str, **options: object) -> "tqdm[None]":
    """On the standard error stream, and only where somebody looks."""
    return tqdm(total=total, desc=what, disable=not sys.stderr.isatty(), leave=False, **options)
