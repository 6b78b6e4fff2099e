"""The examples of ``docs/api.md`` work as they stand there."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from analyses.tests.factories import MP4_BYTES
from analyses.tests.workers import worker
from truthlens_site.tests.services import missing

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MARK = "--- end of an example"


def commands() -> list[tuple[str, str]]:
    """Each example for a shell, with the answer that the page shows below it, if it does."""
    following = [*BLOCKS[1:], ("", "")]
    pairs = zip(BLOCKS, following, strict=True)
    return [
        (text, answer if kind == "json" else "")
        for (language, text), (kind, answer) in pairs
        if language == "sh"
    ]


def shape(value: object) -> object:
    """The names in a document, and not what they stand for."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value) in (list, dict)


@pytest.fixture
def environment(
    live_server: LiveServer, token: str, installed_weights: Path, tmp_path: Path
) -> dict[str, str]:
    """Of somebody who reads the page: three clips, a text, the site and a token."""
    for name in ("clip", "another", "large"):
        (tmp_path / f"{name}.mp4").write_bytes(MP4_BYTES + name.encode())
    (tmp_path / "notes.txt").write_text("no video " * 100)
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    return {
        **os.environ,
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TRUTHLENS_URL": live_server.url,
        "TRUTHLENS_TOKEN": token,
    }


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_examples_for_a_shell_work(environment: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl")
    examples = commands()
    assert len(examples) >= 8
    script = "set -euo pipefail\n" + "".join(f"{text}\necho\necho '{MARK}'\n" for text, _ in examples)
    with worker():
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout.split(MARK)[:-1]
    for (text, answer), output in zip(examples, said, strict=True):
        if answer:
            assert shape(json.loads(output)) == shape(json.loads(answer)), text
    with (tmp_path / "results.csv").open(encoding="utf-8-sig") as file:
        assert [row["verdict"] for row in csv.DictReader(file)] == ["fake", "fake"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_example_in_python_works(environment: dict[str, str], tmp_path: Path) -> None:
    (example,) = (text for language, text in BLOCKS if language == "python")
    with worker():
        ran = subprocess.run(
            [sys.executable, "-c", example],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert (lines[0], lines[-1].split()[0]) == ("fake 0.92", "not_found")
    assert len(lines) == 5
