"""An S3-compatible object store in this process, which forgets everything when the block ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "clips"
KEYS = {"access_key": "testing", "secret_key": "testing"}


@contextmanager
def object_store() -> Iterator[str]:
    """Yields its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def bucket_at(address: str) -> Any:
    """The bucket, made where it is missing, as boto3 gives it."""
    bucket = _session().resource("s3", endpoint_url=address, region_name="us-east-1").Bucket(BUCKET)
    bucket.create()
    return bucket


@cache
def _session() -> boto3.Session:
    return boto3.Session(*KEYS.values())


def keys(bucket: Any) -> set[str]:
    return {entry.key for entry in bucket.objects.all()}


def storage_settings(address: str, **options: object) -> dict[str, object]:
    """The entry of ``STORAGES`` for it."""
    own = {
        "bucket_name": BUCKET,
        "endpoint_url": address,
        "region_name": "us-east-1",
        "addressing_style": "path",
    }
    return {"BACKEND": "analyses.object_storage.ObjectStorage", "OPTIONS": {**own, **KEYS, **options}}
