from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from analyses.detection import FAILURE_SENTENCES, Failure
from analyses.models import Analysis
from detector import DetectorConfig

AS_SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def url() -> str:
    return reverse("analysis_new")


def test_the_form_states_the_limits_beforehand(url: str, alice_client: Client, settings: Settings) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 30 * 1024 * 1024
    settings.MAX_VIDEO_DURATION_S = 90
    page = alice_client.get(url).content.decode().replace("\u00a0", " ")
    for words in ("30 MB", "1 min 30 s", "MP4, MOV, AVI, WebM, MKV", "36 pixels"):
        assert words in page


def test_an_upload_becomes_an_analysis(
    url: str, alice: User, alice_client: Client, upload: SimpleUploadedFile, installed_weights: Path
) -> None:
    response = alice_client.post(url, {"video": upload})
    analysis = Analysis.objects.get()
    assert analysis.owner == alice
    assert analysis.video.original_name == "clip.mp4"
    assert response.status_code == 302
    assert response["Location"] == analysis.get_absolute_url()


def test_a_script_gets_the_address_as_json(
    url: str, alice_client: Client, upload: SimpleUploadedFile, installed_weights: Path
) -> None:
    response = alice_client.post(url, {"video": upload}, headers=AS_SCRIPT)
    assert response.status_code == 201
    assert response.json() == {"url": Analysis.objects.get().get_absolute_url()}


def test_nobody_uploads_nothing(
    url: str, client: Client, upload: SimpleUploadedFile, installed_weights: Path, db: None
) -> None:
    assert client.post(url, {"video": upload}).status_code == 302
    assert not Analysis.objects.exists()


def test_no_file_is_said_at_the_form(url: str, alice_client: Client) -> None:
    response = alice_client.post(url, {})
    assert response.status_code == 400
    assert "Choose a video file first." in response.content.decode()
    answer = alice_client.post(url, {}, headers=AS_SCRIPT)
    assert (answer.status_code, answer.json()["message"]) == (400, "Choose a video file first.")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Failure.EMPTY),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", Failure.NOT_VIDEO),
        (b"FLV\x01" + b"\0" * 100, Failure.UNSUPPORTED),
    ],
)
def test_a_file_that_is_not_taken_is_explained_at_the_form(
    content: bytes, code: Failure, url: str, alice_client: Client, installed_weights: Path
) -> None:
    response = alice_client.post(url, {"video": SimpleUploadedFile("clip.mp4", content)})
    assert response.status_code == 400
    assert FAILURE_SENTENCES[code] in response.content.decode()
    answer = alice_client.post(
        url, {"video": SimpleUploadedFile("clip.mp4", content)}, headers=AS_SCRIPT
    ).json()
    assert (answer["code"], answer["message"]) == (code, FAILURE_SENTENCES[code])
    assert answer["hint"]
    assert not Analysis.objects.exists()


@pytest.mark.parametrize("times", [2, 60])
def test_a_file_over_the_limit_is_refused_and_not_stored(
    times: int, url: str, alice_client: Client, installed_weights: Path, settings: Settings
) -> None:
    """Also far over it, where the rest of the upload isn't even read."""
    settings.MAX_VIDEO_SIZE_BYTES = 1024 * 1024
    big = SimpleUploadedFile("clip.mp4", b"\0" * (times * 1024 * 1024 + 1))
    response = alice_client.post(url, {"video": big})
    assert response.status_code == 413
    assert "The file is larger than the limit." in response.content.decode()
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())


def test_without_weights_it_is_said_before_anything_is_uploaded(
    url: str, alice_client: Client, settings: Settings, tmp_path: Path, upload: SimpleUploadedFile
) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "none.safetensors")
    assert FAILURE_SENTENCES[Failure.NO_WEIGHTS] in alice_client.get(url).content.decode()
    assert alice_client.post(url, {"video": upload}).status_code == 503
