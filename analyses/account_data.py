"""Everything that the site has of one user, as a ZIP. The worker writes it, with a few results in memory."""

import json
import re
import tempfile
from array import array
from collections.abc import Iterator
from datetime import datetime
from time import monotonic
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.conf import settings
from django.core.files.base import File
from django.db.models import QuerySet
from django.utils import timezone

from accounts.personal_data import account_facts
from analyses.evidence import EvidenceMissing, evidence_names, open_evidence
from analyses.export_services import record_export, record_export_progress
from analyses.export_writing import BEAT_EVERY_S, ExportGone
from analyses.exports import result_bytes
from analyses.models import Analysis, Dispute, Export, ExportKind, ShareLink, Upload, Video
from analyses.moderation.models import Complaint, Decision, Notice
from analyses.webhooks.models import Webhook

BATCH = 20
CHUNK_BYTES = 1024 * 1024
README = """Everything that this site has of your account.

account.json            who you are here: sessions, uploads, second factors and webhooks (without secrets)
analyses/*/             a folder for each analysis:
  analysis.json         what was asked, when, and what came of it; its links, disputes and decisions
  result.json           the result document, or why there is none
  evidence/             the pictures of faces and the heatmaps that the result names
videos/                 the files that you uploaded, if you asked for them; analysis.json says which is which
"""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


class Progress:
    """How many analyses are written. Each word of it is the sign of life too."""

    def __init__(self, export: Export, total: int) -> None:
        self.rows = 0
        self._export, self._total, self._written_at = export, total, 0.0

    def beat(self) -> None:
        """Raises :class:`ExportGone`."""
        if monotonic() - self._written_at < BEAT_EVERY_S:
            return
        if not record_export_progress(export=self._export, rows=self.rows, total=self._total):
            raise ExportGone(str(self._export.uuid))
        self._written_at = monotonic()


class Draft(File):  # type: ignore[type-arg]
    """Storing a large file takes a while, and whoever stays silent is taken for lost."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        super().__init__(file)
        self._progress = progress

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        for chunk in super().chunks(chunk_size or CHUNK_BYTES):
            self._progress.beat()
            yield chunk


def write_account_data(export: Export) -> None:
    """Write the file and record it. An export that was deleted meanwhile leaves nothing."""
    keys = array("q", Analysis.objects.for_user(export.owner).values_list("pk", flat=True))
    progress = Progress(export, len(keys))
    with tempfile.NamedTemporaryFile(prefix="export-", dir=settings.FILE_UPLOAD_TEMP_DIR) as draft:
        try:
            with ZipFile(draft, "w") as archive:
                _write(archive, export, keys, progress)
        except ExportGone:
            return
        draft.flush()
        draft.seek(0)
        record_export(export=export, file=Draft(draft, progress), rows=progress.rows)


def _write(archive: ZipFile, export: Export, keys: "array[int]", progress: Progress) -> None:
    _put(archive, "README.txt", README.encode())
    uploads = [_upload(upload) for upload in Upload.objects.for_user(export.owner)]
    webhooks = [_webhook(webhook) for webhook in Webhook.objects.for_user(export.owner)]
    reports = [_complaint(complaint) for complaint in Complaint.objects.filter(author=export.owner)]
    account = {
        **account_facts(export.owner),
        "uploads": uploads,
        "webhooks": webhooks,
        "reports": reports,
    }
    _put(archive, "account.json", _json(account))
    for analysis in _analyses(keys):
        progress.beat()
        _put_analysis(archive, analysis)
        progress.rows += 1
    if export.kind == ExportKind.ACCOUNT_VIDEOS:
        for video in Video.objects.filter(owner=export.owner).order_by("pk"):
            _put_video(archive, video, progress)


def _analyses(keys: "array[int]") -> Iterator[Analysis]:
    """Batch by batch, each a query of its own: no read stays open while the progress is written."""
    rows = Analysis.objects.with_video().prefetch_related("share_links", "disputes")
    for start in range(0, len(keys), BATCH):
        found = rows.in_bulk(list(keys[start : start + BATCH]))
        yield from (found[key] for key in keys[start : start + BATCH] if key in found)


def _put_analysis(archive: ZipFile, analysis: Analysis) -> None:
    folder = f"analyses/{analysis.uuid}"
    _put(archive, f"{folder}/analysis.json", _json(_facts(analysis)))
    if analysis.is_finished:
        _put(archive, f"{folder}/result.json", result_bytes(analysis))
    for name in evidence_names(analysis):
        try:
            with open_evidence(analysis, name) as image:
                _put(archive, f"{folder}/evidence/{name}", image.read(), ZIP_STORED)
        except EvidenceMissing:
            continue  # deleted since; the result still names it


def _put_video(archive: ZipFile, video: Video, progress: Progress) -> None:
    if not video.file:
        return
    try:
        source = video.file.open("rb")
    except FileNotFoundError:
        return  # deleted since
    entry = _entry(_video_name(video), ZIP_STORED)
    with source, archive.open(entry, "w", force_zip64=True) as target:
        _copy(source, target, progress)


def _copy(source: "File[bytes]", target: IO[bytes], progress: Progress) -> None:
    for chunk in source.chunks(CHUNK_BYTES):
        progress.beat()
        target.write(chunk)


def _put(archive: ZipFile, name: str, content: bytes, packing: int = ZIP_DEFLATED) -> None:
    archive.writestr(_entry(name, packing), content)


def _entry(name: str, packing: int) -> ZipInfo:
    entry = ZipInfo(name, date_time=timezone.now().timetuple()[:6])
    entry.compress_type = packing
    entry.external_attr = 0o600 << 16
    return entry


def _video_name(video: Video) -> str:
    """Nothing of the uploaded name but its suffix: the name may lead anywhere where it is unpacked."""
    suffix = _SUFFIX.search(video.original_name)
    return f"videos/{video.uuid}{suffix[0] if suffix else ''}"


def _facts(analysis: Analysis) -> dict[str, Any]:
    video = analysis.video
    return {
        "uuid": str(analysis.uuid),
        "file": {
            "name": video.original_name,
            "sha256": video.sha256,
            "size_bytes": video.size_bytes,
            "stored_as": _video_name(video),
        },
        "asked_for": {"backbone": analysis.backbone or None, "stability": analysis.stability},
        "uploaded_at": _time(analysis.created_at),
        "started_at": _time(analysis.started_at),
        "finished_at": _time(analysis.finished_at),
        "state": analysis.state,
        "failure": analysis.failure or None,
        "verdict": analysis.verdict or None,
        "fake_probability": analysis.fake_probability,
        "share_links": [_link(link) for link in analysis.share_links.all()],
        "disputes": [_dispute(dispute) for dispute in analysis.disputes.all()],
        "decisions": [_decision(notice.decision) for notice in _notices(analysis)],
    }


def _notices(analysis: Analysis) -> QuerySet[Notice]:
    """What the owner was told. Proposals and who made them are the moderators' own."""
    return Notice.objects.filter(decision__analysis=analysis, user=analysis.owner).select_related("decision")


def _decision(decision: Decision) -> dict[str, Any]:
    return {"kind": decision.kind, "reason": decision.reason, "made_at": _time(decision.created_at)}


def _link(link: ShareLink) -> dict[str, Any]:
    return {
        "made_at": _time(link.created_at),
        "expires_at": _time(link.expires_at),
        "revoked_at": _time(link.revoked_at),
        "shows_name": link.shows_name,
        "views": link.views,
        "last_viewed_at": _time(link.last_viewed_at),
    }


def _dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "opinion": dispute.opinion,
        "comment": dispute.comment,
        "state": dispute.state,
        "made_at": _time(dispute.created_at),
        "answered_at": _time(dispute.resolved_at),
        "answer": dispute.answer,
    }


def _upload(upload: Upload) -> dict[str, Any]:
    return {
        "name": upload.original_name,
        "size_bytes": upload.size_bytes,
        "received_bytes": upload.received_bytes,
        "begun_at": _time(upload.created_at),
    }


def _complaint(complaint: Complaint) -> dict[str, Any]:
    """Which result it is about is its owner's."""
    return {
        "concern": complaint.concern,
        "comment": complaint.comment,
        "made_at": _time(complaint.created_at),
        "closed_at": _time(complaint.closed_at),
    }


def _webhook(webhook: Webhook) -> dict[str, Any]:
    """Without the secret, which could sign."""
    return {
        "url": webhook.url,
        "events": webhook.events,
        "active": webhook.is_active,
        "made_at": _time(webhook.created_at),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"
