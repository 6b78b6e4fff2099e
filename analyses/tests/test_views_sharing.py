import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from analyses import services, sharing
from analyses.models import Analysis, ShareLink
from analyses.tests.factories import MP4_BYTES, make_done, make_link, make_running


@pytest.fixture
def named(alice: User) -> Analysis:
    return make_done(alice, name="holiday of Alice.mp4")


def make(client: Client, analysis: Analysis, **posted: str) -> str:
    """A new link's address, as the page shows it."""
    response = client.post(reverse("analysis_share", args=[analysis.uuid]), posted)
    assert response.status_code == 201
    found = re.search(r'value="(http://testserver/shared/[^"]+)"', response.content.decode())
    assert found
    return unescape(found[1])


def result_page(client: Client, analysis: Analysis) -> str:
    return client.get(analysis.get_absolute_url()).content.decode()


def test_nothing_is_shared_until_the_owner_says_so(alice_client: Client, done: Analysis) -> None:
    page = result_page(alice_client, done)
    assert "Share this result" in page
    assert 'class="links"' not in page
    assert not ShareLink.objects.exists()


def test_a_link_is_shown_once_and_works_for_anybody(
    alice_client: Client, client: Client, named: Analysis
) -> None:
    address = make(alice_client, named, days="7")
    assert client.get(address).status_code == 200
    token = address.rstrip("/").rsplit("/", 1)[-1]
    assert token not in result_page(alice_client, named)
    assert token not in alice_client.get(reverse("analysis_share", args=[named.uuid])).content.decode()


def test_the_page_with_the_link_is_kept_by_no_cache(alice_client: Client, done: Analysis) -> None:
    response = alice_client.post(reverse("analysis_share", args=[done.uuid]), {"days": "1"})
    assert "no-store" in response["Cache-Control"]


def test_a_lifetime_that_is_not_offered_is_refused(alice_client: Client, done: Analysis) -> None:
    response = alice_client.post(reverse("analysis_share", args=[done.uuid]), {"days": "365"})
    assert response.status_code == 400
    assert not ShareLink.objects.exists()


def test_an_unfinished_analysis_has_nothing_to_share(alice: User, alice_client: Client) -> None:
    running = make_running(alice)
    assert alice_client.get(reverse("analysis_share", args=[running.uuid])).status_code == 404


def test_a_result_that_is_deleted_at_this_moment_is_not_found(
    alice_client: Client, done: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyses.views.sharing.get_own_analysis", lambda *_: done)
    services.delete_analysis(analysis=done)
    assert alice_client.post(reverse("analysis_share", args=[done.uuid]), {"days": "1"}).status_code == 404


def test_a_shared_page_says_the_result_and_nothing_of_its_owner(
    client: Client, named: Analysis, alice: User
) -> None:
    page = client.get(reverse("shared", args=[make_link(named)[1]])).content.decode()
    assert "Likely manipulated" in page
    assert sharing.NAMELESS in page
    secrets = ("holiday", "Alice", alice.email, str(named.uuid), "/analyses/", "csrf", "Log in", "Log out")
    assert [word for word in secrets if word in page] == []
    assert "<form" not in page


def test_the_name_is_shown_if_the_owner_ticked_that(
    alice_client: Client, client: Client, named: Analysis
) -> None:
    address = make(alice_client, named, days="30", shows_name="on")
    assert "<h1>holiday of Alice.mp4</h1>" in client.get(address).content.decode()


def test_even_the_owner_sees_the_shared_page_as_strangers_do(alice_client: Client, named: Analysis) -> None:
    page = alice_client.get(reverse("shared", args=[make_link(named)[1]])).content.decode()
    assert "holiday" not in page
    assert "Log out" not in page


@pytest.mark.parametrize("name", ["shared", "shared_video", "shared_evidence"])
def test_no_cache_no_search_engine_and_no_referrer(name: str, client: Client, done: Analysis) -> None:
    extra = ["1-0-crop.jpg"] if name == "shared_evidence" else []
    response = client.get(reverse(name, args=[make_link(done)[1], *extra]))
    assert response["Cache-Control"] == "private, no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert not response.cookies


def test_the_media_come_through_the_same_link(client: Client, named: Analysis) -> None:
    token = make_link(named)[1]
    page = client.get(reverse("shared", args=[token])).content.decode()
    video = reverse("shared_video", args=[token])
    pictures = set(re.findall(r'<img [^>]*src="([^"]+)"', page))
    assert f'src="{video}?original"' in page
    assert pictures == {
        reverse("shared_evidence", args=[token, f"1-0-{name}"]) for name in ("crop.jpg", "heatmap.png")
    }
    response = client.get(video, headers={"Range": "bytes=0-9"})
    assert (response.status_code, b"".join(response)) == (206, MP4_BYTES[:10])
    assert "holiday" not in response["Content-Disposition"]
    assert client.get(reverse("shared_evidence", args=[token, "2-0-crop.jpg"])).status_code == 404


def test_a_link_opens_its_own_result_alone(client: Client, alice: User, done: Analysis) -> None:
    other = make_done(alice)
    token = make_link(done)[1]
    for name in ("analysis", "analysis_json", "analysis_video", "analysis_thumbnail"):
        assert client.get(reverse(name, args=[other.uuid])).status_code == 302
        assert client.get(reverse(name, args=[done.uuid])).status_code == 302
    assert str(other.uuid) not in client.get(reverse("shared", args=[token])).content.decode()


def test_expired_revoked_deleted_and_unknown_look_the_same(client: Client, done: Analysis) -> None:
    links = [make_link(done) for _ in range(2)]
    sharing.revoke_share_link(link=links[0][0])
    expired = ShareLink.objects.filter(pk=links[1][0].pk)
    expired.update(created_at=done.created_at.replace(year=2020), expires_at=done.created_at)
    tokens = [token for _, token in links] + ["unknown"]
    pages = []
    for token in tokens:
        response = client.get(reverse("shared", args=[token]))
        assert response.status_code == 404
        assert client.get(reverse("shared_video", args=[token])).status_code == 404
        pages.append(response.content)
    assert len(set(pages)) == 1


def test_views_are_counted_and_the_owner_reads_how_many(
    alice_client: Client, client: Client, done: Analysis
) -> None:
    address = reverse("shared", args=[make_link(done)[1]])
    assert "Not opened yet" in result_page(alice_client, done)
    client.get(address)
    client.head(address)
    client.get(address)
    assert "Opened 2 times" in result_page(alice_client, done)


def test_the_owner_revokes_a_link(alice_client: Client, client: Client, done: Analysis) -> None:
    link, token = make_link(done)
    response = alice_client.post(reverse("share_revoke", args=[done.uuid, link.uuid]), follow=True)
    assert "The link was revoked." in response.content.decode()
    assert 'class="links"' not in response.content.decode()
    assert client.get(reverse("shared", args=[token])).status_code == 404


def test_a_link_is_revoked_by_way_of_its_own_analysis(
    alice: User, alice_client: Client, done: Analysis
) -> None:
    link, _ = make_link(done)
    other = make_done(alice)
    assert alice_client.post(reverse("share_revoke", args=[other.uuid, link.uuid])).status_code == 404
    assert ShareLink.objects.active().count() == 1


def test_a_moderator_is_offered_neither_link_nor_dispute(mo_client: Client, done: Analysis) -> None:
    page = result_page(mo_client, done)
    assert "Share this result" not in page
    assert "I think this is wrong" not in page


def test_a_deleted_result_is_shared_no_more(client: Client, done: Analysis) -> None:
    address = reverse("shared", args=[make_link(done)[1]])
    services.delete_analysis(analysis=done)
    assert client.get(address).status_code == 404


def test_a_shared_page_costs_three_queries(
    client: Client, done: Analysis, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("shared", args=[make_link(done)[1]])
    with django_assert_num_queries(3):  # the link with its analysis and video; the count of views; the case
        client.get(address)


def test_the_administration_shows_links_and_no_token(done: Analysis) -> None:
    link, token = make_link(done)
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.org", "correct horse battery"))
    for address in ("/admin/analyses/sharelink/", f"/admin/analyses/sharelink/{link.pk}/change/"):
        page = root.get(address).content.decode()
        assert str(link.uuid) in page
        assert token not in page
    assert root.post(f"/admin/analyses/sharelink/{link.pk}/delete/", {"post": "yes"}).status_code == 403
