"""Results at the API: documents, pages of frames, downloads, evidence; and 304 for what is known."""

import csv
import io
from zipfile import ZipFile

import pytest
from django.test import Client

from accounts.models import User
from analyses.detection import Failure
from analyses.models import Analysis
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.tests.factories import JPEG, PNG, make_done, make_failed, make_result, make_running
from analyses.tests.results import make_rich_result

pytestmark = pytest.mark.django_db
WITH_ETAG = ("result/", "frames/", "result.json", "frames.csv", "report.pdf", "evidence/1-0-crop.jpg")


def at(analysis: Analysis, piece: str) -> str:
    return f"/api/v1/analyses/{analysis.uuid}/{piece}"


def test_the_result_is_the_document(api: Client, done: Analysis) -> None:
    answer = api.get(at(done, "result/"))
    assert answer.json() == done.document
    download = api.get(at(done, "result.json"))
    assert download.json() == done.document
    assert download["Content-Disposition"] == 'attachment; filename="clip-truthlens.json"'


def test_what_a_moderator_found_stands_beside_the_result(api: Client, done: Analysis, mo: User) -> None:
    url, before = f"/api/v1/analyses/{done.uuid}/", api.get(at(done, "result/"))
    report = api.get(at(done, "report.pdf"))["ETag"]
    assert api.get(url).json()["decision"] is None
    decide(analysis=done, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know them.", seen=None)
    answer = api.get(url).json()
    decision = answer["decision"]
    assert (decision["found"], decision["overruled"], decision["reason"]) == ("real", True, "I know them.")
    assert answer["verdict"] == "fake"
    assert api.get(at(done, "result/")).content == before.content
    assert api.get(at(done, "report.pdf"), headers={"If-None-Match": report}).status_code == 200


def test_a_failed_analysis_has_the_document_that_says_why(alice: User, api: Client) -> None:
    failed = make_failed(alice, code=Failure.UNREADABLE)
    assert api.get(at(failed, "result/")).json()["error"]["code"] == "unreadable"
    assert api.get(at(failed, "frames/")).json()["count"] == 0


@pytest.mark.parametrize(
    "piece", ["result/", "frames/", "result.json", "frames.csv", "report.pdf", "evidence.zip"]
)
def test_before_the_end_there_is_nothing_yet(api: Client, running: Analysis, piece: str) -> None:
    answer = api.get(at(running, piece))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")
    assert int(answer["Retry-After"]) > 0


def test_frames_come_in_pages(alice: User, api: Client) -> None:
    running = make_running(alice)
    done = make_done(alice, video=running.video, result=make_rich_result(running.video))
    assert done.document is not None
    url: str | None = at(done, "frames/?limit=40")
    seen = []
    while url:
        page = api.get(url).json()
        assert page["count"] == len(done.document["frames"])
        assert len(page["results"]) <= 40
        seen += page["results"]
        url = page["next"]
    assert seen == done.document["frames"]
    assert page["previous"] == at(done, "frames/?offset=80&limit=40")


@pytest.mark.parametrize("query", ["limit=0", "limit=5001", "offset=-1", "offset=x"])
def test_a_page_that_can_not_be_is_a_problem(api: Client, done: Analysis, query: str) -> None:
    assert api.get(at(done, f"frames/?{query}")).status_code == 400


def test_the_table_has_a_row_a_frame(api: Client, done: Analysis) -> None:
    answer = api.get(at(done, "frames.csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [float(row["score"]) for row in rows] == [0.88, 0.93, 0.95]


def test_the_report_is_the_pages_own(alice_client: Client, api: Client, done: Analysis) -> None:
    answer = api.get(at(done, "report.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content == alice_client.get(f"/analyses/{done.uuid}/report.pdf").content
    assert answer.content.startswith(b"%PDF-")


def test_the_evidence_is_the_pages_own(alice_client: Client, api: Client, done: Analysis) -> None:
    answer = api.get(at(done, "evidence.zip"))
    assert answer["Content-Type"] == "application/zip"
    assert 'filename="clip-truthlens.zip"' in answer["Content-Disposition"]
    content = b"".join(answer)
    assert content == b"".join(alice_client.get(f"/analyses/{done.uuid}/evidence.zip"))
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {"report.pdf", "result.json", "evidence/1-0-crop.jpg"} < set(archive.namelist())


@pytest.mark.parametrize("piece", ["report.pdf", "evidence.zip"])
def test_there_is_no_report_of_what_ended_without_a_result(piece: str, alice: User, api: Client) -> None:
    answer = api.get(at(make_failed(alice), piece))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_result")


def test_evidence_is_what_the_result_names_and_nothing_else(api: Client, done: Analysis) -> None:
    crop, heatmap = api.get(at(done, "evidence/1-0-crop.jpg")), api.get(at(done, "evidence/1-0-heatmap.png"))
    assert (crop["Content-Type"], b"".join(crop)) == ("image/jpeg", JPEG)
    assert (heatmap["Content-Type"], b"".join(heatmap)) == ("image/png", PNG)
    for name in ("2-0-crop.jpg", "..", "%2e%2e%2fresult.json", "1-0-crop.jpg%00"):
        assert api.get(at(done, f"evidence/{name}")).status_code == 404, name


@pytest.mark.parametrize("piece", WITH_ETAG)
def test_what_the_client_has_already_is_not_sent_again(api: Client, done: Analysis, piece: str) -> None:
    first = api.get(at(done, piece))
    again = api.get(at(done, piece), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    other = api.get(at(done, piece), headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_another_result_has_another_etag(alice: User, api: Client, done: Analysis) -> None:
    running = make_running(alice)
    other = make_done(alice, video=running.video, result=make_result(running.video, scores=(0.1, 0.2)))
    for piece in WITH_ETAG:
        assert api.get(at(done, piece))["ETag"] != api.get(at(other, piece))["ETag"], piece


def test_nothing_of_a_result_may_be_kept_by_a_shared_cache(api: Client, done: Analysis) -> None:
    for piece in ("", *WITH_ETAG, "nothing/"):
        assert api.get(at(done, piece))["Cache-Control"] == "private, no-cache", piece
    assert api.get("/api/v1/usage/")["Cache-Control"] == "private, no-cache"
