"""What SQLite can't show: the constraints of a real PostgreSQL, and workers that claim at the same moment."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.site import printed_by

pytestmark = [pytest.mark.service, pytest.mark.slow]

RACE = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django

django.setup()
from django.db import IntegrityError, connection

from accounts.models import User
from analyses import claims
from analyses import services
from analyses.models import Analysis
from analyses.tests.factories import make_analysis, make_done

alice = User.objects.create_user("alice@example.org", "correct horse battery")
contested, done = make_analysis(alice), make_done(alice)
barrier = Barrier(6)


def claim(number):
    barrier.wait()
    try:
        return claims.claim(uuid=contested.uuid, worker=f"worker-{number}") is not None
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


ONE_ANSWER = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import django

django.setup()
from django.db import connection

from accounts.models import User
from analyses.idempotency import Answer, KeyInUse, answer_once

alice = User.objects.create_user("alice@example.org", "correct horse battery")
barrier, done = Barrier(6), []


def act():
    done.append(1)
    sleep(0.2)
    return Answer(202, {}, {"uuid": "1"})


def ask(number):
    barrier.wait()
    try:
        return answer_once(owner=alice, key="k", fingerprint="f" * 64, act=act)[0].status
    except KeyInUse:
        return 409
    finally:
        connection.close()


with ThreadPoolExecutor(6) as pool:
    statuses = sorted(pool.map(ask, range(6)))
again, replayed = answer_once(owner=alice, key="k", fingerprint="f" * 64, act=act)
print(json.dumps({"statuses": statuses, "done": len(done), "again": again.body, "replayed": replayed}))
"""


ONE_SUBMISSION = """
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import django

django.setup()
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.models import User
from analyses import services
from analyses.models import Analysis, Video
from analyses.tests.factories import MP4_BYTES

alice = User.objects.create_user("alice@example.org", "correct horse battery")
barrier, shown_name = Barrier(6), services.shown_name


def shown_name_when_all_have_looked(name):
    barrier.wait()
    return shown_name(name)


services.shown_name = shown_name_when_all_have_looked


def submit(number):
    try:
        upload = SimpleUploadedFile(f"{number}.mp4", MP4_BYTES)
        return str(services.submit_analysis(owner=alice, upload=upload).uuid)
    finally:
        connection.close()


with ThreadPoolExecutor(6) as pool:
    given = set(pool.map(submit, range(6)))
stored = len(list(Path(settings.MEDIA_ROOT, "videos").iterdir()))
print(json.dumps([len(given), Analysis.objects.count(), Video.objects.count(), stored]))
"""


LAST_PLACE = """
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import django

django.setup()
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client

call_command("migrate", verbosity=0)
from accounts.models import Scope, User
from accounts.tokens import create_token
from analyses.models import Analysis
from analyses.quotas import Quota
from analyses.tests.factories import MP4_BYTES, make_analysis

settings.QUOTAS = {"user": {**dict.fromkeys(Quota), "running": 3}}


def two_at_once(number):
    user = User.objects.create_user(f"{number}@example.org", "correct horse battery")
    token = create_token(owner=user, name="t", scope=Scope.WRITE)[1]
    for content in (b"first", b"second"):
        make_analysis(user, content=content)
    barrier = Barrier(2)

    def submit(byte):
        client = Client(SERVER_NAME="localhost", raise_request_exception=False)
        video = SimpleUploadedFile("clip.mp4", MP4_BYTES + byte)
        headers = {"Authorization": f"Token {token}"}
        barrier.wait()
        try:
            answer = client.post("/api/v1/analyses/", {"video": video}, headers=headers)
        finally:
            connection.close()
        return answer.status_code, answer.json().get("code"), "Retry-After" in answer

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(submit, (b"1", b"2")))
    return [answers, Analysis.objects.for_user(user).count()]


rounds = [two_at_once(number) for number in range(5)]
files = len(list(Path(settings.MEDIA_ROOT, "videos").iterdir()))
print(json.dumps({"rounds": rounds, "files": files}))
"""


MODERATORS = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django

django.setup()
from django.db import connection

from accounts import audit
from accounts.models import User
from analyses.moderation.cases import NotAllowed, case_of, claim
from analyses.moderation.decisions import decide
from analyses.moderation.models import Decision, Kind
from analyses.tests.factories import make_done

alice = User.objects.create_user("alice@example.org", "correct horse battery")
moderators = [User.objects.create_user(f"m{n}@example.org", is_staff=True) for n in range(6)]
claimed, decided = make_done(alice), make_done(alice)
barrier = Barrier(6)


def tried(act):
    barrier.wait()
    try:
        act()
        return "done"
    except NotAllowed as error:
        return type(error).__name__
    finally:
        connection.close()


def claims(moderator):
    return tried(lambda: claim(analysis=claimed, moderator=moderator))


def decides(moderator):
    kind = Kind.OVERRULE_REAL
    return tried(lambda: decide(analysis=decided, moderator=moderator, kind=kind, reason="x", seen=None))


with ThreadPoolExecutor(6) as pool:
    claimers = sorted(pool.map(claims, moderators))
    deciders = sorted(pool.map(decides, moderators))
chain = audit.verify()
told = {"claimers": claimers, "deciders": deciders, "decisions": Decision.objects.count()}
told |= {"label": case_of(decided).label, "entries": chain.entries, "whole": chain.broken is None}
print(json.dumps(told))
"""


def told_by(script: str, url: str, tmp_path: Path) -> object:
    """What a process of its own on this database prints in the end."""
    return json.loads(printed_by(script, url=url, state=tmp_path / "state"))


def test_postgresql_lets_one_worker_win_and_refuses_what_makes_no_sense(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    assert told_by(RACE, migrated_postgresql_url, tmp_path) == {
        "vendor": "postgresql",
        "winners": 1,
        "refused": ["verdict", "fake_probability", "document", "state"],
        "left": ["running"],
    }


def test_of_requests_with_one_key_at_the_same_moment_one_does_the_work(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    assert told_by(ONE_ANSWER, migrated_postgresql_url, tmp_path) == {
        "statuses": [202, 409, 409, 409, 409, 409],
        "done": 1,
        "again": {"uuid": "1"},
        "replayed": True,
    }


def test_of_the_same_file_six_times_at_the_same_moment_one_is_analysed(
    migrated_postgresql_url: str, migrated_sqlite_url: str, tmp_path: Path
) -> None:
    for url in (migrated_postgresql_url, migrated_sqlite_url):
        folder = tmp_path / url.partition(":")[0]
        assert told_by(ONE_SUBMISSION, url, folder) == [1, 1, 1, 1], url


def test_of_two_at_the_same_moment_one_takes_the_last_place_and_the_other_is_told_when_to_come_again(
    postgres_url: str, tmp_path: Path
) -> None:
    taken, refused = [202, None, True], [429, "quota_running", True]
    for url in (postgres_url, f"sqlite:///{tmp_path}/db.sqlite3"):
        told = told_by(LAST_PLACE, url, tmp_path / url.partition(":")[0])
        assert told == {"rounds": [[[taken, refused], 3]] * 5, "files": 15}, url


ONE_OF_SIX = {
    "claimers": ["NotAllowed"] * 5 + ["done"],
    "deciders": ["Overtaken"] * 5 + ["done"],
    "decisions": 1,
    "label": "real",
    "entries": 2,
    "whole": True,
}


def test_of_moderators_at_the_same_moment_one_claims_and_one_decides(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    assert told_by(MODERATORS, migrated_postgresql_url, tmp_path) == ONE_OF_SIX


def test_so_it_is_with_sqlite(migrated_sqlite_url: str, tmp_path: Path) -> None:
    assert told_by(MODERATORS, migrated_sqlite_url, tmp_path) == ONE_OF_SIX
