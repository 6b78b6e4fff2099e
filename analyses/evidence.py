"""The images that a result names: faces, heatmaps and the small picture for lists."""

from django.core.files.base import File

from analyses.models import Analysis
from analyses.storage import evidence_path, open_evidence_file, stored_evidence_sizes


class EvidenceMissing(LookupError):
    """The result names no such image."""


def evidence_names(analysis: Analysis) -> list[str]:
    """The evidence images that the result names."""
    entries = (analysis.document or {}).get("evidence", [])
    return [entry[kind] for entry in entries for kind in ("crop", "heatmap")]


def evidence_sizes(analysis: Analysis) -> dict[str, int]:
    """Bytes of each evidence image that is there."""
    found = stored_evidence_sizes(analysis.uuid)
    return {name: found[name] for name in evidence_names(analysis) if name in found}


def evidence_place(analysis: Analysis, name: str) -> str:
    """Where the storage keeps an image that the result names. Raises :class:`EvidenceMissing`."""
    if name not in evidence_names(analysis):
        raise EvidenceMissing(name)
    return evidence_path(analysis.uuid, name)


def thumbnail_place(analysis: Analysis) -> str:
    """Where the storage keeps the small picture for lists. Raises :class:`EvidenceMissing`."""
    if not analysis.thumbnail:
        raise EvidenceMissing("thumbnail")
    return evidence_path(analysis.uuid, analysis.thumbnail)


def open_evidence(analysis: Analysis, name: str) -> File:  # type: ignore[type-arg]
    """An evidence image that the result names. Raises :class:`EvidenceMissing`."""
    if name not in evidence_names(analysis):
        raise EvidenceMissing(name)
    try:
        return open_evidence_file(analysis.uuid, name)
    except FileNotFoundError as error:
        raise EvidenceMissing(name) from error


def open_thumbnail(analysis: Analysis) -> File:  # type: ignore[type-arg]
    """The small picture for lists. Raises :class:`EvidenceMissing`."""
    if not analysis.thumbnail:
        raise EvidenceMissing("thumbnail")
    try:
        return open_evidence_file(analysis.uuid, analysis.thumbnail)
    except FileNotFoundError as error:
        raise EvidenceMissing(analysis.thumbnail) from error
