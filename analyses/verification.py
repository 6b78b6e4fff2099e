"""Checks a file that was taken away of a result: whether it is whole, and whether it belongs to a clip.

It shows that report, clip and model belong together. Who made the report it can't show.
"""

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from analyses.archive import MANIFEST
from analyses.detection import AnalysisError, AnalysisResult, analyze, config_of_weights
from analyses.exports import FRAME_COLUMNS, frame_rows
from analyses.pdf.document import ATTACHMENT
from analyses.spreadsheets import BYTE_ORDER_MARK, csv_lines
from analyses.templatetags.figures import percent
from analyses.wording import VERDICTS

MOST_BYTES = 512 * 1024 * 1024
"""Of everything in an archive together, and of any other file."""
PROBABILITY_TOLERANCE, SCORE_TOLERANCE = 0.01, 0.02
"""Processors differ in the last digits; a score that differs by more comes from something else."""
DAMAGES = (
    PyPdfError, BadZipFile, zlib.error, ValueError, LookupError, TypeError, AttributeError, RuntimeError,
)  # fmt: skip
"""What the readers of PDF, ZIP, JSON and CSV raise for a file that is not as it should be."""

Score = tuple[int, int]
"""A frame and a face."""


class NotAReport(Exception):
    """The file is none of those that can be taken away of a result. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    matches: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a file says that a second analysis can confirm. A CSV names no verdict, so that is None there."""

    clip_sha256: str
    model_sha256: str
    threshold: float
    scores: Mapping[Score, float]
    verdict: str | None = None
    fake_probability: float | None = None
    stability: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    claims: Claims
    findings: tuple[Finding, ...]


def check_report(content: bytes) -> Checked:
    """Check a PDF, ZIP, JSON or CSV by itself. Raises :class:`NotAReport`."""
    try:
        if content.startswith(b"%PDF-"):
            return _check_pdf(content)
        if content.startswith(b"PK\x03\x04"):
            return _check_zip(content)
        if content.lstrip()[:1] == b"{":
            return _check_json(content)
        if content.startswith(f"{BYTE_ORDER_MARK}{FRAME_COLUMNS[0]},".encode()):
            return _check_csv(content)
    except DAMAGES as error:
        raise NotAReport(
            f"The file is damaged, or not made by TruthLens ({type(error).__name__})."
        ) from error
    raise NotAReport("The file is no PDF, ZIP, JSON or CSV made by TruthLens.")


def check_clip(claims: Claims, clip: Path) -> Iterator[Finding]:
    """Compare the clip's hash; where it is the same clip, analyse it again and compare what comes out."""
    digest = sha256_of(clip)
    if digest != claims.clip_sha256:
        yield Finding(False, f"The clip is another one: its SHA-256 is {digest}, not {claims.clip_sha256}.")
        return
    yield Finding(True, f"The clip has the SHA-256 that the file names, {digest}.")
    config = config_of_weights(claims.model_sha256)
    if config is None:
        yield Finding(False, f"The model {claims.model_sha256} is not installed, so nothing can be compared.")
        return
    yield Finding(True, f"The model that the file names is installed, {claims.model_sha256}.")
    config = replace(config, threshold=claims.threshold, stability=claims.stability)
    try:
        result = analyze(clip, config=config)
    except AnalysisError as error:
        yield Finding(False, f"The clip could not be analysed again: {error.sentence}")
        return
    yield from _compare(claims, result)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(claims: Claims, result: AnalysisResult) -> Iterator[Finding]:
    if claims.verdict is not None:
        same = str(result.verdict) == claims.verdict
        yield Finding(same, f"Verdict: {claims.verdict} in the file, {result.verdict} now.")
        close = _close(claims.fake_probability, result.fake_probability)
        said, now = _number(claims.fake_probability), _number(result.fake_probability)
        yield Finding(close, f"Probability: {said} in the file, {now} now.")
    scores = {(entry.frame, entry.track): entry.score for entry in result.frames}
    if set(scores) != set(claims.scores):
        words = f"{len(claims.scores)} in the file, {len(scores)} now"
        yield Finding(False, f"The scored frames are not the same ones: {words}.")
        return
    apart = max((abs(scores[key] - score) for key, score in claims.scores.items()), default=0.0)
    yield Finding(
        apart <= SCORE_TOLERANCE, f"{len(scores)} frame scores: they differ by {apart:.4f} at the most."
    )


def _close(said: float | None, now: float | None) -> bool:
    if said is None or now is None:
        return said is now
    return abs(said - now) <= PROBABILITY_TOLERANCE


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _check_json(content: bytes) -> Checked:
    document = _document(content)
    return Checked(_claims(document), tuple(_consistent(document)))


def _document(content: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(content)
    if "error" in document:
        code = document["error"]["code"]
        raise NotAReport(
            f"The file says that the analysis ended without a result ({code}): nothing to check."
        )
    if document["schema"] != 1:
        raise NotAReport("The file was made by another version of TruthLens.")
    return document


def _claims(document: Mapping[str, Any]) -> Claims:
    return Claims(
        clip_sha256=document["video"]["sha256"],
        model_sha256=document["model"]["sha256"],
        threshold=float(document["threshold"]),
        scores={(entry["frame"], entry["track"]): float(entry["score"]) for entry in document["frames"]},
        verdict=document["verdict"],
        fake_probability=document["fake_probability"],
        stability=document["stability"] is not None,
    )


def _consistent(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A verdict must lie on its side of the limits. One that abstains may do so at any number."""
    verdict, value, threshold = document["verdict"], document["fake_probability"], document["threshold"]
    sides = {
        "fake": value is not None and value >= threshold,
        "real": value is not None and value <= 1 - threshold + 1e-6,
        "inconclusive": bool(document["reasons"]),
    }
    fits = sides.get(verdict, False)
    words = "fits" if fits else "does not fit"
    yield Finding(fits, f"The verdict, {verdict}, {words} the probability {_number(value)} and the limits.")


def _check_csv(content: bytes) -> Checked:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if not rows:
        raise NotAReport("The table holds no scored frame, so there is nothing to check.")
    first = rows[0]
    names = ("video_sha256", "model_sha256", "threshold")
    same = all(row[name] == first[name] for row in rows for name in names)
    words = "All rows are" if same else "Not all rows are"
    claims = Claims(
        clip_sha256=first["video_sha256"],
        model_sha256=first["model_sha256"],
        threshold=float(first["threshold"]),
        scores={(int(row["frame"]), int(row["track"])): float(row["score"]) for row in rows},
    )
    return Checked(claims, (Finding(same, f"{words} of one clip, one model and one limit."),))


def _check_pdf(content: bytes) -> Checked:
    reader = PdfReader(io.BytesIO(content))
    attached = reader.attachments[ATTACHMENT][0]
    digest = hashlib.sha256(attached).hexdigest()
    named = f"result-sha256:{digest}" in str(reader.metadata and reader.metadata.get("/Keywords"))
    document = _document(attached)
    findings = [
        Finding(
            named, f"The attached result has {'the' if named else 'not the'} SHA-256 that the PDF names."
        ),
        *_printed(reader, document, digest),
        *_consistent(document),
    ]
    return Checked(_claims(document), tuple(findings))


def _printed(reader: PdfReader, document: Mapping[str, Any], digest: str) -> Iterator[Finding]:
    """Whether what can be read in the PDF is what the result says."""
    printed = "".join("".join(page.extract_text() for page in reader.pages).split())
    number = document["fake_probability"]
    words = [
        ("the result’s verdict", VERDICTS[document["verdict"]].headline),
        ("the clip’s SHA-256", document["video"]["sha256"]),
        ("the model’s SHA-256", document["model"]["sha256"]),
        ("the result’s own SHA-256", digest),
    ]
    if number is not None:
        words.insert(1, ("the result’s probability", f"This clip: {percent(number, document['threshold'])}"))
    for name, text in words:
        there = "".join(text.split()) in printed
        yield Finding(there, f"The pages {'print' if there else 'do not print'} {name}.")


def _check_zip(content: bytes) -> Checked:
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise NotAReport("The archive holds more than TruthLens ever puts into one.")
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = _sums(files.pop(MANIFEST).decode())
    whole = [name for name, held in files.items() if hashlib.sha256(held).hexdigest() == sums.get(name)]
    inner = _check_json(files["result.json"])
    findings = [
        *_whole(files, sums, whole),
        *inner.findings,
        *_same_report(files),
        *_same_rows(files),
    ]
    return Checked(inner.claims, tuple(findings))


def _sums(text: str) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in text.splitlines())
    return {name: digest for digest, name in lines}


def _whole(files: Mapping[str, bytes], sums: Mapping[str, str], whole: list[str]) -> Iterator[Finding]:
    changed = sorted(set(files) & set(sums) - set(whole))
    missing, added = sorted(set(sums) - set(files)), sorted(set(files) - set(sums))
    for what, names in (("was changed", changed), ("is missing", missing), ("is not on the list", added)):
        yield from (Finding(False, f"In the archive, {name} {what}.") for name in names)
    if not changed + missing + added:
        yield Finding(True, f"All {len(files)} files of the archive have the SHA-256 of its list.")


def _same_report(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Nothing where the report is missing: the list of the archive has said so."""
    if "report.pdf" not in files:
        return
    reader = PdfReader(io.BytesIO(files["report.pdf"]))
    result = files["result.json"]
    same = reader.attachments[ATTACHMENT][0] == result
    yield Finding(same, f"The result attached to report.pdf is {'' if same else 'not '}result.json.")
    yield from _printed(reader, json.loads(result), hashlib.sha256(result).hexdigest())


def _same_rows(files: Mapping[str, bytes]) -> Iterator[Finding]:
    if "frames.csv" not in files:
        return
    rows = "".join(csv_lines(FRAME_COLUMNS, frame_rows(json.loads(files["result.json"]))))
    same = rows.encode() == files["frames.csv"]
    yield Finding(same, f"The rows of frames.csv are {'' if same else 'not '}those of result.json.")
