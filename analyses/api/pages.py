"""What the API is, for programs and for people. Anybody may read it."""

import json
from functools import lru_cache
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from analyses.detection import installed_models

STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)
"""Of the style elements that Redoc makes: an empty one, filled by script, and one with a fixed text."""


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    models = tuple(model.backbone for model in installed_models())
    return HttpResponse(_schema(models), content_type="application/vnd.oai.openapi+json")


@lru_cache(maxsize=2)
def _schema(models: tuple[str, ...]) -> str:
    """It names the models; nothing else of it changes while a process lives."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return json.dumps(generator.get_schema(request=None, public=True))


@require_safe
def swagger(request: HttpRequest) -> HttpResponse:
    """To try the API out, with a token or as who is logged in."""
    return render(request, "api/swagger.html")


@require_safe
@csp_update({"style-src": [SELF, *STYLES]})  # type: ignore[untyped-decorator]
def redoc(request: HttpRequest) -> HttpResponse:
    """To read it."""
    return render(request, "api/redoc.html")
