"""``POST /api/detect`` as users of the original know it."""

from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses import claims
from analyses.api.detect import answer_of, confidence_of, detection_of
from analyses.api.waiting import LONGEST_S, PLACES, USUAL_S, seconds_asked
from analyses.detection import Failure, Verdict
from analyses.models import Analysis, State
from analyses.tests.factories import MP4_BYTES, make_done, make_failed, make_result, make_running
from analyses.tests.results import make_rich_result
from analyses.tests.workers import finish, worker

DETECT = "/api/detect"


def detect(client: Client, content: bytes = MP4_BYTES, **headers: str) -> Any:
    return client.post(DETECT, {"video": SimpleUploadedFile("clip.mp4", content)}, headers=headers)


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_verdict(api: Client, installed_weights: Path) -> None:
    with worker(finish):
        answer = detect(api, Prefer="wait=9")
    analysis = Analysis.objects.get()
    assert (answer.status_code, answer["Preference-Applied"]) == (200, "wait=9")
    assert answer.json() == {
        "status": "success",
        "prediction": {"is_deepfake": True, "confidence": 0.92, "model": "tiny_lstm"},
        "frame_analysis": [
            {"frame": 1, "score": 0.88},
            {"frame": 11, "score": 0.93},
            {"frame": 21, "score": 0.95},
        ],
        "processing_time": "3.90s",
        "verdict": "fake",
        "analysis": f"/api/v1/analyses/{analysis.uuid}/",
    }


@pytest.mark.django_db(transaction=True)
def test_a_file_that_can_not_be_analysed_is_an_error(api: Client, installed_weights: Path) -> None:
    with worker(lambda one: claims.record_failure(analysis=one, code=Failure.UNREADABLE)):
        answer = detect(api)
    assert answer.status_code == 422
    body = answer.json()
    assert (body["status"], body["error"]["code"]) == ("error", "unreadable")
    assert body["error"]["message"] == Analysis.objects.get().failure_sentence


@pytest.mark.django_db
def test_what_takes_longer_is_accepted(api: Client, installed_weights: Path) -> None:
    started = monotonic()
    answer = detect(api, Prefer="wait=1")
    assert 1 <= monotonic() - started < 5
    url = f"/api/v1/analyses/{Analysis.objects.get().uuid}/"
    assert (answer.status_code, answer["Location"]) == (202, url)
    assert answer.json() == {"status": "pending", "analysis": url}
    assert int(answer["Retry-After"]) > 0


@pytest.mark.django_db
@pytest.mark.usefixtures("installed_weights")
def test_beyond_the_cap_nobody_waits(api: Client, settings: Settings) -> None:
    settings.DETECT_WAITERS = 1
    with PLACES.place() as first:
        started = monotonic()
        assert first
        assert detect(api, Prefer="wait=30").status_code == 202
        assert monotonic() - started < 5
    with PLACES.place() as free:
        assert free, "a place that was left can be taken again"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", USUAL_S),
        ("wait=5", 5),
        ("respond-async, wait=10", 10),
        ("wait = 7; x=1", 7),
        ('wait="8"', 8),
        ("wait=3600", LONGEST_S),
        ("wait=0", 0),
        ("wait=-1", USUAL_S),
        ("wait=soon", USUAL_S),
        ("await=3", USUAL_S),
    ],
)
def test_the_client_says_how_long_it_waits(prefer: str, seconds: int) -> None:
    assert seconds_asked(prefer) == seconds


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "probability", "is_deepfake", "confidence"),
    [
        (Verdict.FAKE, 0.92, True, 0.92),
        (Verdict.REAL, 0.08, False, 0.92),
        (Verdict.INCONCLUSIVE, 0.55, None, None),
        (Verdict.INCONCLUSIVE, None, None, None),
    ],
)
def test_the_confidence_is_of_the_stated_verdict(
    alice: User,
    verdict: Verdict,
    probability: float | None,
    is_deepfake: bool | None,
    confidence: float | None,
) -> None:
    video = make_running(alice).video
    done = make_done(
        alice, video=video, result=make_result(video, verdict=verdict, fake_probability=probability)
    )
    assert done.document is not None
    body: Any = detection_of(done, done.document)
    assert body["prediction"]["is_deepfake"] is is_deepfake
    assert body["prediction"]["confidence"] == confidence == confidence_of(verdict, probability)
    assert body["verdict"] == verdict


@pytest.mark.django_db
def test_a_frame_has_the_highest_score_of_its_faces(alice: User) -> None:
    video = make_running(alice).video
    done = make_done(alice, video=video, result=make_rich_result(video))
    assert done.document is not None
    body: Any = detection_of(done, done.document)
    frames = body["frame_analysis"]
    assert [entry["frame"] for entry in frames] == sorted({entry["frame"] for entry in frames})
    both = {entry["frame"]: entry["score"] for entry in done.document["frames"] if entry["track"] == 1}
    at_90 = next(entry for entry in frames if entry["frame"] == 91)
    assert at_90["score"] == both[90] > 0.44


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Failure.UNREADABLE, 422),
        (Failure.TOO_LONG, 422),
        (Failure.TIMED_OUT, 504),
        (Failure.CRASHED, 500),
        (Failure.WORKER_LOST, 503),
        (Failure.NO_WEIGHTS, 503),
        (Failure.CANCELLED, 409),
    ],
)
def test_each_way_to_end_without_a_result_has_its_status(alice: User, code: Failure, status: int) -> None:
    assert answer_of(make_failed(alice, code=code)).status_code == status


@pytest.mark.django_db
@pytest.mark.usefixtures("installed_weights")
def test_refusals_have_the_form_of_the_original(client: Client, api: Client) -> None:
    not_video = b"only words " * 60
    answers = {
        "not_authenticated": detect(client),
        "not_video": detect(api, not_video),
        "invalid": api.post(DETECT),
        "unsupported_media_type": api.post(DETECT, "<x/>", content_type="text/xml"),
        "method_not_allowed": api.get(DETECT),
    }
    for code, answer in answers.items():
        body = answer.json()
        assert answer["Content-Type"] == "application/json"
        assert (body["status"], body["error"]["code"], set(body)) == ("error", code, {"status", "error"})
        assert body["error"]["message"]
    assert [answer.status_code for answer in answers.values()] == [401, 400, 400, 415, 405]
    assert not Analysis.objects.exists()


@pytest.mark.django_db
def test_the_result_of_the_same_file_comes_at_once(api: Client, installed_weights: Path) -> None:
    from analyses.detection import check_weights

    detect(api, Prefer="wait=0")
    one = Analysis.objects.get()
    now = timezone.now()
    Analysis.objects.update(state=State.RUNNING, claimed_by="w", started_at=now, heartbeat_at=now)
    one.refresh_from_db()
    finish(one)
    Analysis.objects.update(model_sha256=check_weights().sha256)
    answer = detect(api, Prefer="wait=0")
    assert (answer.status_code, answer.json()["analysis"]) == (200, f"/api/v1/analyses/{one.uuid}/")
