"""The page of one analysis: how far it is, then what came out."""

from dataclasses import asdict
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analyses.access import get_analysis
from analyses.boxes import boxes_of
from analyses.detection import installed_models, model_cards, unseen_of
from analyses.forms import DisputeForm, OptionsForm, ShareForm
from analyses.models import Analysis, Dispute
from analyses.moderation.cases import case_of
from analyses.odds import odds_of
from analyses.progress import Progress, progress_of
from analyses.report import Report, report_of
from analyses.retention import clock_of
from analyses.scale import scale_of
from analyses.takeaway import downloads_of
from analyses.timeline import timeline_of
from analyses.views.files import player_address
from analyses.views.requests import UserRequest
from analyses.wording import ABSENCE, CREDENTIALS, FAILURE_STEPS, PRESENCE


@login_required
@require_safe
@never_cache
@gzip_page
def analysis(request: UserRequest, uuid: UUID) -> HttpResponse:
    shown = get_analysis(request.user, uuid)
    context: dict[str, object] = {"analysis": shown, "is_own": shown.owner_id == request.user.pk}
    if shown.is_done:
        context |= result_context(shown) | own_context(shown)
        address = reverse("analysis_video", args=[shown.uuid])
        context["video_url"] = player_address(address, shown.video)
        return render(request, "analyses/result.html", context)
    if shown.is_finished:
        steps = FAILURE_STEPS[shown.failure]
        context |= {"steps": steps, "clock": clock_of(shown)}
        return render(request, "analyses/ended.html", context)
    return render(request, "analyses/progress.html", context | {"progress": progress_of(shown)})


@login_required
@require_safe
@never_cache
def analysis_fragment(request: UserRequest, uuid: UUID) -> HttpResponse:
    """The piece of the page that changes while an analysis waits or runs."""
    shown = get_analysis(request.user, uuid)
    return render(request, "analyses/_progress.html", {"analysis": shown, "progress": progress_of(shown)})


@login_required
@require_safe
@never_cache
def analysis_state(request: UserRequest, uuid: UUID) -> JsonResponse:
    shown = get_analysis(request.user, uuid)
    return JsonResponse(_state(shown, progress_of(shown)))


def _state(shown: Analysis, progress: Progress) -> dict[str, object]:
    return {
        "uuid": str(shown.uuid),
        "state": shown.state,
        "finished": shown.is_finished,
        "stage": shown.stage,
        "done": shown.progress_done,
        "total": shown.progress_total,
        "queue_position": progress.queue_position,
        "elapsed_s": round(progress.elapsed_s, 1),
        "left_s": None if progress.left_s is None else round(progress.left_s, 1),
        "duration_s": progress.duration_s,
        "points": [asdict(point) for point in progress.points],
        "failure": shown.failure or None,
        "verdict": shown.verdict or None,
        "fake_probability": shown.fake_probability,
        "awaits_proxy": shown.awaits_proxy,
    }


def own_context(shown: Analysis) -> dict[str, object]:
    """What its owner can do about a result: take it away, share it, dispute it, compare it."""
    return {
        "clock": clock_of(shown),
        "others": Analysis.objects.of_same_file(shown).exclude(pk=shown.pk).for_list(),
        "rerun": OptionsForm(initial={"backbone": _another_model(shown), "stability": not shown.stability}),
        "downloads": downloads_of(shown),
        "share_form": ShareForm(),
        "share_links": shown.share_links.active(),
        "dispute_form": DisputeForm(),
        "dispute": shown.disputes.exclude(state=Dispute.State.WITHDRAWN).first(),
    }


def result_context(shown: Analysis) -> dict[str, object]:
    """What a result's page is made of, for its owner as for those it is shared with."""
    report = report_of(shown)
    scale = scale_of(report.threshold, shown.fake_probability)
    cards = (card for card in model_cards() if card.weights.sha256 == shown.model_sha256)
    card = next(cards, None)
    return {
        "report": report,
        "model_card": card,
        "unseen": unseen_of(card) if card else None,
        "odds": odds_of(card, shown.fake_probability) if scale.zone == shown.verdict else None,
        "scale": scale,
        "timeline": timeline_of(report),
        "boxes": boxes_of(report),
        "absence": ABSENCE,
        "presence": PRESENCE,
        "credentials_words": CREDENTIALS.get(_credentials_status(report), ""),
        "case": case_of(shown),
    }


def _another_model(shown: Analysis) -> str:
    """One that this result doesn't come from, where there is one."""
    others = (model for model in installed_models() if model.weights.sha256 != shown.model_sha256)
    return next((model.backbone for model in others), shown.backbone)


def _credentials_status(report: Report) -> str:
    return str(report.provenance["credentials"]["status"]) if report.provenance else ""
