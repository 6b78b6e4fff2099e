"""A result as files that other programs read: the document as JSON, the scored frames as CSV."""

import json
from collections.abc import Iterator

from analyses.detection import Document, Failure, error_document
from analyses.models import Analysis
from analyses.spreadsheets import Cell, csv_lines

FRAME_COLUMNS = (
    "file", "frame", "time_s", "track", "x", "y", "width", "height", "score", "threshold", "model",
    "time_code", "face_px", "sharpness", "yaw_deg", "video_sha256", "model_sha256",
)  # fmt: skip
"""Others script against these: columns are added at the end and never renamed. The three of quality are of
the frame's face over all of its frames."""


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


def result_bytes(analysis: Analysis) -> bytes:
    """The document as one file, byte for byte the same in every download. Raises :class:`NotFinished`."""
    return json.dumps(result_json(analysis), ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"


def frames_csv(analysis: Analysis) -> Iterator[str]:
    """The scored frames, a line for each frame and face.

    An analysis without a result has no frames, so only the header. Raises :class:`NotFinished`.
    """
    return csv_lines(FRAME_COLUMNS, frame_rows(result_json(analysis)))


def frame_rows(document: Document) -> Iterator[list[Cell]]:
    """The cells of ``FRAME_COLUMNS``, as they come from a document."""
    if "error" in document:
        return
    name, threshold, model = document["path"], document["threshold"], document["model"]
    quality = {face["track"]: face["quality"] for face in document["faces"]}
    for entry in document["frames"]:
        seen = quality.get(entry["track"], {})
        yield [
            name,
            entry["frame"],
            entry["time_s"],
            entry["track"],
            *entry["box"],
            entry["score"],
            threshold,
            f"{model['name']} {model['version']}",
            time_code(entry["time_s"]),
            *(seen.get(key) for key in ("face_px", "sharpness", "yaw_deg")),
            document["video"]["sha256"],
            model["sha256"],
        ]


def time_code(seconds: float) -> str:
    """hh:mm:ss.mmm"""
    whole, milliseconds = divmod(round(max(0.0, seconds) * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}.{milliseconds:03d}"
