"""The PDF report: what it says, what it carries, and that the same analysis gives the same bytes."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from pypdf import PdfReader

from accounts.models import User
from analyses import claims
from analyses.exports import NotFinished, result_bytes
from analyses.models import Analysis
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.pdf.document import NoResult, report_pdf
from analyses.pdf.fonts import letters, plain
from analyses.storage import delete_evidence
from analyses.tests.factories import make_done, make_failed, make_running, make_video, without_faces
from analyses.tests.results import make_rich_result
from detector.result import AnalysisResult, FrameScore, VideoFacts

LONG_NAME = "Пресс-конференция_記者会見_기자회견_Überprüfung_" * 4 + "🚀.mp4"


def make_rich(alice: User, *, name: str = "clip.mp4", result: AnalysisResult | None = None) -> Analysis:
    analysis = make_running(alice, name=name)
    rich = make_rich_result(analysis.video)
    if result is not None:
        rich = replace(result, video=replace(result.video, sha256=analysis.video.sha256))
    assert claims.record_result(analysis=analysis, result=rich)
    return Analysis.objects.with_video().get(pk=analysis.pk)


def crowd(result: AnalysisResult) -> AnalysisResult:
    """Five people in ten minutes."""
    first = result.faces[0]
    faces = tuple(
        replace(first, track=track, fake_probability=0.95 - 0.2 * track / 2, last_s=599.0)
        for track in range(1, 6)
    )
    frames = tuple(
        FrameScore(
            start + number, (start + number) / 25, track, (10, 10, 90, 120), 0.1 * track + 0.01 * (number % 9)
        )
        for start in (0, 5000, 10000, 14900)
        for number in range(30)
        for track in range(1, 6)
    )
    video = VideoFacts("0" * 64, "mov", "hevc", 3840, 2160, 25.0, 600.0, 15000, 90)
    return replace(result, faces=faces, frames=frames, video=video)


def text_of(pdf: bytes) -> str:
    """What a reader sees, without its line breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_the_report_says_what_the_page_says(alice: User) -> None:
    analysis = make_rich(alice, name="speech.mp4")
    text = text_of(report_pdf(analysis))
    for words in (
        "speech.mp4",
        "Likely manipulated",
        "88 % is the estimated probability",
        "Face 2: Can’t tell, 44 %",
        "The faces are too small in the picture to be judged.",
        "Frames that drove the verdict",
        "Faces were scored in 120 of 300 frames",
        "efficientnet_lstm, version 1",
        "Limits of the model",
        "How to read this",
    ):
        assert words.replace(" ", "") in text.replace("\u00a0", "").replace(" ", ""), words
    together = text.replace(" ", "")
    assert analysis.video.sha256 in together
    assert analysis.model_sha256 in together


def test_the_result_document_is_attached_with_its_hash(alice: User) -> None:
    analysis = make_rich(alice)
    reader = PdfReader(io.BytesIO(report_pdf(analysis)))
    content = reader.attachments["result.json"][0]
    assert content == result_bytes(analysis)
    assert reader.metadata is not None
    assert f"result-sha256:{hashlib.sha256(content).hexdigest()}" in str(reader.metadata["/Keywords"])


def test_the_same_analysis_gives_the_same_bytes(alice: User) -> None:
    analysis = make_rich(alice)
    assert report_pdf(analysis) == report_pdf(Analysis.objects.with_video().get(pk=analysis.pk))


def test_what_a_moderator_found_is_told_and_the_attached_result_stays(alice: User, mo: User) -> None:
    analysis = make_done(alice)
    before = result_bytes(analysis)
    assert "A moderator" not in text_of(report_pdf(analysis))
    decide(analysis=analysis, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know <b>them</b>.", seen=None)
    pdf = report_pdf(analysis)
    text = text_of(pdf)
    for words in ("A moderator overruled the model", "Found to be real on", "I know <b>them</b>."):
        assert words in text
    assert "Likely manipulated" in text
    assert PdfReader(io.BytesIO(pdf)).attachments["result.json"][0] == before


def test_names_in_any_script_are_shown_and_signs_without_a_glyph_are_numbered(alice: User) -> None:
    text = text_of(report_pdf(make_rich(alice, name=LONG_NAME))).replace(" ", "")
    assert "Пресс-конференция_記者会見_기자회견_Überprüfung_" in text
    assert "[U+1F680].mp4" in text


def test_a_name_is_text_and_never_markup(alice: User) -> None:
    assert "<b>&amp;</i>.mp4" in text_of(report_pdf(make_rich(alice, name="<b>&amp;</i>.mp4")))
    assert letters("a<b>&") == "a&lt;b&gt;&amp;"
    assert plain("x漢") == "x[U+6F22]"


def test_without_a_face_no_number_is_made_up(alice: User) -> None:
    video = make_video(alice)
    text = text_of(report_pdf(make_done(alice, video=video, result=without_faces(video))))
    assert "There is no probability" in text
    assert "There is no timeline, because no face was found." in text
    assert "This clip:" not in text


def test_five_faces_in_ten_minutes_fit(alice: User) -> None:
    result = crowd(make_rich_result(make_video(alice)))
    pdf = report_pdf(make_rich(alice, result=result))
    text = text_of(pdf)
    assert all(f"Face {track}" in text for track in range(1, 6))
    assert "10 min, 15000 frames, 25 a second" in text.replace("\u00a0", " ")
    assert 2 <= len(PdfReader(io.BytesIO(pdf)).pages) <= 8


@pytest.mark.parametrize("faces", [1, 2, 3, 4, 5])
def test_the_last_page_never_holds_a_few_lines_only(faces: int, alice: User) -> None:
    result = crowd(make_rich_result(make_video(alice)))
    few = tuple(frame for frame in result.frames if frame.track <= faces)
    result = replace(result, faces=result.faces[:faces], frames=few)
    pages = PdfReader(io.BytesIO(report_pdf(make_rich(alice, result=result)))).pages
    end = pages[-1].extract_text()
    assert "How to read this" in end
    assert "It doesn’t show who made the report." in end


def test_its_pages_are_drawn(alice: User) -> None:
    document = pypdfium2.PdfDocument(report_pdf(make_rich(alice)))
    colours = document[0].render(scale=0.5).to_pil().convert("RGB").getcolors(1_000_000)
    assert colours is not None
    assert {(217, 95, 43), (61, 134, 198)} <= {colour for _, colour in colours}, (
        "the scale's colours are missing"
    )


def test_pictures_that_are_gone_are_named_as_missing(alice: User) -> None:
    analysis = make_rich(alice)
    delete_evidence(analysis.uuid)
    assert text_of(report_pdf(analysis)).count("picture missing") == 4 * 2 + 1


def test_no_report_before_the_end_or_without_a_result(alice: User) -> None:
    with pytest.raises(NotFinished):
        report_pdf(make_running(alice))
    with pytest.raises(NoResult):
        report_pdf(make_failed(alice))


def test_only_embedded_fonts_are_used(alice: User) -> None:
    fonts = {
        str(font["/BaseFont"])
        for page in PdfReader(io.BytesIO(report_pdf(make_rich(alice, name=LONG_NAME)))).pages
        for font in (entry.get_object() for entry in page["/Resources"]["/Font"].values())  # type: ignore[index]
        if "DejaVu" not in str(font["/BaseFont"]) and "Droid" not in str(font["/BaseFont"])
    }
    assert fonts <= {"/Helvetica"}, "reportlab names its default font on each page without using it"


def test_the_fonts_come_with_their_licences() -> None:
    folder = Path(__file__).parent.parent / "fonts"
    assert {path.name for path in folder.glob("*-LICENSE.txt")} == {"DejaVu-LICENSE.txt", "Droid-LICENSE.txt"}
