"""Every write to an export: a row, its file, and the queue.

What a worker writes is conditional on its claim, as in :mod:`analyses.services`.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from accounts.locks import take_turn
from accounts.models import User
from analyses.commits import after_commit
from analyses.filters import HistoryParameters
from analyses.models import ACCOUNT_KINDS, Export, ExportKind, ExportState
from analyses.patience import is_in_doubt
from analyses.queue import enqueue_export

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=7)
MOST_UNFINISHED = 3
MAX_LOSSES = 5


class TooManyExports(Exception):
    """The user has as many under way as one may have."""


def request_export(*, owner: User, filters: Mapping[str, str]) -> Export:
    """Queue an export of the user's history. Raises :class:`TooManyExports`."""
    with transaction.atomic():
        take_turn(user=owner)  # two clicks at once count one after the other
        if Export.objects.for_user(owner).unfinished().count() >= MOST_UNFINISHED:
            raise TooManyExports(owner.uuid)
        export = Export.objects.create(owner=owner, filters=HistoryParameters.of(filters).words)
        after_commit(enqueue_export, export.uuid)
    return export


def request_account_data(*, owner: User, kind: ExportKind) -> Export:
    """Queue a download of everything, in place of earlier ones: each is as large as all that it holds.

    Raises :class:`TooManyExports` while one is being made.
    """
    with transaction.atomic():
        take_turn(user=owner)
        earlier = Export.objects.for_user(owner).filter(kind__in=ACCOUNT_KINDS)
        if earlier.unfinished().exists():
            raise TooManyExports(owner.uuid)
        for export in earlier:
            delete_export(export=export)
        export = Export.objects.create(owner=owner, kind=kind)
        after_commit(enqueue_export, export.uuid)
    return export


def claim_export(*, uuid: UUID, worker: str) -> Export | None:
    """Take a queued export; None when it isn't queued."""
    claimed = Export.objects.queued().filter(uuid=uuid)
    now = timezone.now()
    if not claimed.update(state=ExportState.RUNNING, claimed_by=worker, heartbeat_at=now, rows=0, total=0):
        return None
    return Export.objects.select_related("owner").get(uuid=uuid)


def record_export_progress(*, export: Export, rows: int, total: int) -> bool:
    """Write how far it is, which is the sign of life too. False: deleted, or no longer ours."""
    return bool(Export.objects.claimed_as(export).update(rows=rows, total=total, heartbeat_at=timezone.now()))


def record_export(*, export: Export, file: "File[bytes]", rows: int) -> bool:
    """Keep the file until it expires. False: deleted, or no longer ours, and nothing is kept."""
    now = timezone.now()
    export.file.save("export", file, save=False)
    try:
        ours = Export.objects.claimed_as(export).update(
            state=ExportState.DONE,
            file=export.file.name,
            rows=rows,
            total=rows,
            size_bytes=export.file.size,
            finished_at=now,
            expires_at=now + KEPT_FOR,
        )
    except BaseException as error:
        if not is_in_doubt(error):
            export.file.delete(save=False)
        raise
    if not ours:
        export.file.delete(save=False)
    return bool(ours)


def record_export_failure(*, export: Export) -> None:
    now = timezone.now()
    Export.objects.claimed_as(export).update(
        state=ExportState.FAILED, finished_at=now, expires_at=now + KEPT_FOR
    )


def requeue_lost_export(*, export: Export) -> None:
    """Its worker is gone: write it again, or give up after the fifth."""
    if export.losses + 1 >= MAX_LOSSES:
        record_export_failure(export=export)
        return
    Export.objects.claimed_as(export).update(
        state=ExportState.QUEUED, losses=export.losses + 1, claimed_by="", heartbeat_at=None, rows=0, total=0
    )


def delete_export(*, export: Export) -> None:
    """Remove the row and its file. A worker that writes it notices, and keeps nothing."""
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).delete()
        if export.file:
            after_commit(export.file.delete, save=False)


def remove_expired_exports() -> int:
    """How many were removed."""
    expired = list(Export.objects.expired())
    for export in expired:
        delete_export(export=export)
    if expired:
        logger.info("Removed %d expired exports.", len(expired))
    return len(expired)
