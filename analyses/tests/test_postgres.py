"""What SQLite can't show: the constraints of a real PostgreSQL, and workers that claim at the same moment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.service, pytest.mark.slow]

RACE = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django

django.setup()
from django.core.management import call_command
from django.db import IntegrityError, connection

call_command("migrate", verbosity=0)
from accounts.models import User
from analyses import services
from analyses.models import Analysis
from analyses.tests.factories import make_analysis, make_done

alice = User.objects.create_user("alice@example.org", "correct horse battery")
contested, done = make_analysis(alice), make_done(alice)
barrier = Barrier(6)


def claim(number):
    barrier.wait()
    try:
        return services.claim(uuid=contested.uuid, worker=f"worker-{number}") is not None
    finally:
        connection.close()


with ThreadPoolExecutor(6) as pool:
    winners = sum(pool.map(claim, range(6)))

refused = []
for fields in ({"verdict": ""}, {"fake_probability": 2}, {"document": None}, {"state": "failed"}):
    try:
        Analysis.objects.filter(pk=done.pk).update(**fields)
    except IntegrityError:
        refused.append(next(iter(fields)))
services.delete_analysis(analysis=done)
left = [row.state for row in Analysis.objects.all()]
print(json.dumps({"vendor": connection.vendor, "winners": winners, "refused": refused, "left": left}))
"""


def test_postgresql_lets_one_worker_win_and_refuses_what_makes_no_sense(
    postgres_url: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": postgres_url,
        "TRUTHLENS_STATE": str(tmp_path / "state"),
        "TRUTHLENS_ENV_FILE": str(tmp_path / "none"),
        "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
    }
    finished = subprocess.run(
        [sys.executable, "-c", RACE], env=environment, capture_output=True, text=True, timeout=90
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == {
        "vendor": "postgresql",
        "winners": 1,
        "refused": ["verdict", "fake_probability", "document", "state"],
        "left": ["running"],
    }
