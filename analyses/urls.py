"""The addresses of the pages, downloads and media of analyses."""

from django.urls import path

from analyses import views

urlpatterns = [
    path("", views.home, name="home"),
    path("models/", views.models, name="models"),
    path("models/<str:slug>/", views.model_card, name="model_card"),
    path("models/<str:slug>/<str:split>/<str:name>", views.model_plot, name="model_plot"),
    path("analyses/", views.analyses, name="analyses"),
    path("analyses/new/", views.analysis_new, name="analysis_new"),
    path("analyses/new/webcam/", views.analysis_webcam, name="analysis_webcam"),
    path("uploads/", views.uploads, name="uploads"),
    path("uploads/<uuid:uuid>/", views.resumable_upload, name="upload"),
    path("analyses/delete/", views.analyses_delete, name="analyses_delete"),
    path("analyses/selection.csv", views.analyses_export, name="analyses_export"),
    path("analyses/<uuid:uuid>/", views.analysis, name="analysis"),
    path("analyses/<uuid:uuid>/state/", views.analysis_state, name="analysis_state"),
    path("analyses/<uuid:uuid>/fragment/", views.analysis_fragment, name="analysis_fragment"),
    path("analyses/<uuid:uuid>/cancel/", views.analysis_cancel, name="analysis_cancel"),
    path("analyses/<uuid:uuid>/rerun/", views.analysis_rerun, name="analysis_rerun"),
    path("analyses/<uuid:uuid>/compare/<uuid:other>/", views.analysis_compare, name="analysis_compare"),
    path("analyses/<uuid:uuid>/delete/", views.analysis_delete, name="analysis_delete"),
    path("analyses/<uuid:uuid>/result.json", views.analysis_json, name="analysis_json"),
    path("analyses/<uuid:uuid>/frames.csv", views.analysis_csv, name="analysis_csv"),
    path("analyses/<uuid:uuid>/report.pdf", views.analysis_pdf, name="analysis_pdf"),
    path("analyses/<uuid:uuid>/evidence.zip", views.analysis_zip, name="analysis_zip"),
    path("analyses/<uuid:uuid>/video", views.analysis_video, name="analysis_video"),
    path("analyses/<uuid:uuid>/evidence/<str:name>", views.analysis_evidence, name="analysis_evidence"),
    path("analyses/<uuid:uuid>/thumbnail", views.analysis_thumbnail, name="analysis_thumbnail"),
    path("analyses/<uuid:uuid>/share/", views.analysis_share, name="analysis_share"),
    path("analyses/<uuid:uuid>/share/<uuid:link>/revoke/", views.share_revoke, name="share_revoke"),
    path("analyses/<uuid:uuid>/dispute/", views.analysis_dispute, name="analysis_dispute"),
    path("analyses/<uuid:uuid>/dispute/withdraw/", views.dispute_withdraw, name="dispute_withdraw"),
    path("shared/<str:token>/", views.shared, name="shared"),
    path("shared/<str:token>/video", views.shared_video, name="shared_video"),
    path("shared/<str:token>/evidence/<str:name>", views.shared_evidence, name="shared_evidence"),
    path("exports/", views.exports, name="exports"),
    path("exports/fragment/", views.exports_fragment, name="exports_fragment"),
    path("exports/<uuid:uuid>/file", views.export_file, name="export_file"),
    path("exports/<uuid:uuid>/delete/", views.export_delete, name="export_delete"),
]
