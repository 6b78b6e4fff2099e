import csv
import io
import json

import pytest

from accounts.models import User
from analyses.detection import Failure
from analyses.exports import NotFinished, frames_csv, result_bytes, result_json, time_code
from analyses.models import Analysis
from analyses.tests.factories import make_done, make_failed, make_video, without_faces
from detector.tests.documents import check_document


def text_of(analysis: Analysis) -> str:
    return "".join(frames_csv(analysis))


def rows(analysis: Analysis) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(analysis).removeprefix("\ufeff"), newline="")))


def test_a_result_is_the_detector_s_document_under_the_uploaded_name(alice: User) -> None:
    document = result_json(make_done(alice, name="Überprüfung.mp4"))
    check_document(document)
    assert document["path"] == "Überprüfung.mp4"
    assert document["verdict"] == "fake"
    assert json.loads(json.dumps(document)) == document


def test_a_failure_is_the_error_document(alice: User) -> None:
    document = result_json(make_failed(alice, code=Failure.TOO_LONG))
    check_document(document)
    assert document["error"] == {"code": "too_long", "message": "The video is longer than the limit."}


def test_what_is_not_finished_has_no_document(queued: Analysis, alice: User) -> None:
    with pytest.raises(NotFinished):
        result_json(queued)
    with pytest.raises(NotFinished):
        frames_csv(queued)


def test_every_scored_frame_is_a_row(done: Analysis) -> None:
    table = rows(done)
    assert table[0] == [
        "file", "frame", "time_s", "track", "x", "y", "width", "height", "score", "threshold", "model",
        "time_code", "face_px", "sharpness", "yaw_deg", "video_sha256", "model_sha256",
    ]  # fmt: skip
    assert table[2] == [
        "clip.mp4",
        "10",
        "0.4",
        "1",
        "200",
        "80",
        "90",
        "120",
        "0.93",
        "0.7",
        "tiny_lstm test",
        "00:00:00.400",
        "120",
        "210.0",
        "8.0",
        done.video.sha256,
        "a" * 64,
    ]
    assert len(table) == 1 + 3


def test_lines_end_as_rfc_4180_says_and_the_text_says_that_it_is_utf_8(done: Analysis) -> None:
    text = text_of(done)
    assert text.startswith("\ufefffile,")
    assert text.count("\r\n") == text.count("\n") == 4


@pytest.mark.parametrize("name", ["=HYPERLINK(1).mp4", "+1.mp4", "-1.mp4", "@SUM(1).mp4"])
def test_a_name_that_looks_like_a_formula_is_text(alice: User, name: str) -> None:
    assert rows(make_done(alice, name=name))[1][0] == f"'{name}"


def test_a_name_with_commas_and_quotes_stays_one_cell(alice: User) -> None:
    name = 'she said "no", twice.mp4'
    assert rows(make_done(alice, name=name))[1][0] == name


def test_without_a_face_there_is_the_header_alone(alice: User) -> None:
    video = make_video(alice)
    analysis = make_done(alice, video=video, result=without_faces(video))
    assert len(rows(analysis)) == 1


def test_a_failure_has_no_frames(alice: User) -> None:
    assert len(rows(make_failed(alice))) == 1


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(0, "00:00:00.000"), (0.0404, "00:00:00.040"), (59.9996, "00:01:00.000"), (3723.5, "01:02:03.500")],
)
def test_time_codes_count_hours_minutes_seconds_and_thousandths(seconds: float, code: str) -> None:
    assert time_code(seconds) == code


def test_the_file_is_the_document_byte_for_byte_each_time(alice: User) -> None:
    analysis = make_done(alice, name="Überprüfung.mp4")
    content = result_bytes(analysis)
    assert json.loads(content) == analysis.document
    assert "Überprüfung".encode() in content
    assert content == result_bytes(Analysis.objects.get(pk=analysis.pk))


def test_rows_are_made_one_by_one(done: Analysis) -> None:
    lines = frames_csv(done)
    assert next(lines).startswith("\ufefffile,")
    assert next(lines).startswith("clip.mp4,0,")
