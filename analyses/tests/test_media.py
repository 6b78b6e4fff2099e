from pathlib import Path

import pytest
from django.core.files import File
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from analyses.media import content_type_of, ranged_response

pytestmark = pytest.mark.django_db  # closing a response lets Django look after its connections

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def stored(tmp_path: Path) -> "File[bytes]":
    path = tmp_path / "5f3a.bin"
    path.write_bytes(CONTENT)
    return File(path.open("rb"), name="videos/5f3a.bin")


def ask(stored: "File[bytes]", **headers: str) -> HttpResponseBase:
    request = RequestFactory().get("/", headers=headers)
    return ranged_response(request, stored, "video/mp4", "clip.mp4")


def body(response: HttpResponseBase) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    content = b"".join(response)
    response.close()
    return content


def test_without_a_range_the_whole_file_comes(stored: "File[bytes]") -> None:
    response = ask(stored)
    assert response.status_code == 200
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Accept-Ranges"] == "bytes"
    assert body(response) == CONTENT


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, len(CONTENT) - 1),
        ("bytes=300000-700000", 300000, 700000),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT) - 1),
        ("bytes=1000-99999999", 1000, len(CONTENT) - 1),
        ("bytes=-99999999", 0, len(CONTENT) - 1),
    ],
)
def test_a_range_gets_exactly_its_bytes(stored: "File[bytes]", header: str, first: int, last: int) -> None:
    response = ask(stored, range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.parametrize("header", [f"bytes={len(CONTENT)}-", "bytes=-0", "bytes=99999999-99999999"])
def test_a_range_behind_the_end_is_refused_with_the_size(stored: "File[bytes]", header: str) -> None:
    response = ask(stored, range=header)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert stored.closed


@pytest.mark.parametrize(
    "header",
    ["bytes=5-2", "bytes=-", "bytes=a-b", "frames=0-1", "bytes=0-1,5-9", f"bytes=0-{'9' * 5000}", ""],
    ids=["backwards", "nothing", "letters", "other unit", "two ranges", "absurd", "empty"],
)
def test_a_range_that_says_nothing_clear_gets_the_whole_file(stored: "File[bytes]", header: str) -> None:
    assert ask(stored, range=header).status_code == 200


def test_a_range_of_another_version_gets_the_whole_file(stored: "File[bytes]") -> None:
    assert ask(stored, range="bytes=0-9", **{"if-range": '"other"'}).status_code == 200


def test_a_range_of_this_version_gets_the_range(stored: "File[bytes]") -> None:
    etag = ask(stored)["ETag"]
    assert ask(stored, range="bytes=0-9", **{"if-range": etag}).status_code == 206


def test_what_the_browser_has_is_not_sent_again(stored: "File[bytes]") -> None:
    etag = ask(stored)["ETag"]
    assert ask(stored, **{"if-none-match": etag}).status_code == 304
    assert stored.closed


def test_a_player_that_asks_for_the_head_alone_gets_no_body(stored: "File[bytes]") -> None:
    response = ranged_response(RequestFactory().head("/"), stored, "video/mp4", "clip.mp4")
    assert not response.streaming
    assert response["Content-Length"] == str(len(CONTENT))
    assert stored.closed


def test_closing_an_unread_answer_closes_the_file(stored: "File[bytes]") -> None:
    ask(stored).close()
    assert stored.closed


def test_the_browser_may_neither_guess_the_type_nor_share_the_file(stored: "File[bytes]") -> None:
    response = ask(stored)
    assert response["Content-Type"] == "video/mp4"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]


def test_a_name_of_any_script_survives_the_header(stored: "File[bytes]") -> None:
    response = ranged_response(RequestFactory().get("/"), stored, "video/mp4", 'Prüfung "視頻".mp4')
    assert response["Content-Disposition"] == (
        "inline; filename*=utf-8''Pr%C3%BCfung%20%22%E8%A6%96%E9%A0%BB%22.mp4"
    )


def test_types_come_from_the_table_and_never_from_the_user() -> None:
    assert content_type_of("webm") == "video/webm"
    assert content_type_of("html") == "application/octet-stream"
