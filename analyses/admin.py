"""Moderators read here; what changes an analysis goes through the pages and their services."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from analyses.models import Analysis, Dispute, ShareLink, Video


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows belong to files and jobs, so nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = (
        "uuid",
        "owner",
        "video",
        "state",
        "verdict",
        "failure",
        "attempts",
        "losses",
        "created_at",
    )
    list_filter = ("state", "verdict", "failure")
    list_select_related = ("owner", "video")
    search_fields = ("uuid", "owner__email", "video__original_name", "video__sha256")
    exclude = ("live_scores",)


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "owner", "original_name", "size_bytes", "created_at")
    list_select_related = ("owner",)
    search_fields = ("uuid", "owner__email", "original_name", "sha256")
    exclude = ("file", "proxy")


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "author", "analysis", "opinion", "state", "created_at", "resolved_at")
    list_filter = ("state", "opinion")
    list_select_related = ("author", "analysis")
    search_fields = ("uuid", "author__email", "analysis__uuid", "comment")


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "created_by", "analysis", "created_at", "expires_at", "revoked_at", "views")
    list_select_related = ("created_by", "analysis")
    search_fields = ("uuid", "created_by__email", "analysis__uuid")
