"""The end of an account: its rows in one transaction, its files right after it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import transaction

from accounts import audit
from accounts.audit import Target
from accounts.locks import lock_users
from accounts.models import User
from accounts.personal_data import erase_user
from accounts.roles import keep_an_administrator
from analyses.commits import after_commit
from analyses.models import Analysis, Dispute, Export, ShareLink, Upload, Video
from analyses.moderation.models import Complaint
from analyses.storage import delete_evidence
from analyses.webhooks.models import Webhook

logger = logging.getLogger(__name__)

BATCH = 500


@dataclass(frozen=True, slots=True)
class Belongings:
    """The files of one account: paths in the storage, analyses with images, uploads on their way in."""

    files: tuple[str, ...]
    evidence: tuple[UUID, ...]
    parts: tuple[Path, ...]


def delete_account(*, user: User) -> None:
    """Remove the account with everything that it owns; the audit log keeps that it was there.

    A worker that runs one of its analyses notices that the claim is gone, and keeps nothing. Raises
    :class:`accounts.roles.LastAdministrator`, and PermissionDenied for one that is gone already.
    """
    with transaction.atomic():
        lock_users(user.pk, administrators=True)
        keep_an_administrator(user)
        if not User.objects.select_for_update().filter(pk=user.pk):  # nothing new gets an owner from here on
            raise PermissionDenied
        belongings = belongings_of(user)
        _delete_rows(user)
        erase_user(user)
        target = Target("user", user.uuid)
        after = {"analyses": len(belongings.evidence)}
        audit.record(actor=user, action="delete_account", target=target, after=after)
        after_commit(remove_files, belongings)


def belongings_of(user: User) -> Belongings:
    videos = Video.objects.filter(owner=user).values_list("file", "proxy")
    exports = Export.objects.for_user(user).values_list("file", flat=True)
    paths = (*(path for pair in videos for path in pair), *exports)
    return Belongings(
        tuple(path for path in paths if path),
        tuple(Analysis.objects.for_user(user).values_list("uuid", flat=True)),
        tuple(upload.path for upload in Upload.objects.for_user(user)),
    )


def remove_files(belongings: Belongings) -> None:
    """What can't be removed now is a stray, and removed as such later (``analyses.strays``)."""
    for path in belongings.files:
        _tried(default_storage.delete, path)
    for uuid in belongings.evidence:
        _tried(delete_evidence, uuid)
    for part in belongings.parts:
        _tried(Path.unlink, part, True)


def _delete_rows(user: User) -> None:
    """In the order of ``accounts.locks``."""
    list(Video.objects.select_for_update().filter(owner=user).order_by("pk").values_list("pk"))
    rows = Analysis.objects.select_for_update().for_user(user).order_by("pk")
    keys = list(rows.values_list("pk", flat=True))  # nothing new comes to hang on them from here on
    ShareLink.objects.filter(created_by=user).delete()
    Dispute.objects.filter(author=user, analysis__owner=user).delete()
    Complaint.objects.filter(author=user).update(author=None)
    for start in range(0, len(keys), BATCH):
        # The keys alone are read: documents are large.
        Analysis.objects.filter(pk__in=keys[start : start + BATCH]).only("pk").delete()
    Video.objects.filter(owner=user).delete()
    list(Webhook.objects.select_for_update().for_user(user).order_by("pk").values_list("pk"))
    Webhook.objects.for_user(user).delete()
    Export.objects.for_user(user).delete()
    Upload.objects.for_user(user).delete()


def _tried(remove: Callable[..., object], *arguments: object) -> None:
    try:
        remove(*arguments)
    except OSError:
        logger.exception("A file of a deleted account stays for now.")
