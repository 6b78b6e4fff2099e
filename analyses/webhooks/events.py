"""What is told, to whom: messages are rows of the transaction that they tell of, and sent afterwards.

A message is small: identifiers, the verdict and addresses. File names are people's own, and stay here.
"""

import json
from typing import Any

from django.urls import reverse
from django.utils import timezone

from analyses.models import Analysis
from analyses.moderation.models import Case
from analyses.webhooks.models import Delivery, Event, Webhook


def tell(event: Event, analysis: Analysis) -> None:
    """Leave a message for each of the owner's webhooks that want it. Call it in the transaction of the event.

    Only what identifies ``analysis`` is read of it; the rest is read anew.
    """
    webhooks = [
        hook for hook in Webhook.objects.active().filter(owner=analysis.owner_id) if event in hook.events
    ]
    if not webhooks:
        return
    current = Analysis.objects.for_list().get(pk=analysis.pk)
    for webhook in webhooks:
        leave(webhook, event, facts_of(current, webhook.site), current)


def leave(webhook: Webhook, event: Event, data: dict[str, Any], analysis: Analysis | None = None) -> Delivery:
    """A message that is due at once."""
    body = json.dumps({"type": str(event), "timestamp": timezone.now().isoformat(), "data": data})
    return Delivery.objects.create(
        webhook=webhook, event=event, body=body, analysis=analysis.uuid if analysis else None
    )


def facts_of(analysis: Analysis, site: str) -> dict[str, Any]:
    case = Case.objects.select_related("judgement").filter(analysis_id=analysis.pk).first()
    judged = case is not None and case.judgement is not None
    return {
        "analysis": str(analysis.uuid),
        "sha256": analysis.video.sha256,
        "state": analysis.state,
        "verdict": analysis.verdict or None,
        "fake_probability": analysis.fake_probability,
        "failure": analysis.failure or None,
        "decision": {"found": case.label, "overruled": case.is_overruled} if case and judged else None,
        "url": site + reverse("api_analysis", args=[analysis.uuid]),
        "page": site + analysis.get_absolute_url(),
    }
