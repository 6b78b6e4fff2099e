"""The moderators' dashboard, with the question what another limit would have meant."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyses.moderation import statistics
from analyses.views.moderators import moderators_only
from analyses.views.requests import UserRequest


class ThresholdForm(forms.Form):
    threshold = forms.FloatField(
        label=_("Limit"),
        min_value=0.51,
        max_value=0.99,
        widget=forms.NumberInput(attrs={"step": "0.01", "min": "0.51", "max": "0.99"}),
        error_messages={
            "min_value": _("Give a number from 0.51 to 0.99."),
            "max_value": _("Give a number from 0.51 to 0.99."),
            "invalid": _("Give a number from 0.51 to 0.99."),
            "required": _("Give a number from 0.51 to 0.99."),
        },
    )


@moderators_only
@require_safe
@never_cache
def moderation_dashboard(request: UserRequest) -> HttpResponse:
    form = ThresholdForm(request.GET if "threshold" in request.GET else None)
    if not form.is_bound:
        form.initial["threshold"] = settings.DETECTOR.threshold
    clips, recent = statistics.labelled(), statistics.recent()
    context: dict[str, object] = {
        "load": statistics.load(),
        "times": statistics.times(),
        "failures": statistics.failures(),
        "verdicts": statistics.shares_of(scored.verdict for scored in recent),
        "overruled": statistics.overruled(),
        "storage": statistics.storage(),
        "labelled": len(clips),
        "accuracy": statistics.accuracy(clips),
        "form": form,
    }
    if form.is_bound and form.is_valid():
        limit = form.cleaned_data["threshold"]
        context |= {
            "limit": limit,
            "accuracy_then": statistics.accuracy(clips, limit),
            "verdicts_then": statistics.shares_of(scored.verdict_at(limit) for scored in recent),
        }
    return render(request, "moderation/dashboard.html", context)
