"""``python -m detector analyze``: what it prints and writes, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from detector.codes import FAILURE_SENTENCES, REASON_SENTENCES, Failure, Reason
from detector.command_line import ANALYSED, BAD_USAGE, INTERRUPTED, NO_WEIGHTS, SOME_FAILED, main, shown
from detector.tests.clips import face_clip, make_empty, make_huge_picture, make_no_face
from detector.tests.documents import check_document
from detector.tests.tiny import write_tiny_weights

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that calls every face fake, at about 0.95."""
    return write_tiny_weights(tmp_path_factory.mktemp("weights"), bias=3.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("clips") / "good.mp4", seconds=0.8, size=(320, 180))


def command(weights: Path, *arguments: object) -> list[str]:
    usual = ["--model-path", weights, "--device", "cpu", "--face-finder", "haar"]
    return ["analyze", *map(str, usual), *map(str, arguments)]


def documents(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for document in found:
        check_document(document)
    return found


def test_json_is_one_document_a_line_in_the_order_given(
    clip: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = make_empty(tmp_path / "empty.mp4")
    assert main(command(weights, "--json", clip, empty, clip)) == SOME_FAILED
    first, second, third = documents(capsys)
    assert first["path"] == third["path"] == str(clip)
    assert second["error"] == {"code": "empty", "message": FAILURE_SENTENCES[Failure.EMPTY]}
    assert first["verdict"] == "fake"


def test_people_read_the_verdict_first_and_then_why(
    clip: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(weights, clip, "--threshold", "0.98")) == ANALYSED
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == f"inconclusive: {clip}"
    assert "probability of manipulation 0.9" in lines[1]
    assert "0.98" in lines[1]
    assert lines[2] == f"  {REASON_SENTENCES[Reason.BETWEEN_THRESHOLDS]} [between_thresholds]"
    assert lines[3].startswith("  face 1: inconclusive 0.9")
    assert lines[-1].endswith(" s")
    assert printed.err == ""


def test_settings_reach_the_analysis(clip: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--json", "--threshold", "0.6", "--stability", "--sequence-length", "20")
    assert main(command(weights, *options, clip)) == ANALYSED
    (document,) = documents(capsys)
    assert document["threshold"] == 0.6
    assert document["stability"] is not None
    assert len(document["frames"]) == 20
    assert document["model"]["name"] == "tiny_lstm"


# Evidence


def test_evidence_of_one_clip_lies_in_the_folder_itself(
    clip: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(command(weights, "--json", "--evidence", tmp_path / "a" / "b", clip))
    (document,) = documents(capsys)
    names = {entry[kind] for entry in document["evidence"] for kind in ("crop", "heatmap")}
    assert names
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == names
    for name in names:
        image = cv2.imread(str(tmp_path / "a" / "b" / name))
        assert image is not None
        assert image.shape == (224, 224, 3)


def test_evidence_of_several_clips_never_collides(
    clip: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "good.mp4"
    other.write_bytes(clip.read_bytes())
    main(command(weights, "--evidence", tmp_path / "evidence", clip, other))
    folders = sorted((tmp_path / "evidence").iterdir())
    assert [folder.name for folder in folders] == ["01-good", "02-good"]
    assert all(list(folder.iterdir()) for folder in folders)


def test_nothing_is_written_unless_asked_for(
    clip: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = sorted(clip.parent.iterdir())
    main(command(weights, clip))
    assert list(here.iterdir()) == []
    assert sorted(clip.parent.iterdir()) == before


# Bad usage and weights


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["analyze"],
        ["judge", "a.mp4"],
        ["analyze", "a.mp4", "--threshold", "1"],
        ["analyze", "a.mp4", "--threshold", "half"],
        ["analyze", "a.mp4", "--device", "tpu"],
        ["analyze", "a.mp4", "--backbone", "vgg"],
        ["analyze", "a.mp4", "--sequence-length", "19"],
        ["analyze", "a.mp4", "--face-finder", "eyes"],
        ["analyze", "a.mp4", "--evidence", "/dev/null/here"],
    ],
)
def test_bad_usage_is_told_on_stderr(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == BAD_USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error: " in printed.err


def test_without_weights_nothing_is_analysed(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path / "none.safetensors", clip)) == NO_WEIGHTS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert FAILURE_SENTENCES[Failure.NO_WEIGHTS] in printed.err


def test_weights_that_do_not_match_their_card_are_no_weights(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = write_tiny_weights(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x01")
    assert main(command(damaged, "--json", clip)) == NO_WEIGHTS
    assert capsys.readouterr().out == ""


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clip.mp4", "clip.mp4"),
        ("größe 影片.mp4", "größe 影片.mp4"),
        ("a\nfake: b.mp4", "a\\nfake: b.mp4"),
        ("\x1b[31mred.mp4", "\\x1b[31mred.mp4"),
        (os.fsdecode(b"caf\xe9.mp4"), "caf\\xe9.mp4"),
    ],
)
def test_names_are_shown_on_one_line_without_control_characters(name: str, expected: str) -> None:
    assert shown(name) == expected


def test_a_name_that_is_not_utf8_is_analysed_and_told(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    make_no_face(Path(tmp_path / "wall.mp4")).rename(path)
    assert main(command(weights, "--json", path)) == ANALYSED
    assert documents(capsys)[0]["path"] == f"{tmp_path}/caf\\xe9.mp4"


# As a program


def test_the_program_reads_nothing_from_the_environment(clip: Path, weights: Path) -> None:
    settings = {"CONFIDENCE_THRESHOLD": "0.99", "SEQUENCE_LENGTH": "hello", "MODEL_PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "detector", *command(weights, "--json", clip)],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == ANALYSED, done.stderr
    document = json.loads(done.stdout)
    check_document(document)
    assert document["threshold"] == 0.7


def test_an_interrupt_ends_it_quietly(clip: Path, weights: Path, tmp_path: Path) -> None:
    heavy = make_huge_picture(tmp_path / "heavy.mov", side=5000, times=60)
    program = subprocess.Popen(
        [sys.executable, "-m", "detector", *command(weights, "--json", clip, heavy)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        first = program.stdout.readline()
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
    finally:
        program.kill()
    assert json.loads(first)["path"] == str(clip)
    assert (program.returncode, out, err) == (INTERRUPTED, "", "")
