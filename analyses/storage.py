"""Evidence images and stored files in the file storage, which is a folder or an object store."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile

from analyses.detection import AnalysisError, Failure
from analyses.scratch import FetchStopped, StorageAway, scratch_copy

__all__ = ["StorageAway"]

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
    if (at_once := getattr(default_storage, "sizes", None)) is not None:
        found: dict[str, int] = at_once(folder)
        return found
    return {name: default_storage.size(f"{folder}/{name}") for name in listed(folder)[1]}


def delete_evidence(uuid: UUID) -> None:
    """Remove the images and their folder, if there are any."""
    folder = _folder(uuid)
    names = listed(folder)[1]
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    if names:
        default_storage.delete(folder)


def listed(folder: str) -> tuple[list[str], list[str]]:
    """The folders and the files in it; of one that isn't there, none."""
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


@contextmanager
def on_disk(file: FieldFile, should_stop: Callable[[], bool]) -> Iterator[Path]:
    """A stored file where programs can open it: its own place, or a copy that is gone afterwards.

    ``should_stop`` is asked while a copy is fetched. Raises :class:`AnalysisError` where it says yes and
    where the file is gone, and :class:`StorageAway`, which is no fault of the file.
    """
    blocks = getattr(file.storage, "blocks", None)
    if blocks is None:
        yield Path(file.path)
        return
    try:
        with scratch_copy(blocks(file.name), file.size, should_stop) as path:
            yield path
    except FetchStopped as error:
        raise AnalysisError(Failure.CANCELLED, "while its file was fetched") from error
    except FileNotFoundError as error:
        raise AnalysisError(Failure.UNREADABLE, "its file is gone from the store") from error


def _folder(uuid: UUID) -> str:
    return f"{EVIDENCE}/{uuid}"
