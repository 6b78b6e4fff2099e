"""The evidence of a result as one ZIP, made while it is sent: one file of it is in memory at a time."""

import hashlib
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from analyses.evidence import EvidenceMissing, evidence_names, open_evidence
from analyses.exports import frames_csv, result_bytes
from analyses.models import Analysis
from analyses.pdf.document import report_pdf

MANIFEST = "SHA256SUMS"
PACKED = (".jpg", ".png", ".pdf")
"""Kinds of files that packing makes no smaller."""


class Outbox:
    """A file that can only be written to, and emptied."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def evidence_zip(analysis: Analysis) -> Iterator[bytes]:
    """The archive, piece by piece. Raises at once, as :func:`analyses.pdf.document.report_pdf` does."""
    pdf = report_pdf(analysis)
    return _zipped(analysis, pdf)


def _zipped(analysis: Analysis, pdf: bytes) -> Iterator[bytes]:
    outbox, sums = Outbox(), []
    with ZipFile(outbox, "w") as archive:  # type: ignore[call-overload]
        for name, content in _files(analysis, pdf):
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
            archive.writestr(_entry(analysis, name), content)
            yield outbox.take()
        archive.writestr(_entry(analysis, MANIFEST), "".join(sums))
    yield outbox.take()


def _files(analysis: Analysis, pdf: bytes) -> Iterable[tuple[str, bytes]]:
    """Names and contents. The names of images are plain file names: the storage takes no others."""
    yield "report.pdf", pdf
    yield "result.json", result_bytes(analysis)
    yield "frames.csv", "".join(frames_csv(analysis)).encode()
    for name in evidence_names(analysis):
        try:
            with open_evidence(analysis, name) as file:
                yield f"evidence/{name}", file.read()
        except EvidenceMissing:
            continue  # deleted since; the result still names it


def _entry(analysis: Analysis, name: str) -> ZipInfo:
    """Dated by the analysis, so that the same analysis gives the same archive."""
    ended = analysis.finished_at or analysis.created_at
    entry = ZipInfo(name, date_time=(max(1980, ended.year), *ended.timetuple()[1:6]))
    entry.compress_type = ZIP_STORED if name.endswith(PACKED) else ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
