"""The client against a running site."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from analyses.tests.factories import MP4_BYTES, PNG
from analyses.tests.workers import worker
from truthlens_client import ApiError, Client, Unreachable, pieces
from truthlens_client import client as client_module
from truthlens_client.connection import LONGEST_PAUSE_S, pause_s

pytestmark = pytest.mark.django_db(transaction=True)
Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def patient(live_server: LiveServer, token: str, installed_weights: Path) -> Client:
    """It looks again soon, but does wait."""
    return Client(live_server.url, token, sleep=lambda seconds: time.sleep(min(seconds, 0.05)))


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as large, and goes in three pieces."""
    monkeypatch.setattr(client_module, "LARGE_BYTES", 1)
    monkeypatch.setattr(pieces, "PIECE_BYTES", len(MP4_BYTES) // 2 - 1)


def disturb(client: Client, answers: Answers) -> None:
    """Something stands between the client and the site."""
    client._http._transport = httpx.MockTransport(answers)


def through(url: str, request: httpx.Request) -> httpx.Response:
    """On to the real site."""
    with httpx.Client(base_url=url) as onward:
        response = onward.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=request.headers
        )
    headers = {k: v for k, v in response.headers.items() if k not in ("content-length", "content-encoding")}
    return httpx.Response(response.status_code, headers=headers, content=response.content)


def test_a_file_is_submitted_waited_for_and_its_result_fetched(patient: Client, video: Path) -> None:
    seen: list[str] = []
    sent: list[int] = []
    analysis = patient.submit(video, on_sent=sent.append)
    assert (analysis.state, analysis.name, analysis.verdict) == ("queued", "clip.mp4", None)
    assert sent[-1] == len(MP4_BYTES)
    with worker():
        ended = patient.wait(analysis, timeout_s=30, on_progress=lambda one: seen.append(one.state))
    assert (ended.state, ended.verdict, ended.fake_probability) == ("done", "fake", 0.92)
    assert seen[-1] == "done"
    result = patient.result(ended)
    assert result["video"]["sha256"] == hashlib.sha256(MP4_BYTES).hexdigest()
    pictures = patient.evidence(ended)
    assert pictures["1-0-heatmap.png"] == PNG
    assert [one.uuid for one in patient.analyses(verdict="fake")] == [ended.uuid]
    assert patient.usage()["analyses"]["done"] == 1
    assert patient.models()[0]["backbone"] == ""


def test_a_file_in_an_object_store_is_fetched_without_the_token(
    client: Client, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def elsewhere(url: httpx.URL, **options: object) -> httpx.Response:
        asked.append((str(url), options))
        return httpx.Response(200, content=PNG, request=httpx.Request("GET", url))

    moved = httpx.Response(302, headers={"Location": "https://files.example.org/1.png?X-Amz-Signature=x"})
    disturb(client, lambda request: moved)
    monkeypatch.setattr(httpx, "get", elsewhere)
    assert client.file("/api/v1/picture") == PNG
    ((url, options),) = asked
    assert url == "https://files.example.org/1.png?X-Amz-Signature=x"
    assert "headers" not in options


@pytest.mark.usefixtures("in_pieces")
def test_a_large_file_goes_in_pieces(client: Client, video: Path) -> None:
    sent: list[int] = []
    analysis = client.submit(video, stability=True, on_sent=sent.append)
    assert analysis.document["video"]["sha256"] == hashlib.sha256(MP4_BYTES).hexdigest()
    assert analysis.document["stability"] is True
    assert len(sent) == 3
    assert sent[-1] == len(MP4_BYTES)


@pytest.mark.usefixtures("in_pieces")
def test_a_large_file_goes_on_where_the_connection_broke(
    client: Client, video: Path, live_server: LiveServer
) -> None:
    seen: list[str] = []

    def flaky(request: httpx.Request) -> httpx.Response:
        number = len(seen)
        seen.append(request.method)
        if number in (2, 5):  # lost before it arrived
            raise httpx.ConnectError("gone")
        response = through(live_server.url, request)
        if request.method == "PATCH" and seen.count("PATCH") == 3:  # arrived, but nobody heard of it
            raise httpx.ReadError("gone")
        return response

    disturb(client, flaky)
    analysis = client.submit(video)
    assert analysis.document["video"]["sha256"] == hashlib.sha256(MP4_BYTES).hexdigest()
    assert seen.count("HEAD") >= 2


@pytest.mark.usefixtures("in_pieces")
def test_what_is_no_video_is_refused_in_pieces_too(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "words.mp4"
    path.write_bytes(b"only words " * 80)
    with pytest.raises(ApiError) as refusal:
        client.submit(path)
    assert (refusal.value.status, refusal.value.code) == (400, "not_video")


def test_a_refusal_is_an_error_with_its_code_and_what_to_do(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "words.mp4"
    path.write_bytes(b"only words " * 80)
    with pytest.raises(ApiError, match=r"not a video.*Check that you chose the right file") as refusal:
        client.submit(path)
    assert (refusal.value.status, refusal.value.code) == (400, "not_video")
    with pytest.raises(ApiError) as missing:
        client.get("00000000-0000-4000-8000-000000000000")
    assert missing.value.code == "not_found"


def test_a_wrong_token_is_told(live_server: LiveServer) -> None:
    with Client(live_server.url, "tl_wrong") as client, pytest.raises(ApiError) as refusal:
        client.usage()
    assert (refusal.value.status, refusal.value.code) == (401, "bad_token")


def test_a_lost_answer_makes_no_second_analysis(client: Client, video: Path, live_server: LiveServer) -> None:
    posts: list[str] = []

    def loses_the_first_answer(request: httpx.Request) -> httpx.Response:
        posts.append(request.headers["Idempotency-Key"])
        response = through(live_server.url, request)
        if len(posts) == 1:
            raise httpx.ReadError("gone")
        return response

    disturb(client, loses_the_first_answer)
    analysis = client.submit(video)
    assert len(set(posts)) == 1
    assert len(posts) == 2
    disturb(client, lambda request: through(live_server.url, request))
    assert [one.uuid for one in client.analyses()] == [analysis.uuid]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_site_is_asked_again_when_it_says(live_server: LiveServer, status: int) -> None:
    pauses: list[float] = []
    answers = [httpx.Response(status, headers={"Retry-After": "7"}), httpx.Response(status)]
    done = httpx.Response(200, json={"models": []})
    with Client(live_server.url, "tl_x", sleep=pauses.append) as client:
        disturb(client, lambda request: answers.pop(0) if answers else done)
        assert client.models() == []
    assert pauses[0] == 7
    assert 0 < pauses[1] < 7


def test_a_site_that_stays_busy_is_given_up(live_server: LiveServer) -> None:
    pauses: list[float] = []
    problem = {"code": "too_many_requests", "detail": "Too many requests.", "hint": "Wait."}
    with Client(live_server.url, "tl_x", sleep=pauses.append, tries=3) as client:
        disturb(client, lambda request: httpx.Response(429, json=problem))
        with pytest.raises(ApiError, match=r"Too many requests\. Wait\."):
            client.usage()
    assert len(pauses) == 2


def test_a_site_that_is_not_there_is_given_up() -> None:
    client = Client("http://127.0.0.1:9", "tl_x", sleep=lambda seconds: None, tries=2)
    with client, pytest.raises(Unreachable, match="can’t be reached"):
        client.usage()


def test_what_is_no_answer_of_the_site_is_told(live_server: LiveServer) -> None:
    with Client(live_server.url, "tl_x") as client:
        disturb(client, lambda request: httpx.Response(502, text="<h1>Bad gateway</h1>"))
        with pytest.raises(ApiError, match="502"):
            client.usage()


def test_the_token_goes_to_no_other_host(live_server: LiveServer) -> None:
    asked: list[str] = []

    def lure(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        page = {"results": [], "next": "https://elsewhere.example.org/api/v1/analyses/?cursor=x"}
        return httpx.Response(200, json=page if len(asked) == 1 else {"results": [], "next": None})

    with Client(live_server.url, "tl_x") as client:
        disturb(client, lure)
        assert list(client.analyses()) == []
        disturb(
            client, lambda request: httpx.Response(302, headers={"Location": "https://elsewhere.example.org"})
        )
        with pytest.raises(ApiError):
            client.usage()
    assert asked == [httpx.URL(live_server.url).host] * 2


def test_a_long_wait_ends(client: Client, video: Path) -> None:
    with pytest.raises(TimeoutError, match=r"clip\.mp4"):
        client.wait(client.submit(video), timeout_s=0)


def test_an_analysis_is_cancelled_run_again_and_deleted(client: Client, video: Path) -> None:
    analysis = client.cancel(client.submit(video))
    assert (analysis.state, analysis.failure) == ("cancelled", "cancelled")
    again = client.rerun(analysis, stability=True)
    assert (again.state, again.document["stability"]) == ("queued", True)
    for one in (analysis, again.uuid):
        client.delete(one)
    assert list(client.analyses()) == []


def test_pauses_grow_and_have_an_end() -> None:
    assert pause_s(1) < pause_s(4) < LONGEST_PAUSE_S
    assert pause_s(30) <= LONGEST_PAUSE_S
    assert pause_s(1, "3600") == LONGEST_PAUSE_S
    assert 0 < pause_s(1, "Wed, 21 Oct 2026 07:28:00 GMT") <= 1


def test_the_client_knows_every_field_that_the_api_names(client: Client, video: Path) -> None:
    document: dict[str, Any] = client.submit(video).document
    assert json.loads(json.dumps(document)) == document
    assert document["links"]["result"].endswith("/result/")
