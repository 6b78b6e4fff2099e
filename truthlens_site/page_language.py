"""The language of an answer: pages speak the visitor's, programs are always told in English."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.functional import cached_property

PROGRAMS = "/api/"
ENGLISH = "en"


class PageLanguageMiddleware(LocaleMiddleware):
    """As Django's, but for the API, and without a word about language on what has none: media, downloads."""

    @cached_property
    def pages_of_the_api(self) -> frozenset[str]:
        return frozenset((reverse("api_docs"), reverse("api_redoc")))

    def process_request(self, request: HttpRequest) -> None:
        if request.path.startswith(PROGRAMS) and request.path not in self.pages_of_the_api:
            translation.activate(ENGLISH)
            request.LANGUAGE_CODE = ENGLISH
            return
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
