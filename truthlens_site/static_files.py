"""How static files are named once they are collected."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Modules import one another by their hashed names too, so that none is ever stale."""

    support_js_module_import_aggregation = True

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Only what changed: an earlier start compressed the rest."""
        yield from super().compress_files([path for path in paths if not self._is_compressed(path)])

    def _is_compressed(self, name: str) -> bool:
        path = Path(self.path(name))
        copy = path.with_name(f"{path.name}.gz")
        return copy.exists() and copy.stat().st_mtime >= path.stat().st_mtime
