"""Cancel an analysis and run it again."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analyses import services
from analyses.access import get_analysis
from analyses.api.answers import analysis_answer, once
from analyses.api.base import OF_ANALYSES, ONCE, ApiRequest, ApiView
from analyses.api.openapi import IDEMPOTENCY_KEY
from analyses.api.serializers import AnalysisDocument, OptionsFields
from analyses.models import Analysis


class CancelView(ApiView):
    @extend_schema(operation_id="cancel_analysis", request=None, responses={200: AnalysisDocument})
    def post(self, request: ApiRequest, uuid: UUID) -> Response:
        """Stop it. What is finished stays as it is; what runs ends within seconds."""
        analysis = get_analysis(request.user, uuid)
        services.request_cancel(analysis=analysis, by=request.user)
        return Response(AnalysisDocument(analysis).data)


class RerunView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": (*OF_ANALYSES, *ONCE)}

    @extend_schema(
        operation_id="rerun_analysis",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": OptionsFields},
        responses={202: AnalysisDocument},
    )
    def post(self, request: ApiRequest, uuid: UUID) -> Response:
        """Analyse the same video once more, with another model or other checks. This result stays."""
        analysis = get_analysis(request.user, uuid)
        sent = self.sent(request)
        fields = OptionsFields(data=sent)
        fields.is_valid(raise_exception=True)
        return once(request, sent, lambda: analysis_answer(_rerun(request, analysis, fields)))


def _rerun(request: ApiRequest, analysis: Analysis, fields: OptionsFields) -> Analysis:
    return services.rerun_analysis(analysis=analysis, asked_by=request.user, **fields.validated_data)
