"""What the API is, for programs and for people. Anybody may read it."""

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from analyses.detection import installed_models

BUNDLES = "drf_spectacular_sidecar"
SWAGGER = (f"{BUNDLES}/swagger-ui-dist/swagger-ui-bundle.js", f"{BUNDLES}/swagger-ui-dist/swagger-ui.css")
REDOC = (f"{BUNDLES}/redoc/bundles/redoc.standalone.js",)
STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)
"""Of the style elements that Redoc makes: an empty one, filled by script, and one with a fixed text."""


@require_safe
@gzip_page
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return HttpResponse(_schema(_models()), content_type="application/vnd.oai.openapi+json")


@require_safe
@csp_update({"style-src": [SELF, *STYLES]})  # type: ignore[untyped-decorator]
def docs(request: HttpRequest) -> HttpResponse:
    """All operations; whoever asks for it also gets a viewer, to try them out or to read every field."""
    own = len(gzip.compress(_schema(_models()).encode()))
    context: dict[str, object] = {"operations": _operations(_models()), "swagger": SWAGGER, "redoc": REDOC}
    context |= {"swagger_bytes": own + _sent_bytes(SWAGGER), "redoc_bytes": own + _sent_bytes(REDOC)}
    return render(request, "api/docs.html", context)


@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    """Where a viewer had a page of its own."""
    return redirect("api_docs")


def _models() -> tuple[str, ...]:
    return tuple(model.backbone for model in installed_models())


@lru_cache(maxsize=2)
def _schema(models: tuple[str, ...]) -> str:
    """It names the models; nothing else of it changes while a process lives."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    with translation.override("en"):
        return json.dumps(generator.get_schema(request=None, public=True))


@lru_cache(maxsize=2)
def _operations(models: tuple[str, ...]) -> dict[str, list[dict[str, str]]]:
    """What can be asked for, by tag."""
    found: dict[str, list[dict[str, str]]] = {}
    for path, operations in json.loads(_schema(models))["paths"].items():
        for method, operation in operations.items():
            told = {"method": method.upper(), "path": path, "summary": operation["summary"]}
            told["statuses"] = ", ".join(sorted(operation["responses"]))
            found.setdefault(operation["tags"][0], []).append(told)
    return found


@lru_cache
def _sent_bytes(names: tuple[str, ...]) -> int:
    """What a browser loads of static files, which are sent compressed."""
    return sum(len(gzip.compress(Path(str(finders.find(name))).read_bytes())) for name in names)
