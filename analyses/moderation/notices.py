"""Telling owners what was decided: a list in the product, and a letter that the worker sends."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.models import User
from analyses.commits import after_commit
from analyses.moderation.models import JUDGEMENTS, Decision, Kind, Notice
from analyses.queue import enqueue_notice

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
NEXT_ATTEMPT = timedelta(minutes=10)
"""A worker that is lost while it sends leaves the letter due again after so long."""
WORDS: dict[str, str] = {
    Kind.CONFIRM: _("A moderator looked at it and agrees with the model."),
    Kind.OVERRULE_REAL: _("A moderator found the clip to be real. The model’s result stays beside it."),
    Kind.OVERRULE_FAKE: _(
        "A moderator found the clip to be manipulated. The model’s result stays beside it."
    ),
    Kind.OVERRULE_UNKNOWN: _("A moderator found that it can’t be told. The model’s result stays beside it."),
    Kind.HIDE: _("A moderator hid the result: share links no longer show it."),
    Kind.UNHIDE: _("A moderator lifted the hiding: share links show the result again."),
    Kind.DELETE_FILE: _("A moderator deleted the video file. The result stays."),
    Kind.SUSPEND_ACCOUNT: _("Your account was suspended."),
}
NO_LONGER = _("The earlier decision about it no longer stands.")


def notify(decision: Decision) -> Notice:
    """Tell the owner of the analysis, by e-mail once the transaction is through."""
    notice = Notice.objects.create(user=decision.analysis.owner, decision=decision)
    after_commit(enqueue_notice, notice.uuid)
    return notice


def words_of(notice: Notice) -> str:
    """What it tells, for one of ``with_earlier()``."""
    kind, earlier = notice.decision.kind, notice.earlier  # type: ignore[attr-defined]
    words = gettext(WORDS[kind])
    return f"{words} {gettext(NO_LONGER)}" if kind in JUDGEMENTS and earlier not in (None, kind) else words


def mark_read(*, user: User, uuid: UUID | None = None) -> None:
    """One of the user's notices, or all of them."""
    unread = Notice.objects.unread().filter(user=user)
    (unread.filter(uuid=uuid) if uuid else unread).update(read_at=timezone.now())


def send_letter(uuid: UUID) -> None:
    """Send it, if it is due. A second delivery finds nothing due; a failure makes it due again later."""
    due = Notice.objects.mail_due().filter(uuid=uuid)
    if not due.update(mail_due_at=timezone.now() + NEXT_ATTEMPT, mail_attempts=F("mail_attempts") + 1):
        return
    notices = Notice.objects.with_earlier().select_related("user", "decision__analysis__video")
    notice = notices.get(uuid=uuid)
    try:
        _send(notice)
    except (OSError, SMTPException):
        logger.warning("Notice %s could not be mailed, attempt %d", uuid, notice.mail_attempts, exc_info=True)
        Notice.objects.filter(pk=notice.pk, mail_attempts__gte=MOST_ATTEMPTS).update(mail_due_at=None)
        return
    Notice.objects.filter(pk=notice.pk).update(mail_due_at=None, mailed_at=timezone.now())


def _send(notice: Notice) -> None:
    name = " ".join(notice.decision.analysis.video.original_name.split())
    context: dict[str, object] = {"name": name, "words": words_of(notice)}
    context |= {"reason": notice.decision.reason, "page": _page(notice)}
    body = render_to_string("moderation/notice.txt", context)
    subject = gettext("TruthLens: a decision about “{name}”").format(name=name)
    send_mail(subject, body, None, [notice.user.email])


def _page(notice: Notice) -> str:
    """Where the owner reads more; empty where they can't log in, or the site's address isn't known."""
    if not (settings.SITE_URL and notice.user.is_active):
        return ""
    return settings.SITE_URL + notice.decision.analysis.get_absolute_url()
