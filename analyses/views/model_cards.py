"""The model cards: what the models are, how well they work and what they can't do. Anybody may read them."""

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from analyses.detection import ModelCard, model_cards, plots_of, sections_of

PLOT_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    return render(request, "model_cards/list.html", {"cards": model_cards()})


@require_safe
def model_card(request: HttpRequest, slug: str) -> HttpResponse:
    card = _card(slug)
    return render(request, "model_cards/card.html", {"card": card, "sections": sections_of(card)})


@require_safe
@cache_control(max_age=3600)
@csp_replace({"default-src": [NONE], "style-src": [UNSAFE_INLINE]})  # type: ignore[untyped-decorator]
def model_plot(request: HttpRequest, slug: str, split: str, name: str) -> HttpResponseBase:
    """A plot that the card shows, and no other file. Its styles are its own; it loads nothing."""
    for plot in plots_of(_card(slug)):
        if (plot.split, plot.path.name) == (split, name):
            return FileResponse(plot.path.open("rb"), content_type=PLOT_TYPES[plot.path.suffix])
    raise Http404


def _card(slug: str) -> ModelCard:
    """Raises Http404 where no such weights are installed."""
    card = next((card for card in model_cards() if card.slug == slug), None)
    if card is None:
        raise Http404
    return card
