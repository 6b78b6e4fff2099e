"""What the schema at ``/api/schema/`` says beyond what the views and serializers say themselves."""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS

from analyses.detection import Failure
from analyses.refusals import ended_refusal, refusal_of

PROBLEM = "application/problem+json"
RESULT, PROBLEM_SCHEMA = "ResultDocument", "Problem"
COMMON = (
    "not_authenticated", "bad_token", "forbidden", "not_found", "method_not_allowed", "too_many_requests",
    "server_error",
)  # fmt: skip
"""Any address may refuse with these."""
OF_CHANGES = ("csrf_failed", "read_only_token")
OF_PARAMETERS = ("malformed", "invalid")
OF_BODIES = (*OF_PARAMETERS, "request_too_large", "too_large", "unsupported_media_type")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same request under the same key within 24 hours is done once and answered alike.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag; unchanged, the answer is 304."
)
DOCUMENT: dict[tuple[int, str], Any] = {(200, "application/json"): {"$ref": f"#/components/schemas/{RESULT}"}}
UNCHANGED = {304: None}
BINARY = OpenApiTypes.BINARY
_TEXT = {"type": "string"}
PROBLEM_FIELDS: dict[str, Any] = {
    "type": _TEXT,
    "title": {**_TEXT, "description": "The same for every case of this code."},
    "status": {"type": "integer"},
    "detail": {**_TEXT, "description": "What is wrong in this case."},
    "code": _TEXT,
    "hint": {**_TEXT, "description": "What to do about it; may be empty."},
    "errors": {
        "type": "object",
        "description": "What is wrong with each field.",
        "additionalProperties": {"type": "array", "items": _TEXT},
    },
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "A token of the site’s page of tokens, as `Token tl_...`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ApiSchema(AutoSchema):
    """Every operation with the problems that it may answer."""

    problem_ref: ClassVar[dict[str, str]] = {"$ref": f"#/components/schemas/{PROBLEM_SCHEMA}"}
    problem_type = PROBLEM

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        told: dict[int, list[str]] = {}
        for code, status in self.refusals(operation):
            told.setdefault(status, []).append(code)
        for status, codes in sorted(told.items()):
            problem = operation["responses"].setdefault(str(status), self.problem(status))
            problem["description"] = ", ".join(codes)
        return operation

    def refusals(self, operation: dict[str, Any]) -> dict[tuple[str, int], None]:
        """Each code that it may refuse with, and the status with it, in the order of telling them."""
        codes = [*COMMON, *getattr(self.view, "problems", {}).get(self.method, ())]
        codes += OF_CHANGES if self.method not in SAFE_METHODS else ()
        codes += OF_PARAMETERS if any(map(_can_be_wrong, operation.get("parameters", ()))) else ()
        codes += OF_BODIES if "requestBody" in operation else ()
        return {(code, refusal_of(code).status): None for code in codes}

    def get_summary(self) -> str:
        """The first sentence of what it does."""
        return str(self.get_description()).split(". ")[0].split("\n")[0].rstrip(".")

    def problem(self, status: int) -> dict[str, Any]:
        described: dict[str, Any] = {"content": {self.problem_type: {"schema": self.problem_ref}}}
        if status == 429:
            described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        return described


class DetectSchema(ApiSchema):
    """``/api/detect`` tells errors in a form of its own."""

    problem_ref: ClassVar[dict[str, str]] = {"$ref": "#/components/schemas/DetectError"}
    problem_type = "application/json"

    def refusals(self, operation: dict[str, Any]) -> dict[tuple[str, int], None]:
        """With those of an analysis that ends without a result."""
        ended = {(str(code), ended_refusal(code).status): None for code in Failure}
        return super().refusals(operation) | ended


def _can_be_wrong(parameter: dict[str, Any]) -> bool:
    """What is wrong in an address isn't found, and these headers are refused otherwise or not at all."""
    return parameter["in"] != "path" and parameter["name"] not in ("If-None-Match", "Tus-Resumable")


def only_the_api(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Preprocessing hook: what the schema is of."""
    return [entry for entry in endpoints if entry[0].startswith("/api/v1/") or entry[0] == "/api/detect"]


def with_the_result(result: dict[str, Any], generator: Any, request: HttpRequest | None, public: bool) -> Any:
    """Postprocessing hook: the detector's own schema of a result, and that of a problem."""
    path = settings.BASE_DIR / "detector" / "result.schema.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    parts = document.pop("$defs")
    for name in ("$schema", "$id"):
        document.pop(name)
    schemas = result["components"]["schemas"]
    required = [name for name in PROBLEM_FIELDS if name != "errors"]
    schemas[PROBLEM_SCHEMA] = {"type": "object", "properties": PROBLEM_FIELDS, "required": required}
    schemas[RESULT] = _moved(document)
    schemas |= {f"{RESULT}_{name}": _moved(part) for name, part in parts.items()}
    return result


def _moved(node: Any) -> Any:
    """References within the detector's schema lead to where its parts stand here."""
    if isinstance(node, list):
        return [_moved(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    moved = {name: _moved(value) for name, value in node.items()}
    if isinstance(node.get("$ref"), str):
        moved["$ref"] = node["$ref"].replace("#/$defs/", f"#/components/schemas/{RESULT}_")
    return moved
