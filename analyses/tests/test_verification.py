"""``verify_report``: what is whole and belongs together matches; whatever was touched is named."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from analyses.archive import evidence_zip
from analyses.exports import frames_csv, result_bytes
from analyses.models import Analysis, State
from analyses.pdf.document import report_pdf
from analyses.tasks import run_analysis
from analyses.tests.factories import make_analysis, make_done, make_failed
from analyses.verification import NotAReport, check_report
from detector.tests.clips import face_clip

Maker = Callable[[Analysis], bytes]

MAKERS: dict[str, Maker] = {
    "pdf": report_pdf,
    "zip": lambda analysis: b"".join(evidence_zip(analysis)),
    "json": result_bytes,
    "csv": lambda analysis: "".join(frames_csv(analysis)).encode(),
}


def wrong(content: bytes) -> list[str]:
    return [finding.sentence for finding in check_report(content).findings if not finding.matches]


def rezipped(content: bytes, **changes: bytes | None) -> bytes:
    """The archive with some files changed, added, or (None) left out."""
    before, target = ZipFile(io.BytesIO(content)), io.BytesIO()
    files: dict[str, bytes | None] = {name: before.read(name) for name in before.namelist()}
    with ZipFile(target, "w") as after:
        for name, held in (files | changes).items():
            if held is not None:
                after.writestr(name, held)
    return target.getvalue()


@pytest.mark.parametrize("kind", MAKERS)
def test_what_was_downloaded_is_whole(kind: str, done: Analysis) -> None:
    checked = check_report(MAKERS[kind](done))
    assert checked.findings
    assert all(finding.matches for finding in checked.findings)
    assert checked.claims.clip_sha256 == done.video.sha256
    assert len(checked.claims.scores) == 3


def test_a_verdict_that_was_edited_is_named(done: Analysis) -> None:
    content = result_bytes(done).replace(b'"verdict": "fake"', b'"verdict": "real"', 1)
    assert wrong(content) == ["The verdict, real, does not fit the probability 0.9200 and the limits."]


def test_an_archive_names_each_file_that_was_touched(done: Analysis) -> None:
    content = MAKERS["zip"](done)
    changed = rezipped(content, **{"evidence/1-0-crop.jpg": b"x", "report.txt": b"hello"})
    assert wrong(changed) == [
        "In the archive, evidence/1-0-crop.jpg was changed.",
        "In the archive, report.txt is not on the list.",
    ]
    assert wrong(rezipped(content, **{"evidence/1-0-heatmap.png": None})) == [
        "In the archive, evidence/1-0-heatmap.png is missing."
    ]


def test_a_table_or_report_of_another_result_does_not_pass_in_an_archive(alice: User, done: Analysis) -> None:
    other = make_done(alice, name="other.mp4")
    content = rezipped(
        MAKERS["zip"](done), **{"frames.csv": MAKERS["csv"](other), "report.pdf": report_pdf(other)}
    )
    assert "The rows of frames.csv are not those of result.json." in wrong(content)
    assert "The result attached to report.pdf is not result.json." in wrong(content)


def test_an_archive_without_its_report_or_table_says_so(done: Analysis) -> None:
    content = rezipped(MAKERS["zip"](done), **{"frames.csv": None, "report.pdf": None})
    assert wrong(content) == [
        "In the archive, frames.csv is missing.",
        "In the archive, report.pdf is missing.",
    ]


def test_a_pdf_whose_attachment_was_edited_is_named(done: Analysis) -> None:
    content = report_pdf(done)
    assert b'"fake_probability": 0.92' in content
    edited = content.replace(b'"fake_probability": 0.92', b'"fake_probability": 0.99', 1)
    assert wrong(edited) == [
        "The attached result has not the SHA-256 that the PDF names.",
        "The pages do not print the result’s probability.",
        "The pages do not print the result’s own SHA-256.",
    ]


def test_a_table_of_two_models_is_named(done: Analysis) -> None:
    lines = list(frames_csv(done))
    content = "".join([*lines[:-1], lines[-1].replace("a" * 64, "b" * 64)])
    assert wrong(content.encode()) == ["Not all rows are of one clip, one model and one limit."]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"%PDF-1.4 nothing",
        b"PK\x03\x04 nothing",
        b"{}",
        b'{"video":' + b"[" * 100_000,
        b'{"schema": 2}',
        b"\xef\xbb\xbffile,x\r\n",
    ],
    ids=range(8),
)
def test_other_files_are_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(NotAReport, match="The "):
        check_report(content)


def test_the_record_of_a_failure_has_nothing_to_check(alice: User) -> None:
    with pytest.raises(NotAReport, match="ended without a result"):
        check_report(result_bytes(make_failed(alice)))


def run(*arguments: str) -> tuple[str, str]:
    """What the command prints, and its error."""
    output = io.StringIO()
    try:
        call_command("verify_report", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""


def test_without_the_clip_the_command_says_what_was_not_checked(done: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report_pdf(done))
    output, error = run(str(path))
    assert "Only the file itself was checked." in output
    assert "All 7 checks match." in output
    assert error == ""


def test_files_that_are_not_there_are_named(done: Analysis, tmp_path: Path) -> None:
    assert "can't be read: No such file" in run(str(tmp_path / "gone.pdf"))[1]
    path = tmp_path / "result.json"
    path.write_bytes(result_bytes(done))
    assert "can't be read: No such file" in run(str(path), "--clip", str(tmp_path / "gone.mp4"))[1]


@pytest.fixture
def analysed(alice: User, clip: Path, child: object) -> Analysis:
    """A result of the real detector with a tiny model."""
    analysis = make_analysis(alice, name="clip.mp4", content=clip.read_bytes())
    run_analysis(str(analysis.uuid))
    analysis = Analysis.objects.with_video().get(pk=analysis.pk)
    assert analysis.state == State.DONE
    return analysis


@pytest.mark.slow
def test_a_clip_that_is_analysed_again_confirms_all_four(
    analysed: Analysis, clip: Path, tmp_path: Path
) -> None:
    for kind, make in MAKERS.items():
        path = tmp_path / f"report.{kind}"
        path.write_bytes(make(analysed))
        output, error = run(str(path), "--clip", str(clip))
        assert error == "", output
        assert "DIFFERS" not in output
        assert "frame scores: they differ by 0.0000 at the most." in output


@pytest.mark.slow
def test_scores_that_were_edited_differ(analysed: Analysis, clip: Path, tmp_path: Path) -> None:
    document = json.loads(result_bytes(analysed))
    document["frames"][3]["score"] = 1 - document["frames"][3]["score"] / 2
    path = tmp_path / "result.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    output, error = run(str(path), "--clip", str(clip))
    assert "DIFFERS:" in output
    assert "1 of " in error


@pytest.mark.slow
def test_another_clip_is_not_even_analysed(analysed: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(result_bytes(analysed))
    other = face_clip(tmp_path / "other.mp4", seconds=1, size=(320, 180))
    output, error = run(str(path), "--clip", str(other))
    assert "DIFFERS: The clip is another one" in output
    assert "Verdict:" not in output
    assert error == "1 of 2 checks failed."


@pytest.mark.usefixtures("installed_weights")
def test_a_model_that_is_not_installed_cannot_confirm(done: Analysis, tmp_path: Path) -> None:
    path, clip = tmp_path / "result.json", tmp_path / "clip.mp4"
    path.write_bytes(result_bytes(done))
    with done.video.file.open("rb") as file:
        clip.write_bytes(file.read())
    output, error = run(str(path), "--clip", str(clip))
    assert f"DIFFERS: The model {'a' * 64} is not installed" in output
    assert error == "1 of 3 checks failed."
