"""Evidence images in the file storage, one folder an analysis."""

import re
from collections.abc import Mapping
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

EVIDENCE = "evidence"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def evidence_path(uuid: UUID, name: str) -> str:
    """Raises ValueError for a name that isn't a plain file name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for an evidence image: {name!r}")
    return f"{_folder(uuid)}/{name}"


def save_evidence(uuid: UUID, images: Mapping[str, bytes]) -> None:
    """Write the images in place of whatever an earlier attempt left."""
    delete_evidence(uuid)
    for name, content in images.items():
        default_storage.save(evidence_path(uuid, name), ContentFile(content))


def open_evidence_file(uuid: UUID, name: str) -> File:  # type: ignore[type-arg]
    return default_storage.open(evidence_path(uuid, name))


def stored_evidence_sizes(uuid: UUID) -> dict[str, int]:
    """Bytes of each image, by name."""
    folder = _folder(uuid)
    if not default_storage.exists(folder):
        return {}
    return {name: default_storage.size(f"{folder}/{name}") for name in default_storage.listdir(folder)[1]}


def delete_evidence(uuid: UUID) -> None:
    """Remove the images and their folder, if there are any."""
    folder = _folder(uuid)
    if not default_storage.exists(folder):
        return
    for name in default_storage.listdir(folder)[1]:
        default_storage.delete(f"{folder}/{name}")
    default_storage.delete(folder)


def _folder(uuid: UUID) -> str:
    return f"{EVIDENCE}/{uuid}"
