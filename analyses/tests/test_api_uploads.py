"""Uploads in pieces with a token. The protocol itself is tested where it lives."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from analyses import services
from analyses.account_deletion import delete_account
from analyses.models import Analysis, Upload, Video
from analyses.tests.factories import MP4_BYTES, make_analysis
from analyses.uploads import sha256_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]
UPLOADS = "/api/v1/uploads/"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"
HALF = len(MP4_BYTES) // 2


def begin(api: Client, size: int | str = len(MP4_BYTES), **headers: str) -> Any:
    name = base64.b64encode(b"clip.mp4").decode()
    sent = {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}", **TUS, **headers}
    return api.post(UPLOADS, headers=sent)


def send(api: Client, url: str, content: bytes, offset: int, **headers: str) -> Any:
    return api.patch(url, content, PIECE, headers={"Upload-Offset": str(offset), **TUS, **headers})


def assert_problem(answer: Any, status: int, code: str) -> None:
    body = json.loads(answer.content)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["code"]) == (status, code)
    assert answer["Tus-Resumable"] == "1.0.0"


def test_a_file_in_two_pieces_becomes_an_analysis(alice: User, api: Client) -> None:
    begun = begin(api)
    url = begun["Location"]
    assert (begun.status_code, url.startswith(UPLOADS)) == (201, True)
    assert send(api, url, MP4_BYTES[:HALF], 0)["Upload-Offset"] == str(HALF)
    assert api.head(url, headers=TUS)["Upload-Offset"] == str(HALF)
    last = send(api, url, MP4_BYTES[HALF:], HALF)
    analysis = Analysis.objects.get()
    where = f"/api/v1/analyses/{analysis.uuid}/"
    assert (last.status_code, last["Analysis-Location"]) == (204, where)
    assert analysis.owner == alice
    assert api.get(url).json()["url"] == where


def test_a_client_without_patch_sends_its_pieces_too(api: Client) -> None:
    url = begin(api)["Location"]
    headers = {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH", **TUS}
    answer = api.post(url, MP4_BYTES, content_type=PIECE, headers=headers)
    assert answer.status_code == 204
    assert Analysis.objects.count() == 1


def test_errors_of_the_protocol_are_problem_documents(api: Client, settings: Settings) -> None:
    url = begin(api)["Location"]
    assert_problem(begin(api, "many"), 400, "malformed")
    assert_problem(begin(api, 0), 400, "empty")
    assert_problem(begin(api, settings.MAX_VIDEO_SIZE_BYTES + 1), 413, "too_large")
    assert_problem(begin(api, **{"Tus-Resumable": "0.2"}), 412, "wrong_tus_version")
    assert_problem(send(api, url, MP4_BYTES[HALF:], HALF), 409, "wrong_offset")
    assert_problem(send(api, url, MP4_BYTES + b"x", 0), 413, "request_too_large")
    wrong = {"Upload-Checksum": "sha1 " + base64.b64encode(b"0" * 20).decode()}
    assert_problem(send(api, url, MP4_BYTES[:HALF], 0, **wrong), 460, "checksum_mismatch")
    piece = api.patch(url, b"{}", "application/json", headers={"Upload-Offset": "0", **TUS})
    assert_problem(piece, 415, "unsupported_media_type")
    assert_problem(send(api, url, b"words " * 200, 0), 413, "request_too_large")
    assert_problem(api.post(url, headers=TUS), 405, "method_not_allowed")


def test_what_is_no_video_is_refused_by_its_first_bytes(api: Client) -> None:
    words = b"only words " * 100
    url = begin(api, len(words))["Location"]
    assert_problem(send(api, url, words, 0), 400, "not_video")
    assert_problem(send(api, url, words, 0), 410, "upload_gone")
    assert api.get(url).json()["problem"]["code"] == "not_video"


def test_an_upload_can_be_discarded(api: Client) -> None:
    url = begin(api)["Location"]
    assert api.delete(url, headers=TUS).status_code == 204
    assert not Upload.objects.exists()


def test_the_server_says_what_it_can(api: Client) -> None:
    answer = api.options(UPLOADS)
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert "creation" in answer["Tus-Extension"]


def test_an_upload_that_ends_as_its_account_is_deleted_is_refused(
    alice: User, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begin(api)["Location"]

    def read_while_the_account_goes(upload: Any) -> str:
        delete_account(user=alice)
        return sha256_of(upload)

    monkeypatch.setattr(services, "sha256_of", read_while_the_account_goes)
    answer = send(api, url, MP4_BYTES, 0)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (Video.objects.count(), Upload.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_ends_as_the_earlier_analysis_is_deleted_is_analysed(
    alice: User, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = make_analysis(alice, content=MP4_BYTES)
    url, find_earlier = begin(api)["Location"], services.find_earlier

    def find_what_goes(**asked: Any) -> Analysis | None:
        found = find_earlier(**asked)
        if found == earlier:
            services.delete_analysis(analysis=earlier)
        return found

    monkeypatch.setattr(services, "find_earlier", find_what_goes)
    last = send(api, url, MP4_BYTES, 0)
    analysis = Analysis.objects.get()
    assert (last.status_code, last["Analysis-Location"]) == (204, f"/api/v1/analyses/{analysis.uuid}/")
    assert analysis != earlier
    assert Upload.objects.get().analysis == analysis
