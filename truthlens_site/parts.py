"""The parts of a running site: what each is called and how it is started."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from truthlens_site.broker import valkey_command

WEB_THREADS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One process that ``up`` keeps alive. ``ends_last``: the others need it to end well."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ends_last: bool = False


def broker() -> Part:
    return Part("broker", valkey_command(settings.BROKER_SOCKET, settings.STATE / "valkey"), ends_last=True)


def worker(address: str) -> Part:
    """``address``: where the web server will answer, in case no setting says where the site is."""
    # Spinning OpenMP threads starve each other on a busy machine: a face search went from 92 ms to seconds.
    patient = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    site = {} if settings.SITE_URL else {"SITE_URL": address}
    return Part("worker", [sys.executable, str(_manage()), "worker"], patient | site)


def web(host: str, port: int) -> Part:
    options = {
        "--bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "--worker-class": "gthread",
        "--workers": "1",
        "--threads": str(WEB_THREADS),
        "--graceful-timeout": "5",
        "--log-level": "warning",
        "--logger-class": "truthlens_site.gunicorn_log.GunicornLogger",
    }
    words = [word for option in options.items() for word in option]
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", *words, "truthlens_site.wsgi"]
    return Part("web", command, {"PYTHONPATH": str(settings.BASE_DIR)})


def _manage() -> Path:
    return Path(settings.BASE_DIR) / "manage.py"
