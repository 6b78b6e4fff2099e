"""Writing a user's history as CSV: in the worker, in batches, in the same memory however long it is."""

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from time import monotonic

from django.conf import settings
from django.core.files.base import File
from django.db.models import F

from accounts.preferences import in_zone_of
from analyses.export_services import record_export, record_export_progress
from analyses.filters import HistoryParameters, filtered
from analyses.models import Analysis, Export
from analyses.moderation.models import Case
from analyses.spreadsheets import Cell, csv_lines

COLUMNS = (
    "file", "uploaded_at", "state", "verdict", "fake_probability", "threshold", "reasons", "failure",
    "duration_s", "size_bytes", "video_sha256", "model", "model_version", "model_sha256", "finished_at",
    "analysis", "moderator_label", "moderator_reason", "moderator_decided_at",
)  # fmt: skip
BATCH = 500
BEAT_EVERY_S = 1.0


class ExportGone(Exception):
    """It was deleted, or given to another worker."""


def write_export(export: Export) -> None:
    """Write the file and record it. An export that was deleted meanwhile leaves nothing."""
    keys = _keys(export)
    with tempfile.NamedTemporaryFile(prefix="export-", dir=settings.FILE_UPLOAD_TEMP_DIR) as draft:
        rows = 0
        try:
            for line in csv_lines(COLUMNS, _rows(export, keys)):
                draft.write(line.encode())
                rows += 1
        except ExportGone:
            return
        draft.flush()
        draft.seek(0)
        record_export(export=export, file=File(draft), rows=rows - 1)  # without the header


def _keys(export: Export) -> "array[int]":
    """The rows' keys in their order, eight bytes each. Rows that come later aren't part of the export.

    Days in the filters are those of the page where it was asked for.
    """
    params = HistoryParameters.of(export.filters)
    with in_zone_of(export.owner):
        rows = filtered(Analysis.objects.for_user(export.owner), params)
    return array("q", rows.values_list("pk", flat=True).iterator(chunk_size=2000))


def _rows(export: Export, keys: "array[int]") -> Iterator[list[Cell]]:
    """Batch by batch, each a query of its own: no read stays open while the progress is written."""
    written_at = 0.0
    for start in range(0, len(keys), BATCH):
        if monotonic() - written_at >= BEAT_EVERY_S:
            if not record_export_progress(export=export, rows=start, total=len(keys)):
                raise ExportGone(str(export.uuid))
            written_at = monotonic()
        yield from _batch(keys[start : start + BATCH])


def lines_of(keys: Sequence[int]) -> Iterator[str]:
    """The same table of a few analyses, by their keys and in their order."""
    return csv_lines(COLUMNS, _batch(keys))


def _batch(keys: Sequence[int]) -> Iterator[list[Cell]]:
    rows = Analysis.objects.for_list().select_related("video", "case__judgement")
    rows = rows.annotate(codes=F("document__reasons"))
    found = rows.in_bulk(list(keys))
    yield from (_cells(found[key]) for key in keys if key in found)


def _cells(analysis: Analysis) -> list[Cell]:
    ended = analysis.finished_at
    return [
        analysis.video.original_name,
        analysis.created_at.isoformat(timespec="seconds"),
        analysis.state,
        analysis.verdict,
        analysis.fake_probability,
        analysis.threshold,
        " ".join(vars(analysis)["codes"] or ()),  # an annotation, no field that a type knows
        analysis.failure,
        analysis.duration_s,
        analysis.video.size_bytes,
        analysis.video.sha256,
        analysis.model_name,
        analysis.model_version,
        analysis.model_sha256,
        ended.isoformat(timespec="seconds") if ended else "",
        str(analysis.uuid),
        *_decision(analysis),
    ]


def _decision(analysis: Analysis) -> list[Cell]:
    """What a moderator found, beside the model's verdict."""
    case: Case | None = getattr(analysis, "case", None)
    if case is None or case.judgement is None:
        return ["", "", ""]
    return [case.label, case.judgement.reason, case.judgement.created_at.isoformat(timespec="seconds")]
