"""The addresses of the API."""

from django.urls import path, re_path

from analyses.api.analyses import AnalysesView, AnalysisView
from analyses.api.changes import CancelView, RerunView
from analyses.api.desk import ModelsView, NothingView, UsageView
from analyses.api.detect import DetectView
from analyses.api.pages import docs, redoc, schema
from analyses.api.results import (
    CsvView,
    EvidenceView,
    FramesView,
    JsonView,
    PdfView,
    ResultView,
    ZipView,
)
from analyses.api.uploads import UploadsView, UploadView
from analyses.api.webhooks import (
    DeliveriesView,
    ResendView,
    SecretView,
    TestView,
    WebhooksView,
    WebhookView,
)

ANALYSIS = "v1/analyses/<uuid:uuid>/"
WEBHOOK = "v1/webhooks/<uuid:uuid>/"

urlpatterns = [
    path("detect", DetectView.as_view(), name="api_detect"),
    path("v1/analyses/", AnalysesView.as_view(), name="api_analyses"),
    path(ANALYSIS, AnalysisView.as_view(), name="api_analysis"),
    path(f"{ANALYSIS}cancel/", CancelView.as_view(), name="api_cancel"),
    path(f"{ANALYSIS}rerun/", RerunView.as_view(), name="api_rerun"),
    path(f"{ANALYSIS}result/", ResultView.as_view(), name="api_result"),
    path(f"{ANALYSIS}frames/", FramesView.as_view(), name="api_frames"),
    path(f"{ANALYSIS}result.json", JsonView.as_view(), name="api_json"),
    path(f"{ANALYSIS}frames.csv", CsvView.as_view(), name="api_csv"),
    path(f"{ANALYSIS}report.pdf", PdfView.as_view(), name="api_pdf"),
    path(f"{ANALYSIS}evidence.zip", ZipView.as_view(), name="api_zip"),
    path(f"{ANALYSIS}evidence/<str:name>", EvidenceView.as_view(), name="api_evidence"),
    path("v1/uploads/", UploadsView.as_view(), name="api_uploads"),
    path("v1/uploads/<uuid:uuid>/", UploadView.as_view(), name="api_upload"),
    path("v1/models/", ModelsView.as_view(), name="api_models"),
    path("v1/usage/", UsageView.as_view(), name="api_usage"),
    path("v1/webhooks/", WebhooksView.as_view(), name="api_webhooks"),
    path(WEBHOOK, WebhookView.as_view(), name="api_webhook"),
    path(f"{WEBHOOK}secret/", SecretView.as_view(), name="api_webhook_secret"),
    path(f"{WEBHOOK}test/", TestView.as_view(), name="api_webhook_test"),
    path(f"{WEBHOOK}deliveries/", DeliveriesView.as_view(), name="api_deliveries"),
    path(f"{WEBHOOK}deliveries/<uuid:delivery>/resend/", ResendView.as_view(), name="api_resend"),
    path("schema/", schema, name="api_schema"),
    path("docs/", docs, name="api_docs"),
    path("redoc/", redoc, name="api_redoc"),
    re_path("", NothingView.as_view()),
]
