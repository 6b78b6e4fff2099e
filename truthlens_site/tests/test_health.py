"""/healthz: one word for each part, for monitors."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from redis import Redis
from rq import SimpleWorker

from detector.config import DetectorConfig
from detector.tests.tiny import write_tiny_weights

pytestmark = pytest.mark.django_db


@pytest.fixture
def weights(settings: Settings, tmp_path: Path) -> None:
    settings.DETECTOR = DetectorConfig(model_path=write_tiny_weights(tmp_path / "weights"))


def test_all_is_well_with_a_broker_a_worker_and_weights(client: Client, broker: str, weights: None) -> None:
    worker = SimpleWorker(["default"], connection=Redis.from_url(broker))
    worker.register_birth()  # type: ignore[no-untyped-call]
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "healthy": True, "database": True, "broker": True, "worker": True, "weights": True,
    }  # fmt: skip


def test_a_site_without_a_worker_is_not_healthy(client: Client, broker: str, weights: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        "healthy": False, "database": True, "broker": True, "worker": False, "weights": True,
    }  # fmt: skip


def test_a_site_without_a_broker_and_weights_says_so_and_nothing_more(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "missing.safetensors")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        "healthy": False, "database": True, "broker": False, "worker": False, "weights": False,
    }  # fmt: skip
    assert str(tmp_path) not in answer.content.decode()


def test_nobody_keeps_an_old_answer_and_nobody_changes_anything_there(client: Client) -> None:
    assert "no-store" in client.get("/healthz")["Cache-Control"]
    assert client.post("/healthz").status_code == 405
