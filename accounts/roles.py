"""Who may do what: roles, suspension and what they end. Every change is told to the audit log."""

from typing import TYPE_CHECKING

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.audit import Target
from accounts.locks import lock_users
from accounts.models import Role, User
from accounts.tokens import revoke_all

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OWN = _("Nobody changes their own role or suspends themselves: ask another administrator.")
LAST = _("This is the last administrator who can log in: make somebody else one first.")
GONE = _("This account is gone.")
NOT_YOURS = _("Only administrators change roles, suspend and reinstate.")
NO_REASON = _("Give a reason: it goes into the audit log.")
SUSPENDED = (
    _("TruthLens: your account was suspended"),
    _(
        "Your account was suspended: nobody can log in with it, and its API tokens are revoked. What you "
        "uploaded stays."
    ),
)
REINSTATED = (
    _("TruthLens: your account is open again"),
    _("Your account was suspended and is open again: you can log in. Make new API tokens if you need them."),
)


class NotAllowed(ValueError):
    """A change that would be wrong. Its text is one sentence for the page."""


class LastAdministrator(NotAllowed):
    """Nobody else could look after the site."""


def set_role(*, user: User, role: Role, actor: User | None, reason: str) -> None:
    """Make somebody a user, a moderator or an administrator.

    ``actor`` is None where the site's own command does it. Raises :class:`NotAllowed`.
    """
    with transaction.atomic():
        current = _changeable(user, actor, reason)
        before, after = current.role, Role(role)
        if before == after:
            return
        keep_an_administrator(current)
        current.is_staff, current.is_superuser = after != Role.USER, after == Role.ADMINISTRATOR
        current.save(update_fields=["is_staff", "is_superuser"])
        _record("set_role", current, actor, reason, {"role": before}, {"role": after})
    user.refresh_from_db()


def suspend_user(*, user: User, actor: User | None, reason: str, tell: bool = True) -> None:
    """Let somebody in no more, from their next request on. What they have stays.

    ``tell``: by a letter, with the reason. Raises :class:`NotAllowed`. Who is suspended already stays so, and
    nothing is recorded.
    """
    with transaction.atomic():
        current = _changeable(user, actor, reason)
        if not current.is_active:
            return
        keep_an_administrator(current)
        current.is_active = False
        current.save(update_fields=["is_active"])
        end_sessions(user=current)
        revoke_all(current)
        _record("suspend", current, actor, reason, {"active": True}, {"active": False})
        if tell:
            _write(SUSPENDED, current, reason)
    user.refresh_from_db()


def reinstate_user(*, user: User, actor: User | None, reason: str) -> None:
    """Let somebody in again, who has to log in anew and is told so. Raises :class:`NotAllowed`."""
    with transaction.atomic():
        current = _changeable(user, actor, reason)
        if current.is_active:
            return
        current.is_active = True
        current.save(update_fields=["is_active"])
        _record("reinstate", current, actor, reason, {"active": False}, {"active": True})
        _write(REINSTATED, current, reason)
    user.refresh_from_db()


def end_sessions(*, user: User) -> None:
    """Whoever is logged in as this user isn't any more, wherever that is."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])


def keep_an_administrator(user: User) -> None:
    """Call before ``user`` goes, in a transaction: the administrators are locked, so that no two go at once.

    Raises :class:`LastAdministrator` where no other could log in.
    """
    if list(lock_users(administrators=True)) == [user.pk]:
        raise LastAdministrator(LAST)


def _changeable(user: User, actor: User | None, reason: str) -> User:
    """The row, locked, with the administrators': two who dismiss each other do so one after the other.

    The actor's own row is among them, so what it says of their rights still holds.
    """
    rows = lock_users(user.pk, administrators=True)
    administrators = [row for row in rows.values() if row.is_superuser and row.is_active]
    if actor is not None and actor not in administrators:
        raise NotAllowed(NOT_YOURS)
    if actor == user:
        raise NotAllowed(OWN)
    if not reason.strip():
        raise NotAllowed(NO_REASON)
    if user.pk not in rows:
        raise NotAllowed(GONE)
    return rows[user.pk]


def _write(letter: "tuple[StrOrPromise, StrOrPromise]", user: User, reason: str) -> None:
    """Tell the user, once it is so. Letter or not, it stays: a mail server that fails is only logged."""
    subject, words = letter
    body = render_to_string("account/email/told.txt", {"words": words, "reason": reason.strip()})
    transaction.on_commit(lambda: send_mail(str(subject), body, None, [user.email]), robust=True)


def _record(
    action: str,
    user: User,
    actor: User | None,
    reason: str,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=Target("user", user.uuid),
        before=before,
        after=after,
        reason=reason.strip(),
    )
