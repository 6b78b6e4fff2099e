"""Files in an S3-compatible object store, where the settings name a bucket.

Only then is this module imported, and boto3 with it. Browsers fetch objects from the store themselves, by
addresses that are signed for a while; who gets one is decided where files are asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, wraps
from pathlib import PurePosixPath
from threading import Lock
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from analyses.detection import HEAD_BYTES, container_of
from analyses.media import BLOCK_BYTES, UNKNOWN_TYPE, content_type_of
from analyses.storage import StorageAway

P = ParamSpec("P")
R = TypeVar("R")
IN_MEMORY_BYTES = 1024 * 1024
"""An object that is opened is kept in memory up to this size, and on the disk beyond it."""
_making = Lock()
"""Sessions are not made for several threads; what they make is."""
FIRST_REGION = "us-east-1"
MISSING = ("404", "NoSuchKey", "NotFound")


@cache
def shared_session(access_key: str | None, secret_key: str | None) -> boto3.Session:
    """One for all threads: each session reads a description of the service that takes half a second."""
    return boto3.Session(access_key, secret_key)


@contextmanager
def told_plainly() -> Iterator[None]:
    """The store's own errors as those that a file system gives, so that callers know one kind alone."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in MISSING:
            raise FileNotFoundError("there is no such object") from error
        raise StorageAway(f"the object store refused: {error}") from error
    except (BotoCoreError, S3UploadFailedError) as error:
        raise StorageAway(f"the object store can't be reached: {error}") from error


def plainly(
    method: Callable[Concatenate["ObjectStorage", P], R],
) -> Callable[Concatenate["ObjectStorage", P], R]:
    @wraps(method)
    def wrapped(self: "ObjectStorage", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with told_plainly():
            return method(self, *args, **kwargs)

    return wrapped


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """``public_url``: where browsers find the store, if not where this machine does."""

    def __init__(self, *, public_url: str = "", **options: Any) -> None:
        super().__init__(
            **options,
            signature_version="s3v4",
            file_overwrite=True,  # names are random: to ask first whether one is taken is a request too many
            max_memory_size=IN_MEMORY_BYTES,
        )
        self.public_url = public_url
        self.client_config = Config(
            s3={"addressing_style": self.addressing_style},
            signature_version=self.signature_version,
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 3},
            # Not every store knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )

    def signed_url(
        self, name: str, *, disposition: str, content_type: str | None = None, method: str = "GET"
    ) -> str:
        """An address that anybody may use until it expires. The type is the stored one unless given."""
        parameters = {
            "Bucket": self.bucket_name,
            "Key": self._normalize_name(name),
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": "private",
        }
        if content_type is not None:
            parameters["ResponseContentType"] = content_type
        operation = "head_object" if method == "HEAD" else "get_object"
        return str(
            self._signer.generate_presigned_url(
                operation, Params=parameters, ExpiresIn=self.querystring_expire
            )
        )

    def _create_session(self) -> boto3.Session:
        return shared_session(self.access_key, self.secret_key)

    @property
    def connection(self) -> Any:
        with _making:
            return super().connection

    @cached_property
    def _signer(self) -> Any:
        with _making:
            return self._create_session().client(
                "s3",
                region_name=self.region_name,
                endpoint_url=self.public_url or self.endpoint_url,
                config=self.client_config,
            )

    def blocks(self, name: str) -> Iterator[bytes]:
        """The object, block by block as it comes. Raises FileNotFoundError, or :class:`StorageAway`."""
        with told_plainly():
            body = self.bucket.Object(self._normalize_name(name)).get()["Body"]
            with body:
                yield from body.iter_chunks(BLOCK_BYTES)

    @plainly
    def make_bucket(self) -> bool:
        """False: it is there already."""
        try:
            self.bucket.meta.client.head_bucket(Bucket=self.bucket_name)
        except ClientError:
            self.bucket.create(**self._place())
            return True
        return False

    def _place(self) -> dict[str, Any]:
        """Amazon wants a region named, unless it is the first one."""
        if self.region_name == FIRST_REGION:
            return {}
        return {"CreateBucketConfiguration": {"LocationConstraint": self.region_name}}

    @plainly
    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each object in a folder, by name, in one request a thousand."""
        prefix = f"{self._normalize_name(folder)}/"
        found = self.bucket.objects.filter(Prefix=prefix, Delimiter="/")
        return {entry.key[len(prefix) :]: entry.size for entry in found}

    def _get_write_parameters(self, name: str, content: "File[bytes] | None" = None) -> dict[str, Any]:
        """The type that browsers are told comes from our own table, never from the user's word."""
        parameters: dict[str, Any] = super()._get_write_parameters(name, content)
        kind = PurePosixPath(name).suffix.removeprefix(".")
        known = content_type_of(kind)
        if known == UNKNOWN_TYPE and content is not None and content.seekable():
            known = content_type_of(_container(content))
        return parameters | {"ContentType": known}

    @plainly
    def _open(self, name: str, mode: str = "rb") -> Any:
        return super()._open(name, mode)

    @plainly
    def _save(self, name: str, content: "File[bytes]") -> str:
        return str(super()._save(name, content))

    @plainly
    def delete(self, name: str) -> None:
        super().delete(name)

    @plainly
    def exists(self, name: str) -> bool:
        return bool(super().exists(name))

    @plainly
    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, files = super().listdir(path)
        return folders, files

    @plainly
    def size(self, name: str) -> int:
        return int(super().size(name))

    @plainly
    def get_modified_time(self, name: str) -> Any:
        return super().get_modified_time(name)


def _container(content: "IO[bytes] | File[bytes]") -> str:
    content.seek(0)
    head = content.read(HEAD_BYTES)
    content.seek(0)
    return container_of(head)
