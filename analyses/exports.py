"""A result as files that other programs read: the document as JSON, the scored frames as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator

from analyses.detection import Document, Failure, error_document
from analyses.models import Analysis

FRAME_COLUMNS = (
    "file", "frame", "time_s", "track", "x", "y", "width", "height", "score", "threshold", "model",
)  # fmt: skip
ANALYSIS_COLUMNS = (
    "file", "uploaded", "state", "verdict", "fake_probability", "threshold", "model", "failure",
    "duration_s", "sha256", "number",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class NotFinished(LookupError):
    """The analysis has no result and no failure yet."""


def result_json(analysis: Analysis) -> Document:
    """The result document, or the error document of an analysis that ended without one.

    Raises :class:`NotFinished` while the analysis is waiting or running.
    """
    if not analysis.is_finished:
        raise NotFinished(str(analysis.uuid))
    if analysis.document is not None:
        document: Document = analysis.document
        return document
    return error_document(analysis.video.original_name, Failure(analysis.failure))


def frames_csv(analysis: Analysis) -> str:
    """The scored frames as RFC 4180 with a byte order mark, which spreadsheets need to read UTF-8.

    An analysis without a result has no frames, so only the header. Raises :class:`NotFinished`.
    """
    document = result_json(analysis)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(FRAME_COLUMNS)
    writer.writerows(_rows(document))
    return BYTE_ORDER_MARK + text.getvalue()


def _rows(document: Document) -> Iterator[list[str | float]]:
    if "error" in document:
        return
    name, threshold = safe_cell(document["path"]), document["threshold"]
    model = safe_cell(f"{document['model']['name']} {document['model']['version']}")
    for entry in document["frames"]:
        yield [
            name,
            entry["frame"],
            entry["time_s"],
            entry["track"],
            *entry["box"],
            entry["score"],
            threshold,
            model,
        ]


def analyses_csv(analyses: Iterable[Analysis]) -> str:
    """One line an analysis, with its video loaded; in the form of :func:`frames_csv`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(ANALYSIS_COLUMNS)
    writer.writerows(_analysis_row(analysis) for analysis in analyses)
    return BYTE_ORDER_MARK + text.getvalue()


def _analysis_row(analysis: Analysis) -> list[object]:
    """None becomes an empty cell."""
    return [
        safe_cell(analysis.video.original_name),
        analysis.created_at.isoformat(timespec="seconds"),
        analysis.state,
        analysis.verdict,
        analysis.fake_probability,
        analysis.threshold,
        safe_cell(f"{analysis.model_name} {analysis.model_version}".strip()),
        analysis.failure,
        analysis.duration_s,
        analysis.video.sha256,
        analysis.uuid,
    ]


def safe_cell(text: str) -> str:
    """Text that a spreadsheet won't run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
