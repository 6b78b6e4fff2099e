import csv
import io
import json

import pytest

from accounts.models import User
from analyses.detection import Failure
from analyses.exports import NotFinished, frames_csv, result_json
from analyses.models import Analysis
from analyses.tests.factories import make_done, make_failed, make_video, without_faces
from detector.tests.documents import check_document


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


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
    table = rows(frames_csv(done))
    assert table[0] == [
        "file", "frame", "time_s", "track", "x", "y", "width", "height", "score", "threshold", "model",
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
    ]
    assert len(table) == 1 + 3


def test_lines_end_as_rfc_4180_says_and_the_text_says_that_it_is_utf_8(done: Analysis) -> None:
    text = frames_csv(done)
    assert text.startswith("\ufefffile,")
    assert text.count("\r\n") == text.count("\n") == 4


@pytest.mark.parametrize("name", ["=HYPERLINK(1).mp4", "+1.mp4", "-1.mp4", "@SUM(1).mp4"])
def test_a_name_that_looks_like_a_formula_is_text(alice: User, name: str) -> None:
    assert rows(frames_csv(make_done(alice, name=name)))[1][0] == f"'{name}"


def test_a_name_with_commas_and_quotes_stays_one_cell(alice: User) -> None:
    name = 'she said "no", twice.mp4'
    assert rows(frames_csv(make_done(alice, name=name)))[1][0] == name


def test_without_a_face_there_is_the_header_alone(alice: User) -> None:
    video = make_video(alice)
    analysis = make_done(alice, video=video, result=without_faces(video))
    assert len(rows(frames_csv(analysis))) == 1


def test_a_failure_has_no_frames(alice: User) -> None:
    assert len(rows(frames_csv(make_failed(alice)))) == 1
