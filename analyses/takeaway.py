"""What can be taken away of a result, with sizes in words."""

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from analyses.evidence import evidence_sizes
from analyses.exports import frames_csv, result_bytes
from analyses.models import Analysis
from analyses.templatetags.figures import megabytes

PDF_TEXT_BYTES = 60_000
"""What a report's text, drawings and fonts take, beside its pictures."""
PDF_PIXELS = 224 * 224 * 3
"""A heatmap's bytes before packing; a PDF packs them less tightly than a PNG."""


@dataclass(frozen=True, slots=True)
class Download:
    """``view`` is the name of its address; ``size`` is like "about 40 kB"."""

    view: str
    name: str
    holds: str
    size: str


def downloads_of(analysis: Analysis) -> tuple[Download, ...]:
    """Of an analysis with a result. The sizes of files that are made when asked for are estimates."""
    images = evidence_sizes(analysis)
    pictures, json_bytes = sum(images.values()), len(result_bytes(analysis))
    csv_bytes = sum(len(line.encode()) for line in frames_csv(analysis))
    pdf_bytes = PDF_TEXT_BYTES + json_bytes + pictures + len(images) // 2 * PDF_PIXELS // 4
    rows = len((analysis.document or {}).get("frames", ()))
    return (
        Download(
            "analysis_pdf",
            gettext("Report (PDF)"),
            gettext(
                "For people: verdict, timeline, faces, evidence, hashes, and how to read it. The result "
                "is attached."
            ),
            about(pdf_bytes),
        ),
        Download(
            "analysis_zip",
            gettext("All evidence (ZIP)"),
            _archived(len(images)),
            about(pdf_bytes + pictures + json_bytes // 5 + csv_bytes // 5),
        ),
        Download(
            "analysis_json",
            gettext("Result (JSON)"),
            gettext("For programs: everything on this page but the pictures."),
            about(json_bytes),
        ),
        Download(
            "analysis_csv",
            gettext("Scored frames (CSV)"),
            _tabled(rows),
            about(csv_bytes),
        ),
    )


def about(size: int) -> str:
    """Rounded to two digits, so that it doesn't look more exact than it is."""
    unit = 10 ** max(0, len(str(size)) - 2)
    return gettext("about {size}").format(size=megabytes(round(size / unit) * unit))


def _archived(pictures: int) -> str:
    if not pictures:
        return gettext("The report, the result, the scored frames, and a list of SHA-256 sums.")
    words = ngettext(
        "{count} picture, the report, the result, the scored frames, and a list of SHA-256 sums.",
        "{count} pictures, the report, the result, the scored frames, and a list of SHA-256 sums.",
        pictures,
    )
    return words.format(count=pictures)


def _tabled(rows: int) -> str:
    words = ngettext(
        "For spreadsheets: {count} row, one for each frame and face.",
        "For spreadsheets: {count} rows, one for each frame and face.",
        rows,
    )
    return words.format(count=rows)
