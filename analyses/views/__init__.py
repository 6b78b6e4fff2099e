"""Pages, pieces of pages, downloads and media: each fetches its analysis through ``analyses.access``."""

from analyses.views.changes import analysis_cancel, analysis_delete, analysis_rerun
from analyses.views.compare import analysis_compare
from analyses.views.files import analysis_csv, analysis_evidence, analysis_json, analysis_video
from analyses.views.history import analyses, home
from analyses.views.model_cards import model_card, model_plot, models
from analyses.views.pages import analysis, analysis_fragment, analysis_state
from analyses.views.resumable import resumable_upload, uploads
from analyses.views.upload import analysis_new, analysis_webcam

__all__ = [
    "analyses",
    "analysis",
    "analysis_cancel",
    "analysis_compare",
    "analysis_csv",
    "analysis_delete",
    "analysis_evidence",
    "analysis_fragment",
    "analysis_json",
    "analysis_new",
    "analysis_rerun",
    "analysis_state",
    "analysis_video",
    "analysis_webcam",
    "home",
    "model_card",
    "model_plot",
    "models",
    "resumable_upload",
    "uploads",
]
