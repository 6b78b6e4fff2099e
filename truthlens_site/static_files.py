"""How static files are named once they are collected."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Modules import one another by their hashed names too, so that none is ever stale."""

    support_js_module_import_aggregation = True
