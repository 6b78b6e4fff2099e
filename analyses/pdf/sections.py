"""The parts of the report, in the order in which they are read. Each is a list of reportlab's flowables."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Image, KeepTogether, Spacer, Table

from analyses.evidence import open_evidence
from analyses.models import Analysis
from analyses.moderation.cases import case_of
from analyses.pdf.drawings import axis_drawing, scale_drawing, strip_drawing
from analyses.pdf.styles import LINE, VERDICT_FILL, VERDICT_INK, WIDTH, paragraph, point, style
from analyses.report import EvidencePair, Face, Report
from analyses.scale import scale_of
from analyses.templatetags.figures import clock, megabytes, moment, percent, span
from analyses.timeline import Timeline
from analyses.wording import ABSENCE, CREDENTIALS, FOUND, PRESENCE, VERDICTS

Parts = list[Any]

CROP, PICTURE = 20 * mm, 38 * mm
TOP = ("VALIGN", (0, 0), (-1, -1), "TOP")
TIGHT = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6), TOP]
HALVES = (
    "if half of all clips were. In everyday material manipulated clips are rarer, so the true chance "
    "is lower."
)
ONLY_FACES = (
    "Only faces were examined: not the voice or other sound, not whether the whole scene was made by AI, "
    "and not whether a true scene is shown in a false context. The verdict is a lead to follow up, not "
    "proof."
)
READING: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "How to read this",
        (
            "A score from 0 to 100 % is given to every frame and face that was looked at, and to the clip.",
            "A clip is as suspicious as its most suspicious face that was seen well; the number allows for "
            "how many faces were looked at.",
            "“Can’t tell” is an answer. It says nothing about whether the clip is genuine.",
        ),
    ),
    (
        "Limits of the model",
        (
            "It knows the methods and people that it learned from. On other material it is more often wrong; "
            "its model card gives measured figures.",
            "Strong compression, small faces and heads turned away hide signs. Somebody who knows the "
            "model can fool it.",
            "“No sign of manipulation found” is not a certificate: a new or well-made manipulation can pass.",
        ),
    ),
    (
        "How to check this report",
        (
            "The result is attached to this PDF as result.json.",
            "With TruthLens installed, python manage.py verify_report FILE --clip CLIP compares the hashes, "
            "analyses the clip again with the installed model, and says what matches and what doesn’t.",
            "That shows that report and clip belong together. It doesn’t show who made the report.",
        ),
    ),
)


def verdict(analysis: Analysis, report: Report) -> Parts:
    headline = paragraph(report.words.headline, "title")
    headline.style = style("title").clone("verdict", textColor=VERDICT_INK[analysis.verdict])
    bar = Table([[[headline, paragraph(report.words.meaning)]]], colWidths=[WIDTH])
    bar.setStyle([("LINEBEFORE", (0, 0), (0, -1), 4, VERDICT_FILL[analysis.verdict]), TOP])
    return [paragraph(analysis.video.original_name, "title"), bar, Spacer(1, 8), *_number(analysis, report)]


def decision(analysis: Analysis) -> Parts:
    """What a moderator found, beside the model's result."""
    case = case_of(analysis)
    if case.judgement is None:
        return []
    did = "overruled" if case.is_overruled else "agrees with"
    told = f"{FOUND[case.label]} on {moment(case.judgement.created_at)}. The model’s own result is as it was."
    reason = [paragraph(case.judgement.reason)] if case.judgement.reason else []
    return [heading(f"A moderator {did} the model"), paragraph(told, "strong"), *reason]


def _number(analysis: Analysis, report: Report) -> Parts:
    value = analysis.fake_probability
    scale = scale_of(report.threshold, value)
    if value is None:
        missing = (
            "There is no probability: no face could be scored, and a number without a score would be made up."
        )
        return [paragraph(missing), scale_drawing(scale, "")]
    shown = percent(value, report.threshold)
    begin = (
        f"{shown[0].upper()}{shown[1:]} is the estimated probability that a face in this clip was manipulated"
    )
    words = f"{begin}, {HALVES}"
    limits = (
        f"The verdict is “likely manipulated” from {percent(report.threshold)}, “no sign of manipulation "
        f"found” up to {percent(report.lower_threshold)}, and “can’t tell” between them."
    )
    parts = [scale_drawing(scale, shown), Spacer(1, 5), paragraph(words), paragraph(limits)]
    if scale.zone != analysis.verdict:
        kept = "The number is kept for the record. For the reasons given, it doesn’t count as a verdict here."
        parts.append(paragraph(kept, "strong"))
    return parts


def reasons(report: Report) -> Parts:
    parts = [heading("Why")]
    parts += [point(f"{sentence} ({code})") for code, sentence in report.reasons]
    deciding = report.deciding_face
    if deciding is not None and deciding.fake_probability is not None:
        parts.append(
            point(
                f"Face {deciding.track} scored {percent(deciding.fake_probability, report.threshold)} over "
                f"{counted(deciding.frames, 'frame')} between {clock(deciding.first_s)} and "
                f"{clock(deciding.last_s)}."
            )
        )
    return [*parts, point(looked_at(report)), heading("What this doesn’t say"), paragraph(ONLY_FACES)]


def looked_at(report: Report) -> str:
    if not report.frames_looked_at:
        return "No frame could be scored."
    total = f" of {report.video['frames']}" if report.video["frames"] else ""
    scored = f"Faces were scored in {report.frames_looked_at}{total} frames"
    if not report.windows:
        return f"{scored}, spread over the clip. The rest was not looked at, or shows no usable face."
    windows = counted(len(report.windows), "window")
    return (
        f"{scored}. Looked at were {report.frames_in_windows}, in {windows} of consecutive frames spread "
        "over the clip."
    )


def timeline_part(report: Report, timeline: Timeline) -> Parts:
    if not timeline.strips:
        return [heading("Timeline"), paragraph("There is no timeline, because no face was found.")]
    words = (
        "Each strip is one face and each point one frame: the higher, the more it looks manipulated. "
        "Shaded parts were looked at, the rest not. Dashed lines mark the limits of "
        f"{percent(report.threshold)} and {percent(report.lower_threshold)}. Single frames are noisy: the "
        "verdict comes from whole windows of frames."
    )
    strips = [strip_drawing(strip, timeline, report.threshold) for strip in timeline.strips]
    first = KeepTogether([heading("Timeline"), paragraph(words, "small"), Spacer(1, 4), strips[0]])
    described = [point(strip.description) for strip in timeline.strips]
    if not strips[1:]:
        return [first, axis_drawing(timeline), Spacer(1, 5), *described]
    last = KeepTogether([strips[-1], axis_drawing(timeline)])
    return [first, *strips[1:-1], last, Spacer(1, 5), *described]


def faces(analysis: Analysis, report: Report) -> Parts:
    if not report.faces:
        return []
    rows = [[picture(analysis, face.crop, CROP), _face_words(face, report)] for face in report.faces]
    table = Table(rows, colWidths=[CROP + 8, WIDTH - CROP - 8])
    table.setStyle([*TIGHT, ("LINEABOVE", (0, 0), (-1, -1), 0.5, LINE)])
    return [heading("Faces"), table]


def _face_words(face: Face, report: Report) -> Parts:
    seen = (
        f"Seen between {clock(face.first_s)} and {clock(face.last_s)}, in {counted(face.frames, 'frame')} "
        f"looked at. {face.face_px} pixels high, turned by {face.yaw_deg:.0f}°, sharpness "
        f"{face.sharpness:.0f}."
    )
    share = percent(face.fake_probability, report.threshold)
    title = f"Face {face.track}: {VERDICTS[face.verdict].headline}, {share}"
    parts = [paragraph(title, "name"), paragraph(seen)]
    if face.strongest_s is not None:
        parts.append(paragraph(f"Highest score at {clock(face.strongest_s)}."))
    return [*parts, *(point(f"{sentence} ({code})") for code, sentence in face.reasons)]


def evidence(analysis: Analysis, report: Report) -> Parts:
    if not report.evidence:
        return []
    words = (
        "Left, the face as the model saw it. Right, the same face with what the model made of it: orange "
        "where it pushed towards manipulated, blue where it pushed towards real, grey where neither. The "
        "maps show where the model looked, coarsely; they don’t outline an edited area."
    )
    pairs = [_pair(analysis, entry, report) for entry in report.evidence]
    rows = [pairs[at : at + 2] + [""] * (2 - len(pairs[at : at + 2])) for at in range(0, len(pairs), 2)]
    tables = [Table([row], colWidths=[WIDTH / 2] * 2, style=TIGHT) for row in rows]
    above = [heading("Frames that drove the verdict"), paragraph(words, "small"), Spacer(1, 4)]
    return [KeepTogether([*above, tables[0]]), *tables[1:]]


def _pair(analysis: Analysis, entry: EvidencePair, report: Report) -> Parts:
    images = Table(
        [[picture(analysis, entry.crop, PICTURE), picture(analysis, entry.heatmap, PICTURE)]],
        colWidths=[PICTURE + 2] * 2,
        hAlign="LEFT",
    )
    images.setStyle([*TIGHT, ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)])
    score = "" if entry.score is None else f", frame score {percent(entry.score, report.threshold)}"
    return [
        images,
        paragraph(f"Face {entry.track}, frame {entry.frame} at {clock(entry.time_s)}{score}.", "small"),
    ]


def picture(analysis: Analysis, name: str, side: float) -> Any:
    """An evidence image, or words where there is none to show."""
    if not name:
        return paragraph("no picture", "small")
    try:
        with open_evidence(analysis, name) as file:
            content = BytesIO(file.read())
        ImageReader(content)
    except (LookupError, OSError, ValueError):  # deleted, or no picture after all
        return paragraph("picture missing", "small")
    content.seek(0)
    return Image(content, side, side)


def record(analysis: Analysis, report: Report, document_sha256: str) -> Parts:
    """With these facts somebody else can check that they look at the same file, model and settings."""
    video, model = report.video, report.model
    rotation = f", rotated by {video['rotation']}°" if video["rotation"] else ""
    file_facts = [
        ("Name", analysis.video.original_name),
        ("SHA-256", video["sha256"]),
        ("Size", megabytes(analysis.video.size_bytes)),
        ("Format", f"{video['container']}, {video['codec']}"),
        ("Picture", f"{video['width']} × {video['height']}{rotation}"),
        ("Length", f"{span(video['duration_s'])}, {video['frames']} frames, {video['fps']:g} a second"),
    ]
    model_facts = [
        ("Name", f"{model['name']}, version {model['version']}"),
        ("SHA-256", model["sha256"]),
        ("Calibration", model["calibration"] or "none given"),
        ("Limits", f"fake from {percent(report.threshold)}, real up to {percent(report.lower_threshold)}"),
        ("Stability", _stability(report)),
    ]
    run_facts = [
        ("Number", str(analysis.uuid)),
        ("Finished", f"{analysis.finished_at:%Y-%m-%d %H:%M:%S} UTC" if analysis.finished_at else "unknown"),
        ("Time taken", span(report.timing["total_s"])),
        ("Software", ", ".join(f"{name} {version}" for name, version in report.software.items())),
        ("Result", f"result.json, attached to this PDF, SHA-256 {document_sha256}"),
    ]
    parts = [heading("For the record"), paragraph("File", "name"), facts(file_facts)]
    return [*parts, *titled("Model and settings", model_facts), *titled("Run", run_facts)]


def _stability(report: Report) -> str:
    if not report.stability:
        return "not checked"
    same = "same verdict" if report.stability["stable"] else "the verdict changes"
    variants = (
        f"{entry['name']} {percent(entry['fake_probability'])}" for entry in report.stability["variants"]
    )
    return f"{same} when re-encoded: {', '.join(variants)}"


def reading() -> Parts:
    """How to read this, what the model can't do, and how to check the report.

    In one piece, or the last page could hold a few lines only.
    """
    return [
        KeepTogether([part for name, entries in READING for part in (heading(name), *map(point, entries))])
    ]


def provenance(report: Report) -> Parts:
    """What the file says of its making; nothing of it had a part in the verdict."""
    found = report.provenance
    if not found:
        return []
    claims = found["credentials"]
    rows = [
        ("Content Credentials", f"{CREDENTIALS[claims['status']]} ({claims['status']}). {claims['reason']}")
    ]
    names = (("Signer", "signer"), ("Signed", "signed_at"), ("Made with", "generator"), ("Title", "title"))
    rows += [(name, claims[key]) for name, key in names if claims[key]]
    if claims["actions"]:
        rows.append(("Claimed steps", ", ".join(claims["actions"])))
    if found["container_read"]:
        rows += [("Brand", found["brand"] or "none"), ("Date", found["created"] or "none")]
        rows += [
            (entry["kind"].capitalize(), f"{entry['codec']}, {entry['details']}")
            for entry in found["streams"]
        ]
        rows.append(("Program marks", ", ".join(found["tools"]) or "none that are known"))
    note = ABSENCE if claims["status"] == "none" else PRESENCE
    return [heading("Where the file says it comes from"), facts(rows), Spacer(1, 4), paragraph(note, "small")]


def heading(text: str) -> Any:
    return paragraph(text, "heading")


def titled(name: str, rows: Sequence[tuple[str, str]]) -> Parts:
    return [Spacer(1, 6), KeepTogether([paragraph(name, "name"), facts(rows)])]


def facts(rows: Iterable[tuple[str, str]]) -> Any:
    """A table of names and values."""
    cells = [[paragraph(name, "small"), paragraph(value, "small")] for name, value in rows]
    table = Table(cells, colWidths=[28 * mm, WIDTH - 28 * mm])
    table.setStyle(
        [*TIGHT, ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("TOPPADDING", (0, 0), (-1, -1), 2),
         ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]
    )  # fmt: skip
    return table


def counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
