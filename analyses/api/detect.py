"""``POST /api/detect``: a video in, a verdict out, in the form that users of the original know."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from analyses.api.analyses import submitted
from analyses.api.answers import once, retry_after
from analyses.api.base import OF_ANALYSES, OF_FILES, ONCE, ApiRequest, ApiView
from analyses.api.openapi import IDEMPOTENCY_KEY, DetectSchema
from analyses.api.problems import problem_from
from analyses.api.serializers import DetectDocument, DetectError, DetectPending, SubmissionFields, address_of
from analyses.api.waiting import seconds_asked, wait_for
from analyses.detection import Document, Failure, Verdict
from analyses.models import Analysis
from analyses.refusals import ended_refusal, refusal_of

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`: answer after so many seconds at most (25 unless asked, 60 at most).",
)


class DetectView(ApiView):
    schema = DetectSchema()
    costs: ClassVar[dict[str, str]] = {"POST": "detect"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": (*OF_FILES, *OF_ANALYSES, *ONCE)}

    @extend_schema(
        operation_id="detect",
        parameters=[PREFER, IDEMPOTENCY_KEY],
        request={"multipart/form-data": SubmissionFields},
        responses={200: DetectDocument, 202: DetectPending, 422: DetectError},
    )
    def post(self, request: ApiRequest) -> Response:
        """Hand in a video and wait for the verdict. 202 with the analysis' address where it takes longer."""
        sent = self.sent(request)
        fields = SubmissionFields(data=sent)
        fields.is_valid(raise_exception=True)
        return once(request, sent, lambda: _detected(request, fields.validated_data))

    def get_exception_handler(self) -> Any:
        return error_response


def error_response(error: Exception, context: Mapping[str, Any]) -> Response:
    problem = problem_from(error)
    message = problem.problem_detail or refusal_of(problem.problem_code).sentence
    status = refusal_of(problem.problem_code).status
    return _error(problem.problem_code, message, status, problem.headers)


def _error(code: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    body = {"status": "error", "error": {"code": code, "message": message}}
    return Response(body, status=status, headers=dict(headers or {}))


def _detected(request: ApiRequest, asked: dict[str, Any]) -> Response:
    analysis = submitted(request, **asked)
    seconds = seconds_asked(request.headers.get("Prefer", ""))
    response = answer_of(wait_for(analysis, seconds))
    if "Prefer" in request.headers:
        response["Preference-Applied"] = f"wait={seconds}"
    return response


def answer_of(analysis: Analysis) -> Response:
    if analysis.document is not None:
        return Response(detection_of(analysis, analysis.document))
    if analysis.is_finished:
        refusal = ended_refusal(Failure(analysis.failure))
        return _error(analysis.failure, refusal.sentence, refusal.status)
    headers = {"Location": address_of(analysis), "Retry-After": retry_after(analysis)}
    return Response({"status": "pending", "analysis": address_of(analysis)}, status=202, headers=headers)


def detection_of(analysis: Analysis, document: Document) -> dict[str, object]:
    return {
        "status": "success",
        "prediction": {
            "is_deepfake": {Verdict.FAKE: True, Verdict.REAL: False}.get(Verdict(analysis.verdict)),
            "confidence": confidence_of(analysis.verdict, analysis.fake_probability),
            "model": analysis.model_name,
        },
        "frame_analysis": frame_scores(document["frames"]),
        "processing_time": f"{document['timing']['total_s']:.2f}s",
        "verdict": analysis.verdict,
        "analysis": address_of(analysis),
    }


def confidence_of(verdict: str, fake_probability: float | None) -> float | None:
    """The probability of the stated verdict; an inconclusive one states nothing that could have one."""
    if fake_probability is None or verdict == Verdict.INCONCLUSIVE:
        return None
    return round(fake_probability if verdict == Verdict.FAKE else 1 - fake_probability, 4)


def frame_scores(frames: list[dict[str, Any]]) -> list[dict[str, object]]:
    """The highest score of each frame over its faces; frames count from 1 here."""
    highest: dict[int, float] = {}
    for entry in frames:
        highest[entry["frame"]] = max(entry["score"], highest.get(entry["frame"], 0.0))
    return [{"frame": frame + 1, "score": highest[frame]} for frame in sorted(highest)]
