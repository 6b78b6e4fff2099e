"""The parent's end of the limited child: whatever the child sends or does has a code."""

import json
import struct
import time
from pathlib import Path

import pytest

from detector import child
from detector.child import LimitedChild
from detector.codes import Failure
from detector.config import Limits
from detector.errors import AnalysisError
from detector.reading import open_clip
from detector.tests.clips import face_clip

BOOT = "import os, sys, time; out = sys.stdout.buffer; {}; out.flush()"


def message(content: object) -> str:
    """Code that sends a message as the decoder does."""
    body = json.dumps(content).encode()
    return f"out.write({struct.pack('>I', len(body)) + body!r})"


def outcome(code: str, monkeypatch: pytest.MonkeyPatch, limits: Limits | None = None) -> AnalysisError:
    """What a reader of a child that runs ``code`` in the decoder's place is told."""
    monkeypatch.setattr(child, "BOOT", BOOT.format(code))
    with (
        LimitedChild({"kind": "probe"}, limits=limits or Limits()) as started,
        pytest.raises(AnalysisError) as caught,
    ):
        started.message()
    return caught.value


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "sys.exit(3)",
        "os.abort()",
        "os.kill(os.getpid(), 9)",
        r"out.write(b'\xff\xff\xff\xff')",
        r"out.write(b'\x00\x00\x00\x05hello')",
        r"out.write(b'\x00\x00\x00\x09short')",
        message([1, 2]),
        message({"no": "kind"}),
        message({"kind": "error", "code": "bored", "detail": ""}),
        message({"kind": "error", "code": "empty"}),
    ],
)
def test_a_child_that_dies_or_sends_nonsense_has_crashed(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(code, monkeypatch).code == Failure.CRASHED


def test_a_childs_own_failure_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    error = outcome(message({"kind": "error", "code": "too_long", "detail": "36000 s"}), monkeypatch)
    assert (error.code, error.detail) == (Failure.TOO_LONG, "36000 s")


def test_a_silent_child_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    limits = Limits(decode_wall_s=0.3)
    assert outcome("time.sleep(60)", monkeypatch, limits).code == Failure.TIMED_OUT
    assert time.monotonic() - began < 5


def test_a_child_that_closes_its_pipe_and_stays_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LAST_BREATH_S", 0.2)
    assert outcome("os.close(1); time.sleep(60)", monkeypatch).code == Failure.CRASHED


@pytest.mark.parametrize("size", [{"width": 10**9}, {"height": -1}, {"width": "wide"}, {"rotation": 45}])
def test_no_memory_is_taken_for_an_absurd_picture(
    size: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: dict[str, object] = {"kind": "facts", "container": "mp4", "codec": "h264", "fps": 25.0}
    facts |= {"width": 640, "height": 360, "rotation": 0, "duration_s": 1.0, "frames": 25}
    facts |= {"bits_per_pixel": 0.1, "expected": 20}
    monkeypatch.setattr(child, "BOOT", BOOT.format(message(facts | size) + "; out.flush(); time.sleep(60)"))
    with pytest.raises(AnalysisError) as caught:
        open_clip(face_clip(tmp_path / "a.mp4", seconds=0.2), windows=1, window_length=20, limits=Limits())
    assert caught.value.code == Failure.CRASHED
