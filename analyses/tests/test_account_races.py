"""Accounts when several requests meet: on SQLite and on a real PostgreSQL."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.slow

RACES = """
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import django

django.setup()
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client

from accounts import tokens
from accounts.invitations import InvitationGone, accept_invitation, create_invitation
from accounts.models import Invitation, Scope, User
from accounts.roles import LastAdministrator
from analyses.account_deletion import delete_account
from analyses.models import Analysis, Video
from analyses.tests.factories import make_analysis, make_done

settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
REFUSALS = (InvitationGone, LastAdministrator, tokens.TooManyTokens, DatabaseError, User.DoesNotExist)
root, other = (User.objects.create_superuser(f"{name}@example.org", "x") for name in ("root", "other"))
alice = User.objects.create_user("alice@example.org", "x")
invitation, _ = create_invitation(email="carol@example.org", created_by=root)
for _ in range(5):
    make_done(alice)


def deleting(administrator, user):
    client = Client(headers={"host": "localhost"})
    client.force_login(administrator)
    address = f"/admin/accounts/user/{user.pk}/delete/"
    return lambda: str(client.post(address, {"post": "yes"}).status_code)


def meet(*acts):
    barrier = Barrier(len(acts))

    def one(act):
        barrier.wait()
        try:
            return act() or "done"
        except REFUSALS as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


accepted = meet(*[lambda: accept_invitation(invitation=invitation)] * 5)
left = meet(lambda: delete_account(user=root), lambda: delete_account(user=other))
two = [User.objects.get(is_superuser=True), User.objects.create_superuser("third@example.org")]
dismissed = meet(deleting(*two), deleting(*reversed(two)))
tokens.MOST_TOKENS = 2
made = meet(*[lambda: tokens.create_token(owner=alice, name="script", scope=Scope.READ) and "done"] * 5)


def upload():
    for _ in range(30):
        make_analysis(alice)


deleted = meet(lambda: delete_account(user=alice), upload, upload)
print(json.dumps({
    "accepted": accepted.count("done"),
    "administrators": User.objects.filter(is_superuser=True).count(),
    "left": sorted(left),
    "dismissed": sorted(dismissed),
    "tokens": sorted(made),
    "deleted": deleted[0],
    "rows": [Analysis.objects.count(), Video.objects.count(), User.objects.filter(pk=alice.pk).count()],
    "evidence": len(list(Path(settings.MEDIA_ROOT, "evidence").glob("*"))),
}))
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def test_of_those_who_meet_one_wins_and_nothing_is_left_behind(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"migrated_{database}_url")
    printed = printed_by(RACES, url=url, state=tmp_path)
    assert json.loads(printed) == {
        "accepted": 1,
        "administrators": 1,
        "left": ["LastAdministrator", "done"],
        "dismissed": ["302", "403"],
        "tokens": ["TooManyTokens"] * 3 + ["done"] * 2,
        "deleted": "done",
        "rows": [0, 0, 0],
        "evidence": 0,
    }
