"""Whatever an administrator changes of somebody else's, by whatever address, the audit log knows of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from accounts.invitations import create_invitation
from accounts.models import ApiToken, AuditEntry, Invitation, Scope, User
from accounts.tokens import create_token
from analyses import disputes
from analyses.models import Analysis, Dispute, Export, ShareLink, Upload, Video
from analyses.moderation import cases, complaints, decisions
from analyses.moderation.models import Case, Complaint, Concern, Decision, Kind, Notice
from analyses.tests.factories import (
    MP4_BYTES,
    make_delivery,
    make_done,
    make_export,
    make_link,
    make_running,
    make_upload,
)
from analyses.webhooks.models import Delivery, Webhook

MODELS: tuple[type[Model], ...] = (
    Analysis, ApiToken, Case, Complaint, Decision, Delivery, Dispute, Export, Invitation, Notice, ShareLink,
    Upload, User, Video, Webhook,
)  # fmt: skip
OWN = {
    "analyses_delete", "account_data", "account_delete", "analysis_new", "analysis_report", "api_analyses",
    "api_detect", "api_tokens", "api_uploads", "api_webhooks", "exports", "notices_read", "profile",
    "shared_report", "uploads", "webhooks",
}  # fmt: skip
"""What one does with what is one's own, or as anybody."""
LOGGED = {
    "analysis_cancel": "cancel_analysis",
    "analysis_delete": "delete_analysis",
    "analysis_rerun": "rerun_analysis",
    "api_analysis": "delete_analysis",
    "api_cancel": "cancel_analysis",
    "api_rerun": "rerun_analysis",
    "invitation_revoke": "revoke_invitation",
    "invitations": "invite",
    "moderation_bulk": "claim",
    "moderation_claim": "claim",
    "moderation_decide": "decide_overrule_real",
    "moderation_dismiss": "dismiss_reports",
    "moderation_hold": "hold",
    "moderation_release": "release",
    "moderation_second": "second_hide",
}
METHODS = ("post", "put", "patch", "delete")


class World:
    """Alice has one of everything, and somebody proposed to hide her result."""

    def __init__(self, alice: User, mo: User) -> None:
        self.done, self.running = make_done(alice), make_running(alice)
        self.link, self.token = make_link(self.done)
        self.upload, self.export = make_upload(alice), make_export(alice)
        self.delivery = make_delivery(alice)
        self.secret = create_token(owner=alice, name="script", scope=Scope.WRITE)[0]
        self.invitation = create_invitation(email="new@example.org", created_by=mo)[0]
        disputes.open_dispute(analysis=self.done, author=alice, opinion="real")
        complaints.complain(analysis=self.done, concern=Concern.OTHER, comment="")
        self.notice = Notice.objects.create(user=alice, decision=self.decide(mo))
        self.seen = str(self.notice.decision.uuid)

    def decide(self, mo: User) -> Decision:
        return decisions.decide(analysis=self.done, moderator=mo, kind=Kind.HIDE, reason="No.", seen=None)

    def address(self, pattern: URLPattern) -> str:
        """Of what is Alice's and suits the view."""
        name = str(pattern.name)
        uuids = {
            "upload": self.upload, "export": self.export, "webhook": self.delivery.webhook,
            "notice": self.notice, "api_token": self.secret, "invitation": self.invitation,
        }  # fmt: skip
        prefixes = {**uuids, "api_upload": self.upload, "api_webhook": self.delivery.webhook}
        prefixes |= {"api_deliveries": self.delivery.webhook, "api_resend": self.delivery.webhook}
        found = [row for prefix, row in prefixes.items() if name.startswith(prefix)]
        usual = self.running if name.endswith("_cancel") else self.done
        values = {
            "uuid": getattr(found[-1] if found else usual, "uuid", None),
            "link": self.link.uuid,
            "delivery": self.delivery.uuid,
            "other": self.running.uuid,
            "token": self.token,
            "name": "1-0-crop.jpg",
        }
        wanted = pattern.pattern.converters
        return reverse(name, kwargs={key: values.get(key, "x") for key in wanted})

    @property
    def posted(self) -> dict[str, Any]:
        """All that any form may ask for, as changed as can be."""
        return {
            "kind": "overrule_real", "reason": "A test.", "seen": self.seen, "action": "claim", "list": "",
            "uuid": str(self.done.uuid), f"seen-{self.done.uuid}": self.seen, "confirmed": "yes",
            "email": "other@example.org", "opinion": "fake", "days": "7", "concern": "other", "comment": "x",
            "url": "https://evil.example.org/", "events": "analysis.failed", "name": "x", "scope": "write",
            "display_name": "x", "password": "x", "owner": "1", "state": "done", "verdict": "real",
            "is_staff": "on", "role": "administrator", "video": SimpleUploadedFile("x.mp4", MP4_BYTES + b"x"),
        }  # fmt: skip


def patterns(*modules: str) -> Iterator[URLPattern]:
    def walk(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for one in found:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns)
            else:
                yield one

    for module in modules:
        yield from walk(get_resolver(module).url_patterns)


def rows() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MODELS}


@pytest.mark.django_db
@pytest.mark.usefixtures("installed_weights")
def test_no_change_of_somebody_elses_escapes_the_log(alice: User, mo: User, settings: Settings) -> None:
    settings.SECOND_MODERATOR = True
    settings.DETECT_WAITERS = 0
    world = World(alice, mo)
    settings.SECOND_MODERATOR = False
    ada = User.objects.create_superuser("ada@example.org")
    client = Client()
    client.force_login(ada)
    logged: dict[str, str] = {}
    untouched = rows()
    for pattern in patterns("analyses.urls", "analyses.api.urls", "accounts.urls"):
        name = str(pattern.name)
        for method in METHODS if pattern.name and name not in OWN else ():
            before = untouched
            with transaction.atomic():
                if name == "moderation_release":
                    cases.claim(analysis=world.done, moderator=ada)
                    before = rows()
                entries = AuditEntry.objects.count()
                form = world.posted if method == "post" else {}
                answer = getattr(client, method)(world.address(pattern), form)
                if answer.status_code not in (404, 405) and rows() != before:
                    assert AuditEntry.objects.count() > entries, (name, method)
                    newest = AuditEntry.objects.latest("pk")
                    assert newest.actor == ada.uuid, (name, method)
                    logged[name] = newest.action
                transaction.set_rollback(True)
    assert logged == LOGGED
