"""Submitting, listing, looking at and changing analyses through the API."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses.claims import record_result
from analyses.detection import Failure, Reason, Verdict
from analyses.models import Analysis, State, Video
from analyses.retention import hold
from analyses.services import delete_video_files
from analyses.tests.factories import (
    MP4_BYTES,
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
)

pytestmark = pytest.mark.django_db
LIST = "/api/v1/analyses/"


def submit(api: Client, content: bytes = MP4_BYTES, query: str = "", **fields: str) -> Any:
    video = SimpleUploadedFile("clip.mp4", content, content_type="video/mp4")
    return api.post(LIST + query, {"video": video, **fields})


def finish(analysis: Analysis, weights_sha256: str) -> None:
    """As the worker does, with the weights that are installed."""
    Analysis.objects.filter(pk=analysis.pk).update(
        state=State.RUNNING, claimed_by="w", started_at=timezone.now(), heartbeat_at=timezone.now()
    )
    analysis.refresh_from_db()
    assert record_result(analysis=analysis, result=make_result(analysis.video))
    Analysis.objects.filter(pk=analysis.pk).update(model_sha256=weights_sha256)


@pytest.fixture
def weights_sha256(installed_weights: Path) -> str:
    return hashlib.sha256(installed_weights.read_bytes()).hexdigest()


# Submitting


@pytest.mark.usefixtures("installed_weights")
def test_a_video_is_accepted_with_where_and_when_to_look(alice: User, api: Client) -> None:
    answer = submit(api, stability="true")
    analysis = Analysis.objects.get()
    assert answer.status_code == 202
    assert answer["Location"] == f"{LIST}{analysis.uuid}/"
    assert int(answer["Retry-After"]) > 0
    assert (analysis.owner, analysis.state, analysis.stability) == (alice, State.QUEUED, True)
    body = answer.json()
    assert (body["uuid"], body["state"], body["verdict"], body["model"]) == (
        str(analysis.uuid),
        "queued",
        None,
        None,
    )
    assert body["video"] == {
        "name": "clip.mp4",
        "sha256": hashlib.sha256(MP4_BYTES).hexdigest(),
        "size_bytes": len(MP4_BYTES),
    }
    assert (body["queue_position"], body["progress"]) == (1, {"stage": "", "done": 0, "total": 0})
    assert api.get(answer["Location"]).json() == body


def test_the_same_file_again_answers_the_result_that_there_is(api: Client, weights_sha256: str) -> None:
    submit(api)
    first = Analysis.objects.get()
    finish(first, weights_sha256)
    answer = submit(api)
    assert (answer.status_code, answer.json()["uuid"]) == (200, str(first.uuid))
    assert "Retry-After" not in answer
    assert Analysis.objects.count() == 1


def test_the_same_file_anew_is_analysed_again(api: Client, weights_sha256: str) -> None:
    submit(api)
    first = Analysis.objects.get()
    finish(first, weights_sha256)
    answer = submit(api, query="?anew=1")
    assert answer.status_code == 202
    second = Analysis.objects.exclude(pk=first.pk).get()
    assert (answer.json()["uuid"], second.state) == (str(second.uuid), State.QUEUED)
    assert second.video_id == first.video_id


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("query", ["", "?anew=1"])
def test_the_same_file_again_answers_the_analysis_that_is_under_way(api: Client, query: str) -> None:
    first = submit(api)
    again = submit(api, query=query)
    assert (again.status_code, again["Location"]) == (202, first["Location"])
    assert again.json() == first.json()
    assert Analysis.objects.count() == 1


@pytest.mark.usefixtures("shipped_models")
def test_a_model_may_be_asked_for(api: Client) -> None:
    names = [model["backbone"] for model in api.get("/api/v1/models/").json()["models"]]
    assert names == ["", "resnext50"]
    assert submit(api, backbone="resnext50").status_code == 202
    assert Analysis.objects.get().backbone == "resnext50"


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "video"),
        ({"video": "not a file"}, "video"),
        ({"video": MP4_BYTES, "backbone": "vgg"}, "backbone"),
        ({"video": MP4_BYTES, "stability": "perhaps"}, "stability"),
    ],
)
def test_a_field_that_can_not_be_taken_is_named(api: Client, fields: dict[str, Any], field: str) -> None:
    if isinstance(fields.get("video"), bytes):
        fields = fields | {"video": SimpleUploadedFile("clip.mp4", fields["video"])}
    answer = api.post(LIST, fields)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    body = answer.json()
    assert (body["code"], list(body["errors"])) == ("invalid", [field])
    assert field in body["detail"]
    assert not Analysis.objects.exists()


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"words, words " * 50, "not_video")])
def test_a_file_that_is_not_taken_is_refused_with_its_code(api: Client, content: bytes, code: str) -> None:
    answer = submit(api, content)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["hint"]
    assert not Video.objects.exists()


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("extra", [1, 2 * 1024 * 1024])
def test_a_file_that_is_too_large_is_refused_and_not_kept(
    api: Client, alice_client: Client, settings: Settings, extra: int
) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = len(MP4_BYTES)
    for client in (api, alice_client):
        answer = submit(client, MP4_BYTES + b"x" * extra)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not Video.objects.exists()


def test_without_weights_nothing_is_taken(api: Client, settings: Settings, tmp_path: Path) -> None:
    from detector import DetectorConfig

    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "none.safetensors")
    answer = submit(api)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_weights")


# The list


def listed(api: Client, **query: object) -> list[str]:
    answer = api.get(f"{LIST}?{urlencode(query)}")
    assert answer.status_code == 200, answer.json()
    return [entry["uuid"] for entry in answer.json()["results"]]


def test_the_list_holds_ones_own_newest_first(alice: User, mo: User, as_api: Callable[..., Client]) -> None:
    first, second = make_done(alice), make_failed(alice)
    make_done(mo)
    assert listed(as_api(alice)) == [str(second.uuid), str(first.uuid)]


def test_the_list_is_filtered(alice: User, api: Client) -> None:
    old = timezone.now() - timedelta(days=3)
    fake = make_done(alice, name="Straße am Hafen.mp4", created_at=old)
    waiting = make_analysis(alice, name="market.mp4")
    video = make_analysis(alice, name="x").video
    real = make_done(
        alice, video=video, result=make_result(video, verdict=Verdict.REAL, fake_probability=0.1)
    )
    Analysis.objects.filter(pk=real.pk).update(model_name="other_lstm")
    uuid = {name: str(row.uuid) for name, row in {"fake": fake, "waiting": waiting, "real": real}.items()}
    assert uuid["waiting"] in listed(api, state="queued")
    assert uuid["fake"] not in listed(api, state="queued")
    assert listed(api, verdict="fake") == [uuid["fake"]]
    assert listed(api, model="other_lstm") == [uuid["real"]]
    assert listed(api, text="STRASSE") == [uuid["fake"]]
    day = (timezone.now() - timedelta(days=1)).isoformat()
    assert listed(api, until=day) == [uuid["fake"]]
    assert uuid["fake"] not in listed(api, since=day)
    assert listed(api, verdict="fake", since=day) == []


@pytest.mark.parametrize(
    "query",
    [
        "state=lost",
        "verdict=maybe",
        "since=yesterday",
        "until=0001-01-01T00:00:00%2B14:00",
        "text=%00",
        "verdict=",
        "limit=0",
        "limit=101",
        "cursor=cD1ub3RhZGF0ZQ%3D%3D",  # p=notadate
        "cursor=cD05OTk5LTEyLTMxVDIzOjU5OjU5LTEyOjAw",  # p=9999-12-31T23:59:59-12:00
    ],
)
def test_a_filter_that_can_not_be_taken_is_a_problem(api: Client, queued: Analysis, query: str) -> None:
    answer = api.get(f"{LIST}?{query}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == "invalid"


def test_pages_follow_one_another_although_new_ones_come(alice: User, api: Client) -> None:
    now = timezone.now()
    moments = [now - timedelta(seconds=age) for age in (3, 2, 2, 1, 0)]
    rows = sorted((moment, str(make_analysis(alice, created_at=moment).uuid)) for moment in moments)
    page = api.get(f"{LIST}?limit=2").json()
    make_analysis(alice)
    seen = [entry["uuid"] for entry in page["results"]]
    while page["next"]:
        page = api.get(page["next"]).json()
        seen += [entry["uuid"] for entry in page["results"]]
    assert seen == [uuid for _, uuid in reversed(rows)]
    assert page["previous"]


# One analysis


def test_a_finished_one_says_what_came_out_and_where_the_rest_is(api: Client, done: Analysis) -> None:
    body = api.get(f"{LIST}{done.uuid}/").json()
    assert (body["state"], body["verdict"], body["fake_probability"]) == ("done", "fake", 0.92)
    assert body["model"] == {"name": "tiny_lstm", "version": "test", "sha256": "a" * 64}
    assert body["links"]["page"] == done.get_absolute_url()
    links = [body["links"][name] for name in ("result", "frames", "csv", "json", "pdf", "zip")] + body[
        "links"
    ]["evidence"]
    assert len(links) == 8
    assert [api.get(link).status_code for link in links] == [200] * 8


def test_a_failed_one_says_why(alice: User, api: Client) -> None:
    failed = make_failed(alice, code=Failure.UNREADABLE)
    body = api.get(f"{LIST}{failed.uuid}/").json()
    assert body["failure"] == {"code": "unreadable", "message": failed.failure_sentence}
    assert body["model"] is None


def test_what_waits_is_cancelled_at_once_and_what_runs_is_asked_to_stop(
    api: Client, queued: Analysis, running: Analysis
) -> None:
    assert api.post(f"{LIST}{queued.uuid}/cancel/").json()["state"] == "cancelled"
    body = api.post(f"{LIST}{running.uuid}/cancel/").json()
    assert (body["state"], body["cancel_requested"]) == ("running", True)


def test_what_is_finished_stays_when_it_is_cancelled(api: Client, done: Analysis) -> None:
    assert api.post(f"{LIST}{done.uuid}/cancel/").json()["state"] == "done"


def test_deleting_removes_the_video_too(api: Client, done: Analysis, settings: Settings) -> None:
    answer = api.delete(f"{LIST}{done.uuid}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Analysis.objects.exists()
    assert not Video.objects.exists()
    assert api.get(f"{LIST}{done.uuid}/").status_code == 404


def test_a_moderator_does_not_delete_what_is_on_hold(
    as_api: Callable[..., Client], done: Analysis, mo: User
) -> None:
    hold(analysis=done, moderator=mo, reason="A court asked for it.")
    answer = as_api(mo).delete(f"{LIST}{done.uuid}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "on_hold")
    assert Analysis.objects.filter(pk=done.pk).exists()


@pytest.mark.usefixtures("shipped_models")
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_video_is_analysed_again_with_another_model(api: Client, done: Analysis, content_type: str) -> None:
    url = f"{LIST}{done.uuid}/rerun/"
    data: Any = {"backbone": "resnext50", "stability": True}
    answer = api.post(url, data if "json" in content_type else urlencode(data), content_type=content_type)
    assert answer.status_code == 202
    again = Analysis.objects.exclude(pk=done.pk).get()
    assert answer["Location"] == f"{LIST}{again.uuid}/"
    assert (again.backbone, again.stability, again.video_id) == ("resnext50", True, done.video_id)


@pytest.mark.usefixtures("installed_weights")
def test_a_model_that_is_not_installed_is_refused(api: Client, done: Analysis) -> None:
    answer = api.post(f"{LIST}{done.uuid}/rerun/", {"backbone": "vgg"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["backbone"])


def test_usage_counts_what_one_has(alice: User, bob: User, api: Client) -> None:
    make_done(alice)
    make_failed(alice)
    make_running(bob)
    usage = api.get("/api/v1/usage/").json()
    quotas = {entry.pop("quota"): entry for entry in usage.pop("quotas")}
    assert quotas["storage"] == {"used": 2 * len(MP4_BYTES), "held": 0, "limit": 20_480 * 1024 * 1024}
    assert quotas["running"] == {"used": 0, "held": 0, "limit": 25}
    assert usage == {
        "analyses": {"queued": 0, "running": 0, "done": 1, "failed": 1, "cancelled": 0},
        "videos": 2,
        "bytes_stored": 2 * len(MP4_BYTES),
        "uploads_open": 0,
    }


def test_usage_counts_no_file_that_was_deleted(alice: User, alice_client: Client, api: Client) -> None:
    make_done(alice)
    delete_video_files(video=make_done(alice, content=MP4_BYTES * 2).video)
    usage = api.get("/api/v1/usage/").json()
    assert (usage["videos"], usage["bytes_stored"]) == (1, len(MP4_BYTES))
    for name in ("account_data", "account_delete"):
        page = alice_client.get(reverse(name)).content.decode()
        assert "1 video," in page
        assert "2 videos" not in page


def test_an_inconclusive_result_is_a_result(alice: User, api: Client) -> None:
    running = make_running(alice)
    result = make_result(
        running.video, verdict=Verdict.INCONCLUSIVE, fake_probability=0.5, reasons=(Reason.UNSTABLE,)
    )
    record_result(analysis=running, result=result)
    assert api.get(f"{LIST}{running.uuid}/").json()["verdict"] == "inconclusive"


def test_the_api_answers_the_same_to_a_client_that_would_rather_have_html(api: Client) -> None:
    answer = api.get(LIST, headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert reverse("api_analyses") == LIST
