"""A file gets the same failure code on the page as on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from analyses.models import Analysis
from analyses.supervision import Supervisor
from analyses.tasks import run_analysis
from detector.command_line import main
from detector.tests import clips
from detector.tests.test_bad_input import FAILING

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

Maker = Callable[[Path], Path]
HEADS: dict[str, bytes] = {
    "program-stream.mpg": b"\x00\x00\x01\xba" + b"\x44" * 500,
    "elementary-stream.mpg": b"\x00\x00\x01\xb3" + b"\x14" * 500,
    "transport-stream.ts": (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 5,
    "disc.m2ts": (b"\0\0\0\0\x47\x40\x11\x10" + b"\xff" * 184) * 5,
    "one-sync-byte.mp4": b"\x47\x40" + b"hello" * 200,
    "windows.wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + b"\0" * 500,
    "half-a-mark.wmv": b"\x30\x26\xb2\x75" + b"\0" * 500,
    "xiph.ogv": b"OggS" + b"\0" * 500,
    "real.rm": b".RMF" + b"\0" * 500,
    "moving.gif": b"GIF89a" + b"\0" * 500,
    "camera.mxf": b"\x06\x0e\x2b\x34\x02\x05\x01\x01" + b"\0" * 500,
    "flash.swf": b"FLV, a word at the beginning of a text" * 10,
    "words.mp4": b"The free software that made this is not a video. " * 10,
    "preview.mov": b"\0\0\0\x14pnot" + b"\0" * 500,
    "leading-uuid.mp4": b"\0\0\0\x18uuid" + b"\0" * 500,
    "empty-avi.avi": b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 500,
    "sound.wav": b"RIFF\x10\0\0\0WAVEfmt " + b"\0" * 500,
    "header-alone.mkv": b"\x1a\x45\xdf\xa3" + b"\0" * 500,
    "nulls.mp4": b"\0" * 5000,
}
NOT_UPLOADED = {"folder.mp4", "missing.mp4", "large.mp4"}
"""The browser has no file to send, or (the last) the size is refused alone, which another test shows."""
MAKERS: dict[str, Maker] = {name: make for name, (make, _) in FAILING.items() if name not in NOT_UPLOADED} | {
    "real-program-stream.mpg": lambda path: clips.face_clip(path, seconds=0.4, codec="mpeg2video")
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    for name, head in HEADS.items():
        (folder / name).write_bytes(head)
    return [folder / name for name in HEADS] + [make(folder / name) for name, make in MAKERS.items()]


def on_the_page(path: Path, client: Client) -> str:
    """The code that the upload is refused with, or that its analysis ends with."""
    upload = SimpleUploadedFile(path.name, path.read_bytes())
    answer = client.post(
        reverse("analysis_new"), {"video": upload}, headers={"Accept": "application/json"}
    ).json()
    if "code" in answer:
        return str(answer["code"])
    analysis = Analysis.objects.latest("created_at")
    run_analysis(str(analysis.uuid))
    analysis.refresh_from_db()
    return analysis.failure


def test_the_page_and_the_command_line_give_the_same_code(
    files: list[Path],
    alice_client: Client,
    child: Supervisor,
    installed_weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--model-path", str(installed_weights), "--device", "cpu", "--face-finder", "haar", "--json"]
    main(["analyze", *options, *map(str, files)])
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_command = {path.name: doc["error"]["code"] for path, doc in zip(files, documents, strict=True)}
    assert {path.name: on_the_page(path, alice_client) for path in files} == by_command
    assert by_command["program-stream.mpg"] == by_command["real-program-stream.mpg"] == "unsupported"
    assert by_command["words.mp4"] == by_command["sound.wav"] == "not_video"
