from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from analyses import services, sharing
from analyses.access import get_share_link
from analyses.models import Analysis, ShareLink
from analyses.tests.factories import make_link


def found(token: str) -> bool:
    try:
        get_share_link(token)
    except Http404:
        return False
    return True


def test_a_token_is_random_and_only_its_hash_is_kept(done: Analysis) -> None:
    link, token = make_link(done)
    assert len(token) == 43  # 256 bits
    assert token != make_link(done)[1]
    assert link.token_sha256 == sharing.token_hash(token)
    stored = ShareLink.objects.filter(pk=link.pk).values().get()
    assert token not in str(stored)


@pytest.mark.parametrize("days", sharing.LIFETIMES)
def test_a_link_ends_by_itself(done: Analysis, days: int) -> None:
    link, token = make_link(done, days=days)
    assert link.expires_at - link.created_at == timedelta(days=days)
    assert found(token)
    now = timezone.now()
    ShareLink.objects.update(created_at=now - timedelta(days=days), expires_at=now)
    assert not found(token)


def test_other_lifetimes_and_unfinished_analyses_are_refused(done: Analysis, running: Analysis) -> None:
    with pytest.raises(ValueError, match="not 365"):
        make_link(done, days=365)
    with pytest.raises(ValueError, match="no result"):
        make_link(running)
    assert not ShareLink.objects.exists()


def test_a_revoked_link_shows_nothing_and_keeps_its_first_time(done: Analysis) -> None:
    (link, token), (_, other) = make_link(done), make_link(done)
    sharing.revoke_share_link(link=link)
    link.refresh_from_db()
    first = link.revoked_at
    assert first is not None
    assert (found(token), found(other)) == (False, True)
    sharing.revoke_share_link(link=link)
    link.refresh_from_db()
    assert link.revoked_at == first


def test_the_links_end_with_the_analysis(done: Analysis) -> None:
    token = make_link(done)[1]
    services.delete_analysis(analysis=done)
    assert not found(token)
    assert not ShareLink.objects.exists()


def test_what_was_deleted_meanwhile_gets_no_link(done: Analysis) -> None:
    services.delete_analysis(analysis=done)
    with pytest.raises(Analysis.DoesNotExist):
        make_link(done)


def test_who_was_suspended_meanwhile_makes_no_link(done: Analysis, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        make_link(done)


def test_the_links_of_a_closed_account_show_nothing(done: Analysis, alice: User) -> None:
    token = make_link(done)[1]
    alice.is_active = False
    alice.save()
    assert not found(token)


@pytest.mark.parametrize("token", ["", "x", "\0", "ü" * 50])
def test_unknown_tokens_are_404(done: Analysis, token: str) -> None:
    make_link(done)
    assert not found(token)


def test_the_stored_hash_is_no_token(done: Analysis) -> None:
    assert not found(make_link(done)[0].token_sha256)


def test_what_makes_no_sense_is_refused_by_the_database(done: Analysis) -> None:
    link = make_link(done)[0]
    for fields in ({"token_sha256": "short"}, {"expires_at": link.created_at}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ShareLink.objects.update(**fields)


def test_the_name_is_left_out_everywhere_unless_the_link_shows_it(done: Analysis) -> None:
    nameless = sharing.shared_analysis(get_share_link(make_link(done)[1]))
    assert nameless.video.original_name == sharing.NAMELESS
    assert "clip.mp4" not in str(nameless.document)
    named = sharing.shared_analysis(get_share_link(make_link(done, shows_name=True)[1]))
    assert named.video.original_name == "clip.mp4"
