"""Addresses that depend on who looks: the owner at the page, or anybody with a share link."""

from django import template
from django.template import Context
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def evidence_url(context: Context, name: str) -> str:
    """Of an evidence image of the analysis that the page is about."""
    if token := context.get("share_token"):
        return reverse("shared_evidence", args=[token, name])
    return reverse("analysis_evidence", args=[context["analysis"].uuid, name])
