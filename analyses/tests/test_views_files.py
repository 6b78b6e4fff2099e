import csv
import io
import re
from zipfile import ZipFile

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from analyses import claims
from analyses.models import Analysis
from analyses.tests.factories import JPEG, MP4_BYTES, PNG, make_done, make_failed, make_running
from detector.tests.documents import check_document


def test_the_json_is_the_result_document(alice: User, alice_client: Client) -> None:
    analysis = make_done(alice, name="Rede – Köln.mp4")
    response = alice_client.get(reverse("analysis_json", args=[analysis.uuid]))
    assert response.json() == analysis.document
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert "truthlens.json" in response["Content-Disposition"]


def test_the_json_of_a_failure_is_the_error_document(alice: User, alice_client: Client) -> None:
    document = alice_client.get(reverse("analysis_json", args=[make_failed(alice).uuid])).json()
    check_document(document)
    assert document["error"]["code"] == "unreadable"


def test_the_csv_has_a_row_for_each_frame(alice: User, alice_client: Client) -> None:
    response = alice_client.get(reverse("analysis_csv", args=[make_done(alice).uuid]))
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [row["score"] for row in rows] == ["0.88", "0.93", "0.95"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("name", ["analysis_json", "analysis_csv", "analysis_pdf", "analysis_zip"])
def test_there_is_nothing_to_download_before_the_end(name: str, alice: User, alice_client: Client) -> None:
    response = alice_client.get(reverse(name, args=[make_running(alice).uuid]))
    assert response.status_code == 409
    assert "has not finished" in response.content.decode()


@pytest.mark.parametrize("name", ["analysis_pdf", "analysis_zip"])
def test_there_is_no_report_of_a_failure(name: str, alice: User, alice_client: Client) -> None:
    response = alice_client.get(reverse(name, args=[make_failed(alice).uuid]))
    assert response.status_code == 409
    assert "ended without a result" in response.content.decode()


def test_the_report_is_a_pdf_that_nobody_else_keeps(alice: User, alice_client: Client) -> None:
    response = alice_client.get(reverse("analysis_pdf", args=[make_done(alice, name="Köln.mp4").uuid]))
    assert response.content.startswith(b"%PDF-")
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    assert "truthlens.pdf" in response["Content-Disposition"]


def test_the_archive_is_sent_as_it_is_made(alice: User, alice_client: Client) -> None:
    response = alice_client.get(reverse("analysis_zip", args=[make_done(alice).uuid]))
    assert response.streaming
    assert "report.pdf" in ZipFile(io.BytesIO(response.getvalue())).namelist()
    assert response["Content-Type"] == "application/zip"


def test_the_video_can_be_read_in_ranges(alice: User, alice_client: Client) -> None:
    url = reverse("analysis_video", args=[make_done(alice).uuid])
    response = alice_client.get(url, headers={"Range": "bytes=4-11"})
    assert response.status_code == 206
    assert response.getvalue() == MP4_BYTES[4:12]
    assert response["Content-Type"] == "video/mp4"


def played(client: Client, analysis: Analysis) -> str:
    """The address in the player of a result's page."""
    page = client.get(analysis.get_absolute_url()).content.decode()
    return str(re.findall(r'<video [^>]*src="([^"]+)"', page)[0])


def test_an_address_that_a_player_has_begun_to_read_stays_the_same_file(
    alice: User, alice_client: Client
) -> None:
    analysis = make_done(alice)
    begun = played(alice_client, analysis)
    claims.record_proxy(video=analysis.video, proxy=ContentFile(b"a shorter copy"))
    last = alice_client.get(begun, headers={"Range": f"bytes={len(MP4_BYTES) - 3}-"})
    assert last.status_code == 206
    assert last.getvalue() == MP4_BYTES[-3:]
    assert alice_client.get(played(alice_client, analysis)).getvalue() == b"a shorter copy"


def test_a_video_whose_file_is_gone_is_404(alice: User, alice_client: Client) -> None:
    analysis = make_done(alice)
    analysis.video.file.storage.delete(str(analysis.video.file.name))
    assert alice_client.get(reverse("analysis_video", args=[analysis.uuid])).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("1-0-crop.jpg", JPEG, "image/jpeg"), ("1-0-heatmap.png", PNG, "image/png")],
)
def test_evidence_is_served_as_the_picture_it_is(
    name: str, content: bytes, kind: str, alice: User, alice_client: Client
) -> None:
    response = alice_client.get(reverse("analysis_evidence", args=[make_done(alice).uuid, name]))
    assert response.getvalue() == content
    assert response["Content-Type"] == kind
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize("name", ["2-9-crop.jpg", "..%2Fsecret", "db.sqlite3"])
def test_a_name_that_the_result_does_not_have_is_404(name: str, alice: User, alice_client: Client) -> None:
    url = reverse("analysis_evidence", args=[make_done(alice).uuid, "x"])[:-1] + name
    assert alice_client.get(url).status_code == 404
