"""The running site that the client speaks to, with Alice's token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from analyses.tests import conftest as desk
from analyses.tests.factories import MP4_BYTES
from truthlens_client import Client

tiny_weights = desk.tiny_weights
installed_weights = desk.installed_weights
shipped_models = desk.shipped_models
token = desk.token


@pytest.fixture
def client(live_server: LiveServer, token: str, installed_weights: Path) -> Iterator[Client]:
    """It does not wait between its tries."""
    with Client(live_server.url, token, sleep=lambda seconds: None) as client:
        yield client


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(MP4_BYTES)
    return path
