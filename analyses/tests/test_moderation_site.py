"""What only the whole site shows: its worker sends the letters, its policy deletes what is over its time."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.services import wait_until
from truthlens_site.tests.site import manage, put_database, running_site

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(150)]

BEFORE = """
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from analyses.models import Video
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.retention import hold
from analyses.tests.factories import make_done

alice = User.objects.create_user("alice@example.org", "correct horse battery")
mo = User.objects.create_user("mo@example.org", is_staff=True)
old, held = make_done(alice, name="old.mp4"), make_done(alice, name="held.mp4")
Video.objects.update(created_at=timezone.now() - timedelta(days=2))
hold(analysis=held, moderator=mo, reason="A court.")
decide(analysis=old, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
"""
AFTER = """
import json

from accounts import audit
from accounts.models import AuditEntry
from analyses.models import Analysis
from analyses.moderation.models import Notice

files = {row.video.original_name: bool(row.video.file) for row in Analysis.objects.with_video()}
told = {"files": files, "mailed": Notice.objects.get().mailed_at is not None}
told |= {"actions": list(AuditEntry.objects.values_list("action", flat=True))}
told |= {"whole": audit.verify().broken is None}
print(json.dumps(told))
"""


def test_the_worker_sends_letters_and_the_policy_deletes(tmp_path: Path) -> None:
    state, policy = tmp_path / "state", {"RETENTION_FILES_DAYS": "1"}
    put_database(state)
    done = manage(state, "shell", "--verbosity", "0", "-c", BEFORE, **policy)
    assert done.returncode == 0, done.stderr
    with running_site(tmp_path, **policy) as site:
        wait_until(lambda: "The reason given:" in site.output, seconds=60, what="the letter")
        wait_until(lambda: "1 files and 0 results were deleted" in site.output, seconds=30, what="the purge")
    told = json.loads(manage(state, "shell", "--verbosity", "0", "-c", AFTER).stdout.splitlines()[-1])
    assert told == {
        "files": {"old.mp4": False, "held.mp4": True},
        "mailed": True,
        "actions": ["hold", "decide_overrule_real", "purge_file"],
        "whole": True,
    }
