"""What there is to work with: the installed models, and what one has used of the site."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from analyses.api.base import ApiRequest, ApiView
from analyses.api.serializers import InstalledModelsDocument, UsageDocument
from analyses.api.usage import usage_of
from analyses.detection import installed_models


class ModelsView(ApiView):
    @extend_schema(operation_id="list_models", responses={200: InstalledModelsDocument})
    def get(self, request: ApiRequest) -> Response:
        """The models that an analysis may be asked for, the standard one first."""
        return Response(InstalledModelsDocument({"models": installed_models()}).data)


class UsageView(ApiView):
    @extend_schema(operation_id="get_usage", responses={200: UsageDocument})
    def get(self, request: ApiRequest) -> Response:
        """How many analyses you have, and what is stored of yours."""
        return Response(UsageDocument(usage_of(request.user)).data)


class NothingView(ApiView):
    """All other addresses under ``/api/``."""

    http_method_names = ("get", "head", "post", "put", "patch", "delete", "options")
    permission_classes = (AllowAny,)
    schema = None

    def get(self, request: ApiRequest) -> Response:
        raise NotFound

    def post(self, request: ApiRequest) -> Response:
        raise NotFound

    put = patch = delete = post
    options = post  # type: ignore[assignment]
