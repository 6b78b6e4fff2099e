"""/healthz: this process answers. /readyz: one word for each part, for monitors."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from detector.config import DetectorConfig
from truthlens_site.tests.workers import start_worker

pytestmark = pytest.mark.django_db
ALL = ("database", "migrations", "broker", "worker", "weights", "model", "disk")


def answers(client: Client, *wrong: str) -> dict[str, Any]:
    """What /readyz says, when all but these parts work."""
    answer = client.get("/readyz")
    assert answer.status_code == (503 if wrong else 200)
    body = dict(answer.json())
    assert {name: body[name] for name in ALL} == {name: name not in wrong for name in ALL}
    assert body["ready"] is not bool(wrong)
    assert set(body) == {"ready", "weights_sha256", *ALL}
    return body


def test_all_is_well_with_a_worker_that_has_loaded_the_model(
    client: Client, broker: str, weights: str
) -> None:
    start_worker(broker, weights)
    assert answers(client)["weights_sha256"] == weights


def test_a_worker_that_has_not_loaded_it_or_has_another_is_not_enough(
    client: Client, broker: str, weights: str
) -> None:
    start_worker(broker)
    answers(client, "model")
    start_worker(broker, "f" * 64)
    answers(client, "model")


def test_a_site_without_a_worker_is_not_ready(client: Client, broker: str, weights: str) -> None:
    answers(client, "worker", "model")


def test_a_full_disk_is_told(client: Client, broker: str, weights: str, settings: Settings) -> None:
    start_worker(broker, weights)
    settings.DISK_RESERVE_BYTES = 1 << 60
    answers(client, "disk")


def test_a_site_without_a_broker_and_weights_says_so_and_nothing_more(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "missing.safetensors")
    body = answers(client, "broker", "worker", "weights", "model")
    assert body["weights_sha256"] is None
    assert str(tmp_path) not in str(body)


def test_the_process_lives_whatever_else_does_not(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_keeps_an_old_answer_and_nobody_changes_anything_there(client: Client, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]
    assert client.post(path).status_code == 405
