"""The moderators' queue and the page of one case."""

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from analyses import retention
from analyses.access import get_moderated
from analyses.keyset import PAGE_LENGTH, Cursor, Page, bounded_count, page_of
from analyses.models import Analysis
from analyses.moderation import cases, decisions
from analyses.moderation.complaints import dismiss_complaints
from analyses.moderation.copies import copies_of
from analyses.moderation.forms import DecisionForm, HoldForm, SeenForm
from analyses.moderation.models import Kind
from analyses.moderation.queue import QueueForm, QueueParameters, queue, queue_rows
from analyses.views.files import player_address
from analyses.views.moderators import moderators_only
from analyses.views.pages import result_context
from analyses.views.requests import UserRequest

ACTIONS = ("claim", "release", "confirm")
UNREADABLE = _("The form could not be read. Try again.")


@moderators_only
@require_safe
@never_cache
def moderation(request: UserRequest) -> HttpResponse:
    """The queue. The address holds what is shown, the order and, behind the first page, the place in it."""
    form = QueueForm(request.GET)
    params = QueueParameters.from_form(form)
    rows = queue(request.user, params)
    cursor = Cursor.of(request.GET, params.sort)
    page = page_of(rows, params.sort, cursor)
    if cursor and not page.rows:  # all that came behind it was decided
        return redirect(_queue_url(params.words))
    count, is_more = bounded_count(rows)
    context: dict[str, object] = {"form": form, "params": params, "count": count}
    context |= {"counted": f"{count:,}{'+' if is_more else ''}", "rows": queue_rows(request.user, page.rows)}
    context |= {"all_selected": request.GET.get("select") == "all"}
    return render(request, "moderation/queue.html", context | _links(page, params))


def _links(page: Page, params: QueueParameters) -> dict[str, object]:
    words = params.words
    return {
        "previous_url": _queue_url({**words, "before": page.previous}) if page.previous else "",
        "next_url": _queue_url({**words, "after": page.next}) if page.next else "",
    }


def _queue_url(words: dict[str, str]) -> str:
    return f"{reverse('moderation')}?{urlencode(words)}" if words else reverse("moderation")


@moderators_only
@require_POST
def moderation_bulk(request: UserRequest) -> HttpResponse:
    """Claim, release or confirm the rows that were ticked, as they were when the page was made."""
    action = request.POST.get("action", "")
    chosen = _selected(request)
    if action not in ACTIONS or not chosen:
        messages.warning(request, gettext("Nothing was selected. Tick the rows that you mean first."))
        return redirect(_back(request))
    meant = _undecided(chosen) if action == "confirm" else chosen
    count, refused = cases.for_each(meant, _bulk_action(request, action))
    if count:
        messages.success(request, _done(action, count))
    if left_out := len(chosen) - len(meant):
        messages.warning(request, _left_out(left_out))
    for analysis, sentence in refused:
        messages.warning(request, f"“{analysis.video.original_name}”: {sentence}")
    return redirect(_back(request))


def _done(action: str, count: int) -> str:
    words = {
        "claim": ngettext("{count} case claimed.", "{count} cases claimed.", count),
        "release": ngettext("{count} case released.", "{count} cases released.", count),
        "confirm": ngettext("{count} case confirmed.", "{count} cases confirmed.", count),
        "propose": ngettext(
            "{count} case proposed: it counts once another moderator agrees.",
            "{count} cases proposed: they count once another moderator agrees.",
            count,
        ),
    }
    is_proposed = action == "confirm" and settings.SECOND_MODERATOR
    return words["propose" if is_proposed else action].format(count=count)


def _undecided(analyses: list[Analysis]) -> list[Analysis]:
    """What a moderator thought about is turned over by one who read it, and not by the dozen."""
    known = cases.cases_of(analyses)
    return [row for row in analyses if row.pk not in known or known[row.pk].is_open]


def _left_out(count: int) -> str:
    words = ngettext(
        "{count} case was left out: a moderator decided or proposed something. Open it to decide anew.",
        "{count} cases were left out: a moderator decided or proposed something. Open them to decide anew.",
        count,
    )
    return words.format(count=count)


def _bulk_action(request: UserRequest, action: str) -> Callable[[Analysis], None]:
    def confirm(analysis: Analysis) -> None:
        seen = SeenForm({"seen": request.POST.get(f"seen-{analysis.uuid}", "")})
        if not seen.is_valid():
            raise cases.NotAllowed(UNREADABLE)
        decisions.decide(
            analysis=analysis,
            moderator=request.user,
            kind=Kind.CONFIRM,
            reason="",
            seen=seen.cleaned_data["seen"],
        )

    actions: dict[str, Callable[[Analysis], None]] = {
        "claim": lambda analysis: cases.claim(analysis=analysis, moderator=request.user),
        "release": lambda analysis: cases.release(analysis=analysis, moderator=request.user),
        "confirm": confirm,
    }
    return actions[action]


def _selected(request: UserRequest) -> list[Analysis]:
    """What was deleted meanwhile is left out."""
    found = []
    for text in request.POST.getlist("uuid")[:PAGE_LENGTH]:
        with suppress(ValueError, Http404):
            found.append(get_moderated(request.user, UUID(text)))
    return found


def _back(request: UserRequest) -> str:
    """The queue that the moderator came from; only what a queue understands."""
    form = QueueForm(QueryDict(request.POST.get("list", "")))
    return _queue_url(QueueParameters.from_form(form).words)


@moderators_only
@require_safe
@never_cache
@gzip_page
def moderation_review(request: UserRequest, uuid: UUID) -> HttpResponse:
    return _review(request, get_moderated(request.user, uuid))


def _review(
    request: UserRequest, analysis: Analysis, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    context = result_context(analysis)
    row = queue_rows(request.user, [analysis])[0]
    case = row.case
    address = reverse("analysis_video", args=[analysis.uuid])
    context |= {
        "analysis": analysis,
        "row": row,
        "clock": retention.clock_of(analysis),
        "is_own": analysis.owner_id == request.user.pk,
        "decision_form": form or DecisionForm(case=case, analysis=analysis),
        "hold_form": HoldForm(),
        "seen_form": SeenForm(initial={"seen": row.seen}, auto_id="second_%s"),
        "proposed_by_me": case.awaits_second and case.last and case.last.moderator == request.user,
        "complaints": analysis.complaints.select_related("author", "closed_by"),
        "disputes": analysis.disputes.select_related("author"),
        "decisions": analysis.decisions.select_related("moderator", "seconds__moderator", "seconded_by"),
        "copies": copies_of(analysis),
        "video_url": player_address(address, analysis.video),
    }
    return render(request, "moderation/review.html", context, status=status)


@moderators_only
@require_POST
def moderation_claim(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_moderated(request.user, uuid)
    return _tried(
        request,
        analysis,
        lambda: cases.claim(analysis=analysis, moderator=request.user),
        gettext("You hold this case for half an hour."),
    )


@moderators_only
@require_POST
def moderation_release(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_moderated(request.user, uuid)
    cases.release(analysis=analysis, moderator=request.user)
    messages.success(request, gettext("The case is free for others."))
    return redirect("moderation_review", uuid)


@moderators_only
@require_POST
def moderation_decide(request: UserRequest, uuid: UUID) -> HttpResponse:
    """What was typed is kept where it is refused."""
    analysis = get_moderated(request.user, uuid)
    form = DecisionForm(request.POST, case=cases.case_of(analysis), analysis=analysis)
    if not form.is_valid():
        return _review(request, analysis, form, status=400)
    values = {**form.cleaned_data, "kind": Kind(form.cleaned_data["kind"])}
    try:
        decision = decisions.decide(analysis=analysis, moderator=request.user, **values)
    except cases.NotAllowed as error:
        return _review(request, analysis, _refused(request, analysis, str(error)), status=409)
    proposed, decided = gettext("Proposed. It counts once another moderator agrees."), gettext("Decided.")
    messages.success(request, proposed if decision.needs_second else decided)
    return redirect("moderation_review", uuid)


def _refused(request: UserRequest, analysis: Analysis, sentence: str) -> DecisionForm:
    """The form as it was sent, with what is newest now: they read that before they send it again."""
    case = cases.case_of(analysis)
    data = {**request.POST.dict(), "seen": str(case.last.uuid) if case.last else ""}
    form = DecisionForm(data, case=case, analysis=analysis)
    form.is_valid()
    form.add_error(None, sentence)
    return form


@moderators_only
@require_POST
def moderation_second(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_moderated(request.user, uuid)
    form = SeenForm(request.POST)
    if not form.is_valid():
        messages.warning(request, UNREADABLE)
        return redirect("moderation_review", uuid)
    return _tried(
        request,
        analysis,
        lambda: decisions.second(analysis=analysis, moderator=request.user, seen=form.cleaned_data["seen"]),
        gettext("You agreed: the decision counts now."),
    )


@moderators_only
@require_POST
def moderation_hold(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Put it on hold, or lift the hold where the form says so."""
    analysis = get_moderated(request.user, uuid)
    lifts = "lift" in request.POST
    form = HoldForm(request.POST)
    if not form.is_valid():
        messages.warning(request, str(form.errors["reason"][0]))
        return redirect("moderation_review", uuid)
    change = retention.lift_hold if lifts else retention.hold
    reason = form.cleaned_data["reason"]
    return _tried(
        request,
        analysis,
        lambda: change(analysis=analysis, moderator=request.user, reason=reason),
        gettext("The hold is lifted.") if lifts else gettext("On hold: no policy deletes it."),
    )


@moderators_only
@require_POST
def moderation_dismiss(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Close the reports of people who saw it, without a decision."""
    analysis = get_moderated(request.user, uuid)
    return _tried(
        request,
        analysis,
        lambda: dismiss_complaints(analysis=analysis, moderator=request.user),
        gettext("The reports are closed."),
    )


def _tried(request: UserRequest, analysis: Analysis, act: Callable[[], object], success: str) -> HttpResponse:
    """Do it, say how it went, and go back to the case."""
    try:
        act()
    except cases.NotAllowed as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, success)
    return redirect("moderation_review", analysis.uuid)
