"""The tus protocol at ``/uploads/``, spoken as a client does."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses import resumable
from analyses.detection import FAILURE_SENTENCES, Failure
from analyses.models import Analysis, State, Upload
from analyses.services import UploadGone
from analyses.tests.factories import MP4_BYTES, make_analysis, make_done, make_video
from detector import DetectorConfig

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"
HALF = len(MP4_BYTES) // 2


def metadata(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


def create(client: Client, size: int | str = len(MP4_BYTES), **headers: str) -> Any:
    sent = {"Upload-Length": str(size), "Upload-Metadata": metadata(filename="clip.mp4"), **TUS, **headers}
    return client.post(reverse("uploads"), headers=sent, content_type="text/plain")


def begin(client: Client, size: int = len(MP4_BYTES), **values: str) -> str:
    response = create(client, size, **{"Upload-Metadata": metadata(filename="clip.mp4", **values)})
    assert response.status_code == 201
    return str(response["Location"])


def send(client: Client, url: str, content: bytes, offset: int = 0, /, **headers: str) -> Any:
    sent = {"Upload-Offset": str(offset), **TUS, **headers}
    return client.patch(url, content, content_type=PIECE, headers=sent)


def offset_of(client: Client, url: str) -> int:
    return int(client.head(url, headers=TUS)["Upload-Offset"])


def parts(settings: Settings) -> list[Path]:
    return list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())


# The way of a file


def test_a_file_in_two_pieces_becomes_an_analysis(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    url = begin(alice_client)
    first = send(alice_client, url, MP4_BYTES[:HALF])
    assert (first.status_code, first["Upload-Offset"]) == (204, str(HALF))
    assert offset_of(alice_client, url) == HALF
    assert not Analysis.objects.exists()
    last = send(alice_client, url, MP4_BYTES[HALF:], HALF)
    analysis = Analysis.objects.select_related("video").get()
    assert (last.status_code, last["Analysis-Location"]) == (204, analysis.get_absolute_url())
    assert (analysis.owner, analysis.state, analysis.video.original_name) == (alice, State.QUEUED, "clip.mp4")
    assert analysis.video.sha256 == hashlib.sha256(MP4_BYTES).hexdigest()
    assert Path(analysis.video.file.path).read_bytes() == MP4_BYTES
    assert parts(settings) == []


def test_what_the_analysis_is_asked_for_comes_with_the_upload(
    alice_client: Client, shipped_models: None
) -> None:
    url = begin(alice_client, backbone="resnext50", stability="true")
    send(alice_client, url, MP4_BYTES)
    analysis = Analysis.objects.get()
    assert (analysis.backbone, analysis.stability) == ("resnext50", True)


def test_a_client_that_missed_the_last_answer_learns_it_anyway(alice_client: Client) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES)
    head = alice_client.head(url, headers=TUS)
    page = Analysis.objects.get().get_absolute_url()
    assert (head["Upload-Offset"], head["Upload-Length"]) == (str(len(MP4_BYTES)), str(len(MP4_BYTES)))
    assert head["Analysis-Location"] == page
    assert head["Cache-Control"] == "no-store"
    state = alice_client.get(url).json()
    assert (state["url"], state["open"], state["problem"]) == (page, False, None)


def test_a_file_that_was_analysed_before_opens_that_result(alice: User, alice_client: Client) -> None:
    from analyses.detection import check_weights

    done = make_done(alice)
    Analysis.objects.filter(pk=done.pk).update(model_sha256=check_weights().sha256)
    url = begin(alice_client)
    last = send(alice_client, url, MP4_BYTES)
    assert last["Analysis-Location"] == f"{done.get_absolute_url()}?earlier"
    assert Analysis.objects.count() == 1


def test_a_file_that_waits_already_opens_that_analysis(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    earlier = make_analysis(alice)
    last = send(alice_client, begin(alice_client), MP4_BYTES)
    assert last["Analysis-Location"] == f"{earlier.get_absolute_url()}?earlier"
    assert (Analysis.objects.count(), parts(settings)) == (1, [])


def test_a_discarded_upload_leaves_nothing(alice_client: Client, settings: Settings) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES[:HALF])
    assert alice_client.delete(url, headers=TUS).status_code == 204
    assert parts(settings) == []
    assert send(alice_client, url, MP4_BYTES[HALF:], HALF).status_code == 404


def test_discarding_a_finished_upload_keeps_its_analysis(alice_client: Client) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES)
    assert alice_client.delete(url, headers=TUS).status_code == 204
    assert Analysis.objects.count() == 1


# What the protocol asks


def test_options_tell_what_is_spoken(alice_client: Client, settings: Settings) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 12345
    for url in (reverse("uploads"), begin(alice_client)):
        response = alice_client.options(url)
        assert response.status_code == 204
        assert response["Tus-Version"] == "1.0.0"
        assert set(response["Tus-Extension"].split(",")) == {
            "creation", "expiration", "termination", "checksum",
        }  # fmt: skip
        assert response["Tus-Max-Size"] == "12345"
        assert "sha1" in response["Tus-Checksum-Algorithm"].split(",")


@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_another_version_is_refused(version: str | None, alice_client: Client) -> None:
    url = begin(alice_client)
    headers = {"Upload-Offset": "0"} | ({"Tus-Resumable": version} if version else {})
    response = alice_client.patch(url, MP4_BYTES, content_type=PIECE, headers=headers)
    assert (response.status_code, response["Tus-Version"]) == (412, "1.0.0")
    assert offset_of(alice_client, url) == 0


@pytest.mark.parametrize("offset", [0, HALF - 1, HALF + 1])
def test_a_piece_for_another_place_is_refused(offset: int, alice_client: Client) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES[:HALF])
    assert send(alice_client, url, b"xyz", offset).status_code == 409
    assert offset_of(alice_client, url) == HALF


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "९", "9" * 30])
def test_an_offset_that_is_no_number_is_refused(offset: str, alice_client: Client) -> None:
    url = begin(alice_client)
    assert send(alice_client, url, b"x", **{"Upload-Offset": offset}).status_code == 400


def test_more_than_was_announced_is_refused(alice_client: Client, settings: Settings) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES[:HALF])
    assert send(alice_client, url, MP4_BYTES[HALF:] + b"!", HALF).status_code == 413
    assert offset_of(alice_client, url) == HALF
    assert [path.stat().st_size for path in parts(settings)] == [HALF]


def test_a_piece_of_another_kind_is_refused(alice_client: Client) -> None:
    url = begin(alice_client)
    response = alice_client.patch(
        url, MP4_BYTES, content_type="video/mp4", headers={"Upload-Offset": "0", **TUS}
    )
    assert response.status_code == 415


def test_a_piece_without_a_length_is_refused(alice_client: Client) -> None:
    url = begin(alice_client)
    sent = {"Upload-Offset": "0", **TUS}
    response = alice_client.generic("PATCH", url, b"", headers=sent, CONTENT_TYPE=PIECE)
    assert response.status_code == 411


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksums_are_checked(algorithm: str, alice_client: Client) -> None:
    url = begin(alice_client)
    right = base64.b64encode(hashlib.new(algorithm, MP4_BYTES[:HALF]).digest()).decode()
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    broken = send(alice_client, url, MP4_BYTES[:HALF], **{"Upload-Checksum": f"{algorithm} {wrong}"})
    assert broken.status_code == 460
    assert offset_of(alice_client, url) == 0
    sound = send(alice_client, url, MP4_BYTES[:HALF], **{"Upload-Checksum": f"{algorithm} {right}"})
    assert (sound.status_code, offset_of(alice_client, url)) == (204, HALF)


@pytest.mark.parametrize("checksum", ["md5 AAAA", "sha1", "sha1 !!!", "sha1AAAA", ""])
def test_a_checksum_that_cannot_be_read_is_refused(checksum: str, alice_client: Client) -> None:
    url = begin(alice_client)
    status = send(alice_client, url, MP4_BYTES[:HALF], **{"Upload-Checksum": checksum}).status_code
    assert status in (400, 460)
    assert offset_of(alice_client, url) == 0


def test_a_post_may_stand_for_another_method_and_a_get_may_not(alice_client: Client) -> None:
    url = begin(alice_client)
    alice_client.get(url, headers={"X-HTTP-Method-Override": "DELETE", **TUS})
    assert Upload.objects.count() == 1
    sent = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0", **TUS}
    assert alice_client.post(url, MP4_BYTES, content_type=PIECE, headers=sent).status_code == 204
    assert Analysis.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "post"])
def test_other_methods_are_refused(method: str, alice_client: Client) -> None:
    assert getattr(alice_client, method)(begin(alice_client), headers=TUS).status_code == 405
    assert alice_client.get(reverse("uploads")).status_code == 405


# What is not taken


@pytest.mark.parametrize("length", ["", "many", "-3", "1e6"])
def test_without_a_length_nothing_begins(length: str, alice_client: Client) -> None:
    assert create(alice_client, length).status_code == 400
    assert not Upload.objects.exists()


def test_a_length_that_comes_later_is_refused(alice_client: Client) -> None:
    assert create(alice_client, **{"Upload-Defer-Length": "1"}).status_code == 400


def test_metadata_that_cannot_be_read_are_refused(alice_client: Client) -> None:
    assert create(alice_client, **{"Upload-Metadata": "filename %%%"}).status_code == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize(("size", "code", "status"), [(0, "empty", 400), (2001, "too_large", 413)])
def test_a_size_that_is_not_taken_is_refused_before_anything_is_sent(
    size: int, code: str, status: int, alice_client: Client, settings: Settings
) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 2000
    response = create(alice_client, size)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"] == FAILURE_SENTENCES[Failure(code)]
    assert parts(settings) == []


def test_without_weights_nothing_begins(alice_client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "none.safetensors")
    response = create(alice_client)
    assert (response.status_code, response.json()["code"]) == (503, "no_weights")


def test_a_model_that_is_not_installed_is_refused(alice_client: Client) -> None:
    response = create(alice_client, **{"Upload-Metadata": metadata(filename="a.mp4", backbone="vgg")})
    assert (response.status_code, response.json()["code"]) == (503, "no_weights")


def test_a_text_is_refused_when_it_is_complete(alice_client: Client, settings: Settings) -> None:
    text = b"just some text, named like a video"
    url = begin(alice_client, len(text))
    response = send(alice_client, url, text)
    assert (response.status_code, response.json()["code"]) == (400, "not_video")
    assert alice_client.head(url, headers=TUS).status_code == 410
    assert alice_client.get(url).json()["problem"]["message"] == FAILURE_SENTENCES[Failure.NOT_VIDEO]
    assert parts(settings) == []
    assert not Analysis.objects.exists()


def test_a_large_file_that_begins_like_no_video_is_refused_at_once(alice_client: Client) -> None:
    url = begin(alice_client, 50_000)
    assert send(alice_client, url, b"text " * 1000).json()["code"] == "not_video"
    assert send(alice_client, url, b"text", 5000).status_code == 410


def test_nobody_has_more_than_so_many_under_way(
    alice_client: Client, bob_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "MOST_OPEN", 2)
    urls = [begin(alice_client), begin(alice_client)]
    response = create(alice_client)
    assert (response.status_code, response.json()["code"]) == (429, "too_many_uploads")
    begin(bob_client)
    send(alice_client, urls[0], MP4_BYTES)
    begin(alice_client)


# Time, breaks and two at once


def test_an_upload_expires_a_day_after_its_last_piece(alice_client: Client) -> None:
    url = begin(alice_client)
    Upload.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    assert "Upload-Expires" in send(alice_client, url, MP4_BYTES[:HALF])
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=23)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert alice_client.head(url, headers=TUS).status_code == 410
    assert send(alice_client, url, MP4_BYTES[HALF:], HALF).status_code == 410


def test_two_writers_do_not_mix(alice_client: Client) -> None:
    url = begin(alice_client)
    with resumable._only_writer(Upload.objects.get()):
        assert send(alice_client, url, MP4_BYTES).status_code == 423
    assert send(alice_client, url, MP4_BYTES).status_code == 204


def test_bytes_that_a_killed_process_left_unsaid_do_not_count(
    alice_client: Client, settings: Settings
) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES[:HALF])
    with parts(settings)[0].open("ab") as stream:
        stream.write(b"half a piece")
    assert offset_of(alice_client, url) == HALF
    send(alice_client, url, MP4_BYTES[HALF:], HALF)
    assert Path(Analysis.objects.select_related("video").get().video.file.path).read_bytes() == MP4_BYTES


class BrokenOff:
    """A connection that ends after so many bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, size: int) -> bytes:
        block, self.content = self.content[:size], self.content[size:]
        return block


def test_what_came_before_the_connection_broke_counts(alice: User) -> None:
    upload = resumable.begin_upload(owner=alice, name="clip.mp4", size=len(MP4_BYTES))
    piece = resumable.Piece(0, len(MP4_BYTES), BrokenOff(MP4_BYTES[:HALF]))
    assert resumable.receive_piece(upload=upload, piece=piece).received_bytes == HALF


def test_half_a_piece_with_a_checksum_does_not_count(alice: User) -> None:
    upload = resumable.begin_upload(owner=alice, name="clip.mp4", size=len(MP4_BYTES))
    checksum = resumable.Checksum("sha256", hashlib.sha256(MP4_BYTES).digest())
    piece = resumable.Piece(0, len(MP4_BYTES), BrokenOff(MP4_BYTES[:HALF]), checksum)
    assert resumable.receive_piece(upload=upload, piece=piece).received_bytes == 0


def test_an_upload_discarded_while_its_last_piece_comes_makes_no_analysis(
    alice: User, settings: Settings
) -> None:
    upload = resumable.begin_upload(owner=alice, name="clip.mp4", size=len(MP4_BYTES))

    class Discarding(BrokenOff):
        def read(self, size: int) -> bytes:
            resumable.discard_upload(upload=upload)
            return super().read(size)

    piece = resumable.Piece(0, len(MP4_BYTES), Discarding(MP4_BYTES))
    with pytest.raises(UploadGone):
        resumable.receive_piece(upload=upload, piece=piece)
    assert not Analysis.objects.exists()
    assert list(Path(settings.MEDIA_ROOT).rglob("*.bin")) == []


def test_an_end_that_fails_can_be_tried_again(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begin(alice_client)
    send(alice_client, url, MP4_BYTES[:HALF])

    def full(**fields: Any) -> None:
        raise OSError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(resumable, "submit_analysis", full)
        with pytest.raises(OSError, match="disk is full"):
            send(alice_client, url, MP4_BYTES[HALF:], HALF)
    assert offset_of(alice_client, url) == HALF
    assert send(alice_client, url, MP4_BYTES[HALF:], HALF).status_code == 204


# Who may


@pytest.mark.parametrize("method", ["head", "get", "patch", "delete", "options"])
def test_a_stranger_gets_404(
    method: str, alice_client: Client, bob_client: Client, mo_client: Client
) -> None:
    url = begin(alice_client)
    for client in (bob_client, mo_client):
        assert getattr(client, method)(url, headers=TUS).status_code == 404
    assert Upload.objects.count() == 1


def test_nobody_is_told_that_they_are_logged_out(alice_client: Client, client: Client) -> None:
    url = begin(alice_client)
    for response in (client.get(url), client.delete(url, headers=TUS), create(client)):
        assert (response.status_code, response.json()["code"]) == (403, "logged_out")


def test_a_request_without_the_sites_own_token_is_refused(alice: User, alice_client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    url = begin(alice_client)
    refused = [create(strict), send(strict, url, b"x"), strict.delete(url, headers=TUS)]
    assert {response.status_code for response in refused} == {403}


def test_a_video_of_another_account_is_no_earlier_result(bob: User, alice_client: Client) -> None:
    make_done(bob, video=make_video(bob))
    send(alice_client, begin(alice_client), MP4_BYTES)
    assert Analysis.objects.filter(state=State.QUEUED).count() == 1
