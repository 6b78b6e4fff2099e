"""Removes files that no row owns, as a crash between storing a file and writing its row leaves them."""

import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from analyses.models import PART_SUFFIX, Analysis, Export, IdempotencyKey, State, Upload, Video
from analyses.presence import forget_gone
from analyses.resumable import discard_upload
from analyses.scratch import remove_gone_folders
from analyses.storage import EVIDENCE, delete_evidence, listed

STRAY_AFTER = timedelta(hours=1)
"""A file's row may be about to be written; after an hour it isn't."""
DRAFTS = ("*.upload*", "copy-*", "export-*")
"""Uploads on their way in, as Django names them; copies (``analyses.inference``) and exports
(``analyses.export_writing``) that are being made."""


def remove_strays() -> int:
    """How many were removed. What has an owner, or was written to within the hour, stays."""
    abandoned = remove_gone_folders()
    forget_gone()
    IdempotencyKey.objects.expired().delete()
    expired = list(Upload.objects.expired())
    for upload in expired:
        discard_upload(upload=upload)
    files, evidence = [*stray_videos(), *stray_exports()], list(stray_evidence())
    drafts = [*stray_drafts(), *stray_parts()]
    for path in files:
        default_storage.delete(path)
    for uuid in evidence:
        delete_evidence(uuid)
    for draft in drafts:
        _remove(draft)
    return abandoned + len(expired) + len(files) + len(evidence) + len(drafts)


def stray_videos() -> Iterator[str]:
    """Paths in the storage."""
    rows = Video.objects.values_list("file", "proxy").iterator()
    return _unknown("videos", (path for pair in rows for path in pair))


def stray_exports() -> Iterator[str]:
    """Those of deleted accounts too, whose rows went with them."""
    return _unknown("exports", Export.objects.values_list("file", flat=True).iterator())


def _unknown(folder: str, known: Iterable[str]) -> Iterator[str]:
    """Files of a folder that no row names and that nobody has written to for a while.

    ``known`` may be millions of paths, and is read only once the folder was listed.
    """
    paths, limit = {f"{folder}/{name}" for name in listed(folder)[1]}, timezone.now() - STRAY_AFTER
    if paths:
        paths.difference_update(known)
    yield from (path for path in sorted(paths) if _stored_before(path, limit))


def stray_evidence() -> Iterator[UUID]:
    """Analyses that are gone, or that ended without the result that some attempt was about to write.

    A row is there before its evidence, so these need no grace.
    """
    folders = {UUID(name) for name in listed(EVIDENCE)[0] if _is_uuid(name)}
    if not folders:
        return
    without = (State.FAILED, State.CANCELLED)
    rows = Analysis.objects.exclude(state__in=without).values_list("uuid", flat=True)
    folders.difference_update(rows.iterator())
    yield from folders


def stray_drafts() -> Iterator[Path]:
    folder, limit = Path(settings.FILE_UPLOAD_TEMP_DIR), time() - STRAY_AFTER.total_seconds()
    yield from (path for pattern in DRAFTS for path in folder.glob(pattern) if _written(path) < limit)


def stray_parts() -> Iterator[Path]:
    """Of uploads that nobody goes on with: finished, refused, discarded or never written down."""
    folder, limit = Path(settings.FILE_UPLOAD_TEMP_DIR), time() - STRAY_AFTER.total_seconds()
    paths = list(folder.glob(f"*{PART_SUFFIX}"))
    awaited = {upload.path for upload in Upload.objects.open()} if paths else set()
    yield from (path for path in paths if path not in awaited and _written(path) < limit)


def _stored_before(path: str, limit: datetime) -> bool:
    """False for a file that vanishes meanwhile: somebody else removes strays too."""
    try:
        return default_storage.get_modified_time(path) < limit
    except FileNotFoundError:
        return False


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _written(path: Path) -> float:
    """When it, or a file in it, was last written to. What vanishes meanwhile counts as new."""
    try:
        return max(entry.stat().st_mtime for entry in (path, *path.glob("*")))
    except FileNotFoundError:
        return time()


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)
