"""Collecting static files again compresses what changed, and nothing else."""

import os
from pathlib import Path

from truthlens_site.static_files import StaticFilesStorage


def test_only_what_changed_is_compressed_again(tmp_path: Path) -> None:
    storage = StaticFilesStorage(location=tmp_path)
    names = ["same.css", "changed.css"]
    for name in names:
        (tmp_path / name).write_text("p { color: red }\n" * 500)
    assert {name for name, _ in storage.compress_files(names)} == set(names)
    changed = tmp_path / "changed.css"
    changed.write_text("p { color: green }\n" * 500)
    later = changed.stat().st_mtime + 10
    os.utime(changed, (later, later))
    assert {name for name, _ in storage.compress_files(names)} == {"changed.css"}
