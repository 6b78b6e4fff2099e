"""The PDF as a whole: pages, metadata and the attached result document. The same analysis, the same bytes.

So it is English, whoever asks for it.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from django.utils import translation
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString
from reportlab.platypus import SimpleDocTemplate

from analyses.exports import NotFinished, result_bytes
from analyses.models import Analysis
from analyses.pdf import sections
from analyses.pdf.fonts import REGULAR, register_fonts
from analyses.pdf.styles import MARGIN, MUTED
from analyses.report import report_of
from analyses.timeline import timeline_of

ATTACHMENT = "result.json"


class NoResult(LookupError):
    """The analysis ended without a result, so there is nothing to report."""


def report_pdf(analysis: Analysis) -> bytes:
    """Raises :class:`NotFinished` before the end, :class:`NoResult` where it ended without a result."""
    if not analysis.is_finished:
        raise NotFinished(str(analysis.uuid))
    if not analysis.is_done:
        raise NoResult(str(analysis.uuid))
    register_fonts()
    content = result_bytes(analysis)
    digest = hashlib.sha256(content).hexdigest()
    target = BytesIO()
    frame = partial(_page_frame, analysis, _attach_once(content))
    with translation.override("en"):
        story = _story(analysis, digest)
        _template(target, analysis, digest).build(story, onFirstPage=frame, onLaterPages=frame)
    return target.getvalue()


def _template(target: BytesIO, analysis: Analysis, digest: str) -> Any:
    return SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN - 6,  # its frame has a padding of 6 points
        rightMargin=MARGIN - 6,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 6,
        title=f"TruthLens report: {analysis.video.original_name}",
        author="TruthLens",
        subject=f"Analysis {analysis.uuid}",
        keywords=[f"clip-sha256:{analysis.video.sha256}", f"result-sha256:{digest}"],
        lang="en",
        invariant=1,
    )


def _story(analysis: Analysis, digest: str) -> list[Any]:
    report = report_of(analysis)
    return [
        *sections.verdict(analysis, report),
        *sections.decision(analysis),
        *sections.reasons(report),
        *sections.timeline_part(report, timeline_of(report)),
        *sections.faces(analysis, report),
        *sections.evidence(analysis, report),
        *sections.record(analysis, report, digest),
        *sections.provenance(report),
        *sections.reading(),
    ]


def _page_frame(analysis: Analysis, attach: Callable[[Any], None], canvas: Any, template: Any) -> None:
    """Head and foot of each page."""
    attach(canvas)
    width, height = A4
    canvas.saveState()
    canvas.setFont(REGULAR, 7.5)
    canvas.setFillColor(MUTED)
    canvas.drawString(MARGIN, height - MARGIN + 12, "TruthLens report")
    canvas.drawRightString(width - MARGIN, height - MARGIN + 12, f"Page {template.page}")
    canvas.drawString(MARGIN, MARGIN - 8, f"Analysis {analysis.uuid}")
    canvas.drawString(MARGIN, MARGIN - 18, f"Clip SHA-256 {analysis.video.sha256}")
    canvas.restoreState()


def _attach_once(content: bytes) -> Callable[[Any], None]:
    """Puts the result document into the PDF as an attachment, on the first page that is drawn."""
    attached: list[bool] = []

    def attach(canvas: Any) -> None:
        if attached:
            return
        attached.append(True)
        pdf = canvas._doc
        facts = PDFDictionary({"Type": PDFName("EmbeddedFile")})
        stream = PDFStream(dictionary=facts, content=content)
        described = PDFDictionary(
            {
                "Type": PDFName("Filespec"),
                "F": PDFString(ATTACHMENT),
                "UF": PDFString(ATTACHMENT),
                "EF": PDFDictionary({"F": pdf.Reference(stream)}),
            }
        )
        names = PDFArray([PDFString(ATTACHMENT), pdf.Reference(described)])
        pdf.Catalog.Names = PDFDictionary({"EmbeddedFiles": PDFDictionary({"Names": names})})

    return attach
