"""Transactions that meet at the same rows of a real PostgreSQL, and must not wait for each other."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.site import printed_by

pytestmark = [pytest.mark.slow, pytest.mark.service]

MEETINGS = """
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import count
from threading import Barrier
from time import sleep
from types import SimpleNamespace

import django

django.setup()
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import IntegrityError, OperationalError, connection
from django.test import Client

from accounts import roles
from accounts.invitations import create_invitation
from accounts.models import User
from accounts.roles import Role, set_role
from analyses import claims
from analyses import disputes, resumable, services, sharing
from analyses.account_deletion import delete_account
from analyses.moderation.cases import NotAllowed, claim
from analyses.moderation.complaints import complain, dismiss_complaints
from analyses.moderation.decisions import decide
from analyses.moderation.models import Concern, Kind
from analyses.retention import hold
from analyses.tests.factories import MP4_BYTES, make_analysis, make_done, make_result
from analyses.webhooks import couriers, endpoints
from analyses.webhooks.models import Event

settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
NUMBERS = count()
REFUSALS = (PermissionDenied, NotAllowed, roles.NotAllowed)
ANSWERS = (*REFUSALS, ObjectDoesNotExist, services.StillNeeded, services.UploadGone)


def slowly(execute, sql, params, many, context):
    "So that each has what it locks first when it asks for the next."
    answer = execute(sql, params, many, context)
    locks = sql.startswith(("INSERT", "UPDATE", "DELETE")) or "FOR " in sql[-60:] or "advisory_xact" in sql
    if locks and context["cursor"].rowcount:
        sleep(0.02)
    return answer


def meet(*acts):
    barrier = Barrier(len(acts))

    def one(act):
        try:
            with connection.execute_wrapper(slowly):
                barrier.wait()
                act()
            return "done"
        except ANSWERS:
            return "refused"
        except (IntegrityError, OperationalError) as error:
            return type(error.__cause__).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(one, acts))


def person(**rights):
    return User.objects.create_user(f"{next(NUMBERS)}@example.org", **rights)  # a password would take longest


def scene():
    "Alice with a result, a running and a queued analysis and a webhook, and others who deal with them."
    s = SimpleNamespace(alice=person(), bob=person(), mo=person(is_staff=True))
    s.root, s.other_root = (person(is_staff=True, is_superuser=True) for _ in range(2))
    endpoints.create_webhook(owner=s.alice, url="https://example.org/", events=list(Event), site="https://a.org")
    s.webhook = s.alice.webhooks.get()
    s.done, s.queued = make_done(s.alice), make_analysis(s.alice)
    s.running = claims.claim(uuid=make_analysis(s.alice).uuid, worker="worker")
    complain(analysis=s.done, concern=Concern.OTHER, comment="", author=s.bob)
    s.delivery = endpoints.send_test(webhook=s.webhook)
    return s


def moderated(s, moderator, kind):
    decide(analysis=s.done, moderator=moderator, kind=kind, reason="x", seen=None)


def shared(s):
    sleep(0.03)  # the deletion that it meets is under way by then
    sharing.create_share_link(analysis=s.done, created_by=s.alice, days=7, shows_name=False)


def disputed(s):
    sleep(0.03)
    disputes.open_dispute(analysis=s.done, author=s.alice, opinion="real")


def deleted_by(administrator, user):
    "On the administration's page, which is asked for by somebody who has logged in before."
    client = Client(headers={"host": "localhost"})
    client.force_login(administrator)

    def act():
        if client.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403:
            raise PermissionDenied

    return act


def delivered(s):
    couriers.record(delivery=s.delivery, outcome=couriers.Outcome(None, 200), took_ms=1)


def sent(owner):
    upload = resumable.begin_upload(owner=owner, name="clip.mp4", size=len(MP4_BYTES))
    piece = resumable.Piece(0, len(MP4_BYTES), BytesIO(MP4_BYTES))
    resumable.receive_piece(upload=upload, piece=piece)


WHILE_ALICE_LEAVES = {
    "sends a file": lambda s: sent(s.alice),
    "analyses again": lambda s: services.rerun_analysis(analysis=s.done),
    "mo analyses again": lambda s: services.rerun_analysis(analysis=s.done, asked_by=s.mo),
    "shares": shared,
    "disputes": disputed,
    "deletes": lambda s: services.delete_analysis(analysis=s.done),
    "mo deletes": lambda s: services.delete_analysis(analysis=s.done, by=s.mo),
    "mo cancels": lambda s: services.request_cancel(analysis=s.queued, by=s.mo),
    "a result": lambda s: claims.record_result(analysis=s.running, result=make_result(s.running.video)),
    "a delivery": delivered,
    "mo overrules": lambda s: moderated(s, s.mo, Kind.OVERRULE_REAL),
    "root suspends": lambda s: moderated(s, s.root, Kind.SUSPEND_ACCOUNT),
    "mo claims": lambda s: claim(analysis=s.done, moderator=s.mo),
    "mo holds": lambda s: hold(analysis=s.done, moderator=s.mo, reason="x"),
    "root promotes": lambda s: set_role(user=s.alice, role=Role.MODERATOR, actor=s.root, reason="x"),
}
OTHERS = {
    "disputed as it is deleted": lambda s: (
        lambda: disputed(s),
        lambda: services.delete_analysis(analysis=s.done),
    ),
    "shared as it is deleted": lambda s: (
        lambda: shared(s),
        lambda: services.delete_analysis(analysis=s.done),
    ),
    "deleted as another suspends": lambda s: (
        deleted_by(s.root, s.bob),
        lambda: roles.suspend_user(user=s.bob, actor=s.other_root, reason="x"),
    ),
    "administrators delete each other": lambda s: (
        deleted_by(s.root, s.other_root),
        deleted_by(s.other_root, s.root),
    ),
    "suspended and analysed again": lambda s: (
        lambda: moderated(s, s.root, Kind.SUSPEND_ACCOUNT),
        lambda: services.rerun_analysis(analysis=s.done),
    ),
    "suspended as its reporter leaves": lambda s: (
        lambda: moderated(s, s.root, Kind.SUSPEND_ACCOUNT),
        lambda: delete_account(user=s.bob),
    ),
    "claimed as mo leaves": lambda s: (
        lambda: claim(analysis=s.done, moderator=s.mo),
        lambda: delete_account(user=s.mo),
    ),
    "dismissed as mo leaves": lambda s: (
        lambda: dismiss_complaints(analysis=s.done, moderator=s.mo),
        lambda: delete_account(user=s.mo),
    ),
    "invited as root leaves": lambda s: (
        lambda: create_invitation(email="new@example.org", created_by=s.root),
        lambda: delete_account(user=s.root),
    ),
    "delivered and sent again": lambda s: (
        lambda: delivered(s),
        lambda: endpoints.resend(delivery=s.delivery),
        lambda: endpoints.delete_webhook(webhook=s.webhook),
    ),
    "sent as the earlier one goes": lambda s: (
        lambda: sent(s.alice),
        lambda: services.delete_analysis(analysis=s.queued),
    ),
}
endings = {}
for name, act in WHILE_ALICE_LEAVES.items():
    s = scene()
    endings[name] = meet(lambda: delete_account(user=s.alice), lambda: act(s))
for name, acts in OTHERS.items():
    endings[name] = meet(*acts(scene()))
print(json.dumps(endings))
"""


@pytest.mark.timeout(300)
def test_no_two_wait_for_each_other_and_who_comes_second_is_answered(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    endings = json.loads(printed_by(MEETINGS, url=migrated_postgresql_url, state=tmp_path))
    assert {name: met for name, met in endings.items() if not {*met} <= {"done", "refused"}} == {}
