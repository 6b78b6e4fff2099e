"""Owners are told of a decision: in the product at once, by a letter that the worker sends."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses.models import Analysis
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind, Notice
from analyses.moderation.notices import MOST_ATTEMPTS, WORDS, mark_read, send_letter
from analyses.queue import queued_notices
from analyses.reconciler import reconcile
from analyses.tasks import run_notice


@pytest.fixture
def notice(done: Analysis, mo: User) -> Notice:
    reason = "It is <my> neighbour & friend."
    decide(analysis=done, moderator=mo, kind=Kind.OVERRULE_REAL, reason=reason, seen=None)
    return Notice.objects.get()


def test_every_kind_that_is_told_has_words() -> None:
    assert WORDS.keys() == {kind for kind in Kind if kind != Kind.DECLINE}


def test_the_letter_says_what_was_decided_and_why_and_where_it_stands(
    notice: Notice, done: Analysis, settings: Settings
) -> None:
    settings.SITE_URL = "https://lens.example.org"
    run_notice(str(notice.uuid))
    letter = mail.outbox[0]
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "TruthLens: a decision about “clip.mp4”"
    assert "It is <my> neighbour & friend." in letter.body
    assert WORDS[Kind.OVERRULE_REAL] in letter.body
    assert f"\nhttps://lens.example.org/analyses/{done.uuid}/\n" in letter.body
    notice.refresh_from_db()
    assert notice.mail_due_at is None
    assert notice.mailed_at is not None


def test_a_letter_is_sent_once(notice: Notice) -> None:
    for _ in range(3):
        send_letter(notice.uuid)
    send_letter(uuid4())
    assert len(mail.outbox) == 1


def test_a_name_with_line_breaks_makes_no_headers(notice: Notice, done: Analysis) -> None:
    type(done.video).objects.filter(pk=done.video_id).update(original_name="a\r\nBcc: eve@example.org")
    send_letter(notice.uuid)
    assert mail.outbox[0].subject == "TruthLens: a decision about “a Bcc: eve@example.org”"


def test_who_is_suspended_is_not_led_to_where_they_may_not_go(notice: Notice, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    send_letter(notice.uuid)
    assert "://" not in mail.outbox[0].body


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_in_the_end(
    notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("analyses.moderation.notices.send_mail", away)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        Notice.objects.filter(mail_due_at__isnull=False).update(mail_due_at=timezone.now())
        send_letter(notice.uuid)
        notice.refresh_from_db()
        assert (notice.mail_attempts, notice.mail_due_at is None) == (attempt, attempt == MOST_ATTEMPTS)
    assert notice.mailed_at is None


def test_a_letter_that_failed_is_not_due_at_once(notice: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise OSError

    monkeypatch.setattr("analyses.moderation.notices.send_mail", away)
    send_letter(notice.uuid)
    assert not Notice.objects.mail_due().exists()
    Notice.objects.update(mail_due_at=timezone.now() - timedelta(seconds=1))
    assert Notice.objects.mail_due().exists()


@pytest.mark.service
def test_a_broker_that_was_away_gets_the_letter_later(notice: Notice, broker: str) -> None:
    assert queued_notices() == set()
    reconcile()
    assert queued_notices() == {notice.uuid}
    reconcile()
    send_letter(notice.uuid)
    assert len(mail.outbox) == 1


def test_reading_marks_the_users_own(notice: Notice, alice: User, bob: User) -> None:
    mark_read(user=bob, uuid=notice.uuid)
    assert Notice.objects.unread().count() == 1
    mark_read(user=alice)
    assert not Notice.objects.unread().exists()
