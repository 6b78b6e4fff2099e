"""The container's health check, and the commands that run beside the web server."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from truthlens_site import delivering, reconciling
from truthlens_site.probe import lives
from truthlens_site.tests.services import free_port


@pytest.mark.django_db(transaction=True)
def test_a_server_that_answers_to_its_name_lives(live_server: LiveServer) -> None:
    port = int(live_server.url.rpartition(":")[2])
    assert lives("127.0.0.1", port, "localhost")
    assert not lives("127.0.0.1", port, "somebody.else")


def test_where_nobody_answers_it_says_so_by_its_exit_status() -> None:
    assert not lives("127.0.0.1", free_port(), "localhost")
    probe = Path(__file__).resolve().parents[1] / "probe.py"
    run = subprocess.run([sys.executable, "-ISs", str(probe)], timeout=30, check=False)
    assert run.returncode in (0, 1)


def test_housekeeping_does_the_duties_and_sends_webhooks_until_it_is_asked_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    looked = threading.Event()
    main = threading.main_thread().ident or 0

    def duty() -> None:
        done.append("duty, and a look for webhooks" if looked.wait(10) else "duty")
        signal.pthread_kill(main, signal.SIGTERM)

    def deliver_next() -> bool:
        looked.set()
        return False

    monkeypatch.setattr(delivering, "deliver_next", deliver_next)
    monkeypatch.setattr(reconciling, "DUTIES", {duty: 0.0})
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        call_command("housekeeping")
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert done == ["duty, and a look for webhooks"]
