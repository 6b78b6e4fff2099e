"""``python -m truthlens_client analyze``, against a running site."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from analyses.tests.factories import MP4_BYTES
from analyses.tests.workers import worker
from truthlens_client import client as client_module
from truthlens_client.command_line import _line, main
from truthlens_client.tables import Outcome

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two videos, one of them in a folder below, one that is none, and a text."""
    folder = tmp_path / "clips"
    (folder / "below").mkdir(parents=True)
    (folder / "a.mp4").write_bytes(MP4_BYTES + b"a")
    (folder / "below" / "b.MOV").write_bytes(MP4_BYTES + b"b")
    (folder / "broken.webm").write_bytes(b"only words " * 60)
    (folder / "notes.txt").write_text("no video")
    return folder


@pytest.fixture
def site(
    live_server: LiveServer, token: str, installed_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A site that analyses, known by the environment."""
    monkeypatch.setenv("TRUTHLENS_URL", live_server.url)
    monkeypatch.setenv("TRUTHLENS_TOKEN", token)
    monkeypatch.setattr(client_module, "LOOK_EVERY_S", 0.05)
    with worker():
        yield


@pytest.mark.usefixtures("site")
def test_a_folder_becomes_a_table_and_a_file_of_results(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, documents = tmp_path / "out.csv", tmp_path / "out.json"
    assert main(["analyze", str(folder), "--csv", str(table), "--json", str(documents)]) == 3
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    assert set(rows) == {"a.mp4", "b.MOV", "broken.webm"}
    assert (rows["a.mp4"]["verdict"], rows["a.mp4"]["fake_probability"]) == ("fake", "0.92")
    assert (rows["b.MOV"]["state"], rows["b.MOV"]["model"]) == ("done", "tiny_lstm test")
    assert (rows["broken.webm"]["state"], rows["broken.webm"]["failure"]) == ("refused", "not_video")
    found = {Path(entry["file"]).name: entry for entry in json.loads(documents.read_text(encoding="utf-8"))}
    assert found["a.mp4"]["result"]["frames"]
    assert found["broken.webm"]["error"]["code"] == "not_video"
    assert all(rows[name]["url"].startswith("http://") for name in ("a.mp4", "b.MOV"))
    told = capsys.readouterr()
    assert told.err == "3 files: 2 fake, 1 could not be analysed.\n"
    lines = told.out.splitlines()
    assert lines[0].endswith("a.mp4: fake, probability of a manipulated face 92%")
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.999, "over 99%"), (0.001, "under 1%"), (0.92, "92%"), (0.698, "69.8%"), (0.301, "30.1%")],
)
def test_no_probability_is_told_as_certain_or_rounded_onto_a_limit(probability: float, told: str) -> None:
    outcome = Outcome(Path("a.mp4"), "done", result={"verdict": "fake", "fake_probability": probability})
    assert _line(outcome) == f"a.mp4: fake, probability of a manipulated face {told}"


@pytest.mark.usefixtures("site")
def test_without_waiting_it_says_where_to_look(
    folder: Path, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(folder / "a.mp4")]) == 0
    assert f"a.mp4: queued {live_server.url}/api/v1/analyses/" in capsys.readouterr().out


@pytest.mark.usefixtures("site")
def test_a_wrong_token_fails_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(folder / "a.mp4"), "--token", "tl_wrong", "--wait"]) == 3
    assert "bad_token: This token opens nothing." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["analyze", "x.mp4"], "Name the site and a token"),
        (["analyze", "x.mp4", "--url", "http://x", "--token", "t"], "There is no file x.mp4"),
        (["analyze", ".", "--url", "http://x", "--token", "t"], "There is no video"),
        (["analyze", ".", "--url", "desk:80", "--token", "t"], "begins with http:// or https://"),
        (["analyze", ".", "--url", "http://x", "--token", "t", "--csv", "none/x.csv"], "no folder none"),
        (["judge"], "invalid choice"),
        ([], "required"),
    ],
)
def test_bad_usage_is_told(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("TRUTHLENS_URL", "TRUTHLENS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_it_runs_as_a_program_without_django(folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys, runpy; sys.argv[0] = 'truthlens_client'\n"
        "try: runpy.run_module('truthlens_client', run_name='__main__')\n"
        "except SystemExit as end: status = end.code\n"
        "print({'django', 'torch'} & set(sys.modules), status)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, "analyze", str(folder / "a.mp4"), "--wait"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.splitlines()[-1] == "set() 0", ran.stderr
