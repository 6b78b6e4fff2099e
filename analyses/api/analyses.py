"""Submit, list, look at and delete analyses."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analyses import services
from analyses.access import get_analysis
from analyses.api.answers import analysis_answer, once, retry_after
from analyses.api.base import OF_ANALYSES, OF_FILES, ONCE, ApiRequest, ApiView
from analyses.api.cursors import NewestFirst
from analyses.api.openapi import IDEMPOTENCY_KEY
from analyses.api.serializers import (
    AnalysisDocument,
    ListedAnalysis,
    ListQuery,
    SubmissionFields,
    SubmissionQuery,
)
from analyses.models import Analysis


class AnalysesPages(NewestFirst):
    page_size_query_param = "limit"
    max_page_size = 100


class AnalysesView(ApiView):
    pagination_class = AnalysesPages
    costs: ClassVar[dict[str, str]] = {"POST": "upload"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": (*OF_FILES, *OF_ANALYSES, *ONCE)}

    @extend_schema(
        operation_id="list_analyses",
        parameters=[ListQuery],
        responses={200: ListedAnalysis(many=True)},
    )
    def get(self, request: ApiRequest) -> Response:
        """Your own analyses, newest first."""
        query = ListQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        rows = Analysis.objects.for_user(request.user).filter(**query.lookups()).for_list()
        pages = AnalysesPages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(ListedAnalysis(page, many=True).data)

    @extend_schema(
        operation_id="submit_analysis",
        parameters=[SubmissionQuery, IDEMPOTENCY_KEY],
        request={"multipart/form-data": SubmissionFields},
        responses={200: AnalysisDocument, 202: AnalysisDocument},
    )
    def post(self, request: ApiRequest) -> Response:
        """Hand in a video. 200 with the result that you have of the same file, else 202.

        With 202 comes the analysis of the same file that is under way already, or a new one.
        """
        sent = self.sent(request)
        fields = SubmissionFields(data=sent)
        fields.is_valid(raise_exception=True)
        query = SubmissionQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = {**fields.validated_data, **query.validated_data}
        return once(request, sent, lambda: analysis_answer(submitted(request, **asked)))


def submitted(
    request: ApiRequest, *, video: "UploadedFile[bytes]", anew: bool = False, **options: Any
) -> Analysis:
    """The analysis of the video that was sent."""
    analysis = services.submit_analysis(owner=request.user, upload=video, **options)
    if anew and analysis.is_done:
        return services.rerun_analysis(analysis=analysis, asked_by=request.user, **options)
    return analysis


class AnalysisView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"DELETE": ("on_hold",)}

    @extend_schema(operation_id="get_analysis", responses={200: AnalysisDocument})
    def get(self, request: ApiRequest, uuid: UUID) -> Response:
        """One analysis: how far it is, or what came out."""
        analysis = get_analysis(request.user, uuid)
        response = Response(AnalysisDocument(analysis).data)
        if not analysis.is_finished:
            response["Retry-After"] = retry_after(analysis)
        return response

    @extend_schema(operation_id="delete_analysis", request=None, responses={204: None})
    def delete(self, request: ApiRequest, uuid: UUID) -> Response:
        """Remove it with its pictures and, with the video's last analysis, the video. For good."""
        services.delete_analysis(analysis=get_analysis(request.user, uuid), by=request.user)
        return Response(status=204)
