"""That a database with results in it, of before lists had columns of their own, is brought up to date."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.slow

UPGRADE = """
import json
from uuid import uuid4

import django

django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

call_command("migrate", "analyses", "0002", verbosity=0)
call_command("migrate", "accounts", verbosity=0)
old = MigrationExecutor(connection).loader.project_state([("analyses", "0002_video_proxy_due")]).apps
from accounts.models import User

alice = User.objects.create_user("alice@example.org", "correct horse battery")
OldVideo, OldAnalysis = old.get_model("analyses", "Video"), old.get_model("analyses", "Analysis")
video = OldVideo.objects.create(
    owner_id=alice.pk, sha256="a" * 64, original_name="Straße.MP4", size_bytes=1, file="x"
)
document = {"video": {"duration_s": 4.5}, "evidence": [{"crop": "1-0-crop.jpg"}]}
result = {"state": "done", "verdict": "fake", "threshold": 0.7, "fake_probability": 0.9, "document": document}
result |= {"model_name": "m", "model_version": "1", "model_sha256": "b" * 64}
result |= {"started_at": video.created_at, "finished_at": video.created_at}
OldAnalysis.objects.create(owner_id=alice.pk, video=video, uuid=uuid4(), **result)
OldAnalysis.objects.create(owner_id=alice.pk, video=video, uuid=uuid4(), state="queued")
call_command("migrate", verbosity=0)
from analyses.models import Analysis

columns = ("name_key", "score_key", "duration_s", "thumbnail")
print(json.dumps(list(Analysis.objects.order_by("pk").values_list(*columns))))
"""


def upgraded(url: str, state: Path) -> object:
    return json.loads(printed_by(UPGRADE, url=url, state=state))


EXPECTED = [["strasse.mp4", 0.9, 4.5, "1-0-crop.jpg"], ["strasse.mp4", -1.0, None, ""]]


def test_sqlite_is_brought_up_to_date(tmp_path: Path) -> None:
    assert upgraded(f"sqlite:///{tmp_path}/old.sqlite3", tmp_path) == EXPECTED


@pytest.mark.service
def test_postgresql_is_brought_up_to_date(postgres_url: str, tmp_path: Path) -> None:
    assert upgraded(postgres_url, tmp_path) == EXPECTED
