"""What people try against the doors of analyses: forged forms, fields that aren't theirs, pages for files."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.views import APIView

from accounts.models import User
from analyses.models import Analysis, Dispute, ShareLink, State, Upload
from analyses.tests.factories import MP4_BYTES, make_analysis, make_done, make_link, make_video
from analyses.tests.test_audit_coverage import World, patterns

pytestmark = pytest.mark.django_db
FORGED: dict[str, Any] = {
    "owner": 1, "owner_id": 1, "created_by": 1, "author": 1, "uuid": "00000000-0000-4000-8000-000000000000",
    "state": "done", "verdict": "real", "fake_probability": "0.01", "threshold": "0.99", "failure": "crashed",
    "attempts": "9", "model_name": "mine", "model_sha256": "0" * 64, "document": "{}",
    "cancel_requested": "1", "created_at": "2000-01-01T00:00:00Z", "finished_at": "2000-01-01T00:00:00Z",
    "expires_at": "2100-01-01", "token_sha256": "0" * 64, "answer": "I am right",
    "resolved_at": "2000-01-01", "is_staff": "on",
}  # fmt: skip
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def views() -> Iterator[URLPattern]:
    def walk(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for one in found:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns)
            else:
                yield one

    return walk(get_resolver().url_patterns)


def test_no_view_does_without_the_proof_of_a_form() -> None:
    """The API asks for it where a session speaks, and the page of uploads once it knows the size."""
    exempt = {
        pattern.name
        for pattern in views()
        if getattr(pattern.callback, "csrf_exempt", False)
        and not issubclass(getattr(pattern.callback, "cls", object), APIView)
    }
    assert exempt == {"analysis_new"}


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_no_page_leads_to_another_site(evil: str, alice: User, mo: User) -> None:
    """Not by any field that a form might have for where to go next, nor by the page that one came from."""
    world = World(alice, mo)
    ways = dict.fromkeys(("next", "return", "redirect", "back", "url", "list", "success_url", "to"), evil)
    led: set[tuple[str, str]] = set()
    for user in (alice, User.objects.create_superuser("ada@example.org")):
        for pattern in patterns("analyses.urls", "accounts.urls"):
            name, url = str(pattern.name), world.address(pattern)
            client = Client(headers={"Referer": evil, "Origin": evil})
            client.force_login(user)
            with transaction.atomic():
                for answer in (
                    client.get(url, ways),
                    client.post(url, {**ways, "confirmed": ""}),
                    client.post(url, {**world.posted, **ways}, query_params=ways),
                ):
                    led |= {(name, answer["Location"])} if "Location" in answer else set()
                transaction.set_rollback(True)
    assert {name for name, _ in led} >= {
        "analyses_delete",
        "analysis_rerun",
        "home",
        "moderation_bulk",
        "profile",
    }
    assert [found for found in led if not re.match(r"/(?![/\\])", found[1])] == []


def is_untouched(analysis: Analysis, owner: User) -> bool:
    fields = (analysis.owner, analysis.state, analysis.verdict, analysis.attempts, analysis.failure)
    return fields == (owner, State.QUEUED, "", 0, "") and analysis.created_at.year > 2000


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("way", ["page", "api", "detect"])
def test_an_upload_brings_no_result_of_its_own(
    way: str, alice: User, alice_client: Client, api: Client
) -> None:
    upload = SimpleUploadedFile("clip.mp4", MP4_BYTES)
    client, url = {
        "page": (alice_client, reverse("analysis_new")),
        "api": (api, reverse("api_analyses")),
        "detect": (api, reverse("api_detect")),
    }[way]
    client.post(url, {**FORGED, "video": upload}, headers={"Prefer": "wait=0"})
    analysis = Analysis.objects.get()
    assert is_untouched(analysis, alice)
    assert (analysis.model_name, analysis.threshold, analysis.document) == ("", None, None)


@pytest.mark.usefixtures("installed_weights")
def test_a_rerun_and_an_upload_in_pieces_bring_none_either(alice: User, api: Client) -> None:
    done = make_done(alice)
    api.post(reverse("api_rerun", args=[done.uuid]), FORGED, content_type="application/json")
    assert is_untouched(Analysis.objects.exclude(pk=done.pk).get(), alice)
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "9",
        "Upload-Metadata": "owner MQ==,received_bytes OQ==",
    }
    api.post(reverse("api_uploads"), headers=headers)
    upload = Upload.objects.get()
    assert (upload.owner, upload.received_bytes) == (alice, 0)


def test_share_links_and_disputes_are_what_their_forms_say(alice: User, alice_client: Client) -> None:
    done = make_done(alice)
    alice_client.post(reverse("analysis_share", args=[done.uuid]), {**FORGED, "days": "1"})
    link = ShareLink.objects.get()
    assert (link.analysis, link.created_by) == (done, alice)
    assert link.token_sha256 != FORGED["token_sha256"]
    assert (link.expires_at - link.created_at).days == 1
    alice_client.post(reverse("analysis_dispute", args=[done.uuid]), {**FORGED, "opinion": "real"})
    dispute = Dispute.objects.get()
    assert (dispute.author, dispute.state, dispute.answer) == (alice, Dispute.State.OPEN, "")
    done.refresh_from_db()
    assert (done.verdict, done.owner) == ("fake", alice)


def test_a_query_of_the_list_reads_no_column_that_it_may_not(alice: User, bob: User, api: Client) -> None:
    make_done(bob)
    for query in ("owner=2", "owner__email=bob@example.org", "ordering=owner__password", "video__sha256=0"):
        assert api.get(f"{reverse('api_analyses')}?{query}").json()["results"] == []


@pytest.mark.parametrize("content", [HTML, SVG])
@pytest.mark.parametrize("name", ["page.mp4", "page.html", "page.svg"])
@pytest.mark.usefixtures("installed_weights")
def test_a_page_that_is_called_a_video_is_not_taken(
    name: str, content: bytes, alice: User, api: Client
) -> None:
    answer = api.post(reverse("api_analyses"), {"video": SimpleUploadedFile(name, content, "video/mp4")})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_video")
    assert not Analysis.objects.exists()


@pytest.mark.parametrize(
    ("content", "kind"),
    [(HTML, "application/octet-stream"), (SVG, "application/octet-stream"), (MP4_BYTES + HTML, "video/mp4")],
)
def test_what_was_uploaded_is_never_served_as_a_page(
    content: bytes, kind: str, alice: User, alice_client: Client, client: Client
) -> None:
    """Even where it got past the check: by its bytes it is a video or nothing, and it runs nothing."""
    analysis = make_done(alice, video=make_video(alice, name='x".html', content=content))
    shared = reverse("shared_video", args=[make_link(analysis)[1]])
    for answer in (alice_client.get(reverse("analysis_video", args=[analysis.uuid])), client.get(shared)):
        assert answer["Content-Type"] == kind
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("inline; filename")
        assert answer["Content-Security-Policy"] == "default-src 'none'; media-src 'self'; sandbox"
        assert b"".join(answer) == content


def test_a_name_that_is_a_page_is_shown_as_a_name(alice: User, alice_client: Client) -> None:
    analysis = make_analysis(alice, name="<script>alert(1)</script>.mp4")
    for url in (analysis.get_absolute_url(), reverse("analyses")):
        assert "<script>alert" not in alice_client.get(url).content.decode()
