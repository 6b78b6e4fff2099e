"""The receiver and the calls in ``docs/webhooks.md`` work as they stand there."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from analyses.tests.factories import make_done
from analyses.webhooks.couriers import deliver_next
from analyses.webhooks.endpoints import create_webhook, resend
from analyses.webhooks.models import Delivery, DeliveryState, Event, Webhook
from truthlens_site.tests.services import free_port, running, tethered, wait_until

PAGE = (Path(site_settings.BASE_DIR) / "docs" / "webhooks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def port(tmp_path: Path, alice: User, settings: Settings) -> Iterator[int]:
    """Where the receiver of the page listens, with the secret of a webhook that leads there."""
    settings.WEBHOOKS_PRIVATE = True
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks"
    _, secret = create_webhook(
        owner=alice, url=url, events=[Event.COMPLETED], site="https://desk.example.org"
    )
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    command = tethered([sys.executable, "-c", block("python")])
    with running(command, log=tmp_path / "receiver.log", env=environment):
        wait_until(lambda: status_of(port) == 501, seconds=20, what="the receiver")
        yield port


def status_of(port: int, body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hooks", body, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.mark.django_db
def test_the_receiver_takes_what_is_genuine_once(port: int, alice: User, tmp_path: Path) -> None:
    assert status_of(port, b'{"type": "analysis.completed", "data": {}}') == 400
    make_done(alice)
    assert deliver_next()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status) == (DeliveryState.DELIVERED, 204)
    resend(delivery=delivery)
    assert deliver_next()
    lines = (tmp_path / "receiver.log").read_text(encoding="utf-8").splitlines()
    assert lines.count("analysis.completed fake") == 1


@pytest.mark.django_db(transaction=True)
def test_the_calls_work_one_after_the_other(live_server: LiveServer, token: str, tmp_path: Path) -> None:
    environment = {**os.environ, "TRUTHLENS_URL": live_server.url, "TRUTHLENS_TOKEN": token}
    ran = subprocess.run(
        ["bash", "-euc", block("sh")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"event":"webhook.test"' in ran.stdout
    assert not Webhook.objects.exists()
