"""Every page of the site, found in its URL configuration, with an example for each address that has parts."""

from collections.abc import Iterator
from dataclasses import replace

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import User
from analyses import claims, disputes
from analyses.detection import Failure
from analyses.models import Analysis, ExportState, State
from analyses.moderation.complaints import complain
from analyses.moderation.decisions import decide
from analyses.moderation.models import Concern, Kind
from analyses.retention import hold
from analyses.tests.factories import (
    make_delivery,
    make_done,
    make_export,
    make_failed,
    make_link,
    make_running,
)
from analyses.tests.results import make_provenance, make_rich_result
from analyses.webhooks.models import Webhook

LONG_NAME = "a_very_long_name_without_any_space_" * 4 + ".mp4"
ELSEWHERE = ("admin/", "api/")
"""The pages of the first are not ours to draw, and the second has one, which ``make_pages`` names."""
NO_PAGES = {
    "upload": "a file on its way",
    "model_plot": "a picture",
    "analysis_state": "for scripts",
    "analysis_fragment": "a piece of a page",
    "analysis_cancel": "a button",
    "analysis_rerun": "a button",
    "analysis_json": "a download",
    "analysis_csv": "a download",
    "analysis_pdf": "a download",
    "analysis_zip": "a download",
    "analysis_video": "a video",
    "analysis_evidence": "a picture",
    "analysis_thumbnail": "a picture",
    "share_revoke": "a button",
    "dispute_withdraw": "a button",
    "shared_video": "a video",
    "shared_evidence": "a picture",
    "export_file": "a download",
    "export_delete": "a button",
    "healthz": "for machines",
    "readyz": "for machines",
    "metrics": "for machines",
    "upload_discard": "a button",
    "notices_read": "a button",
    "notice_open": "a button",
    "moderation_bulk": "a button",
    "moderation_claim": "a button",
    "moderation_release": "a button",
    "moderation_decide": "a form that stands on the case's page",
    "moderation_second": "a button",
    "moderation_dismiss": "a button",
    "webhook_secret": "a button",
    "webhook_test": "a button",
    "webhook_delete": "a button",
    "webhook_resend": "a button",
    "moderation_hold": "a form that stands on the case's page",
    "audit_log_csv": "a download",
    "audit_log_jsonl": "a download",
    "api_token_revoke": "a button",
    "invitation_revoke": "a button",
    "mfa_edit_webauthn": "nobody has a passkey yet",
    "mfa_remove_webauthn": "nobody has a passkey yet",
    "account_confirm_email": "nobody's address is confirmed by mail",
}


def make_pages(owner: User, film: bytes) -> dict[str, str]:
    """Address by name, for all that has parts or looks different with other rows behind it."""
    done = make_running(owner, name="film.mp4", content=film)
    result = replace(make_rich_result(done.video), provenance=make_provenance())
    assert claims.record_result(analysis=done, result=result)
    done.refresh_from_db()
    other = make_done(owner, video=done.video, stability=True)
    token = make_link(done)[1]
    running = make_running(owner, name=LONG_NAME, stage="faces", progress_done=3, progress_total=120)
    failed = make_failed(owner, name=LONG_NAME, code=Failure.UNREADABLE)
    make_export(owner, filters={"q": LONG_NAME})
    make_export(owner, state=ExportState.FAILED)
    delivery = make_delivery(owner, tried_at=timezone.now(), status=500, problem="refused", answer="x" * 900)
    Webhook.objects.update(url=f"https://hooks.example.org/{'x' * 300}", failing_since=timezone.now())
    return {
        "api_docs": reverse("api_docs"),
        "model_card": reverse("model_card", args=["efficientnet_lstm"]),
        "analysis": done.get_absolute_url(),
        "analysis, earlier": f"{done.get_absolute_url()}?earlier",
        "analysis, running": f"{running.get_absolute_url()}?earlier",
        "analysis, failed": failed.get_absolute_url(),
        "analyses, none found": f"{reverse('analyses')}?q=nothing",
        "analyses, bad filter": f"{reverse('analyses')}?verdict=nonsense",
        "analysis_compare": reverse("analysis_compare", args=[done.uuid, other.uuid]),
        "analysis_delete": reverse("analysis_delete", args=[done.uuid]),
        "analysis_share": reverse("analysis_share", args=[done.uuid]),
        "analysis_dispute": reverse("analysis_dispute", args=[done.uuid]),
        "analysis_report": reverse("analysis_report", args=[done.uuid]),
        "webhook": reverse("webhook", args=[delivery.webhook.uuid]),
        "moderation_review": reverse("moderation_review", args=[done.uuid]),
        "moderation, all": f"{reverse('moderation')}?show=newest",
        "moderation, bad filter": f"{reverse('moderation')}?show=nonsense&q=nothing",
        "moderation_dashboard, what if": f"{reverse('moderation_dashboard')}?threshold=0.9",
        "audit_log, none found": f"{reverse('audit_log')}?action=nothing",
        "shared": reverse("shared", args=[token]),
        "shared_report": reverse("shared_report", args=[token]),
        "shared, gone": reverse("shared", args=["guessed"]),
        "invitation_follow": reverse("invitation_follow", args=["guessed"]),
        "account_reset_password_from_key": reverse("account_reset_password_from_key", args=["1", "old"]),
    }


def make_cases(administrator: User) -> None:
    """A moderator at work on what ``make_pages`` made: a dispute, a proposal, labels, a notice, a log."""
    mo = User.objects.create_user("mo@example.org", display_name="Mo", is_staff=True)
    first, second = Analysis.objects.filter(state=State.DONE).order_by("pk")
    disputes.open_dispute(analysis=first, author=first.owner, opinion="real", comment="It is me. " * 20)
    complain(analysis=first, concern=Concern.PRIVACY, comment="That is me. " * 20)
    decide(analysis=second, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know it. " * 20, seen=None)
    decide(analysis=first, moderator=mo, kind=Kind.SUSPEND_ACCOUNT, reason="Spam.", seen=None)
    hold(analysis=first, moderator=administrator, reason="A court asked for it.")


def addresses_of(examples: dict[str, str]) -> dict[str, str]:
    """All addresses by name: those without parts as they are, those with parts by their example.

    Raises LookupError for one with parts that has neither an example nor a place in ``NO_PAGES``.
    """
    plain: dict[str, str] = {}
    for name, route in _routes(get_resolver(), ""):
        if name in NO_PAGES or route.startswith(ELSEWHERE):
            continue
        if "<" not in route and "(" not in route:
            plain[name] = f"/{route}"
        elif name not in examples:
            raise LookupError(f"Give {name} ({route}) an example in make_pages, or a reason in NO_PAGES.")
    return plain | examples


def _routes(resolver: URLResolver, before: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLPattern):
            yield entry.name or route, route
        else:
            yield from _routes(entry, route)
