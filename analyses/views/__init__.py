"""Pages, pieces of pages, downloads and media: each fetches its analysis through ``analyses.access``."""

from analyses.views.account import account_data, account_delete
from analyses.views.audit_log import audit_log, audit_log_csv, audit_log_jsonl
from analyses.views.changes import analysis_cancel, analysis_delete, analysis_rerun
from analyses.views.compare import analysis_compare
from analyses.views.complaints import analysis_report, shared_report
from analyses.views.dashboard import moderation_dashboard
from analyses.views.disputes import analysis_dispute, dispute_withdraw
from analyses.views.exports import export_delete, export_file, exports, exports_fragment
from analyses.views.files import (
    analysis_csv,
    analysis_evidence,
    analysis_json,
    analysis_pdf,
    analysis_thumbnail,
    analysis_video,
    analysis_zip,
)
from analyses.views.history import analyses, home
from analyses.views.model_cards import model_card, model_plot, models
from analyses.views.moderation import (
    moderation,
    moderation_bulk,
    moderation_claim,
    moderation_decide,
    moderation_dismiss,
    moderation_hold,
    moderation_release,
    moderation_review,
    moderation_second,
)
from analyses.views.notices import notice_open, notices, notices_read
from analyses.views.pages import analysis, analysis_fragment, analysis_state
from analyses.views.resumable import resumable_upload, uploads
from analyses.views.selection import analyses_delete, analyses_export
from analyses.views.shared import shared, shared_evidence, shared_video
from analyses.views.sharing import analysis_share, share_revoke
from analyses.views.upload import analysis_new, analysis_webcam
from analyses.views.usage import upload_discard, usage
from analyses.views.webhooks import (
    webhook,
    webhook_delete,
    webhook_resend,
    webhook_secret,
    webhook_test,
    webhooks,
)

__all__ = [
    "account_data",
    "account_delete",
    "analyses",
    "analyses_delete",
    "analyses_export",
    "analysis",
    "analysis_cancel",
    "analysis_compare",
    "analysis_csv",
    "analysis_delete",
    "analysis_dispute",
    "analysis_evidence",
    "analysis_fragment",
    "analysis_json",
    "analysis_new",
    "analysis_pdf",
    "analysis_report",
    "analysis_rerun",
    "analysis_share",
    "analysis_state",
    "analysis_thumbnail",
    "analysis_video",
    "analysis_webcam",
    "analysis_zip",
    "audit_log",
    "audit_log_csv",
    "audit_log_jsonl",
    "dispute_withdraw",
    "export_delete",
    "export_file",
    "exports",
    "exports_fragment",
    "home",
    "model_card",
    "model_plot",
    "models",
    "moderation",
    "moderation_bulk",
    "moderation_claim",
    "moderation_dashboard",
    "moderation_decide",
    "moderation_dismiss",
    "moderation_hold",
    "moderation_release",
    "moderation_review",
    "moderation_second",
    "notice_open",
    "notices",
    "notices_read",
    "resumable_upload",
    "share_revoke",
    "shared",
    "shared_evidence",
    "shared_report",
    "shared_video",
    "upload_discard",
    "uploads",
    "usage",
    "webhook",
    "webhook_delete",
    "webhook_resend",
    "webhook_secret",
    "webhook_test",
    "webhooks",
]
