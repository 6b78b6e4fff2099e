"""Clips through the real command line, and the record that a killed run goes on from."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.evaluation.judging import Job, Judge, Judged, Record, bitrate, context_of, scratch, sweep
from detector.tests.clips import face_clip, make_empty, make_no_face, make_text
from detector.tests.tiny import write_tiny_weights

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Copied:
    """Writes the source anew, and counts how often."""

    counter: Path
    name: str = "copied"

    def make(self, sources: Sequence[Path], target: Path) -> None:
        with self.counter.open("a") as file:
            file.write("x")
        if sources[0].suffix == ".txt":
            raise ValueError("no clip")
        target.write_bytes(sources[0].read_bytes())


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_weights(tmp_path_factory.mktemp("weights"), bias=3.0)


def judge_with(weights: Path, record: Path, processes: int = 1) -> Judge:
    options = ("--model-path", str(weights), "--device", "cpu", "--face-finder", "haar")
    context = context_of(weights.with_suffix(".json"), options)
    return Judge(options, context, Record(record), processes)


@pytest.mark.timeout(300)
def test_answers_come_in_order_and_nothing_is_judged_twice(weights: Path, tmp_path: Path) -> None:
    face = face_clip(tmp_path / "face.mp4", seconds=0.8, size=(320, 180))
    wall, text = make_no_face(tmp_path / "wall.mp4"), make_text(tmp_path / "minutes.txt")
    counter, record = tmp_path / "made", tmp_path / "work" / "record.jsonl"
    jobs = [
        Job((wall,)),
        Job((face,)),
        Job((text,)),
        Job((face,), Copied(counter)),
        Job((text,), Copied(counter)),
    ]
    answers = judge_with(weights, record, processes=2).judge(jobs, "test")
    assert [a.document.get("verdict") for a in answers] == ["inconclusive", "fake", None, "fake", None]
    assert answers[2].document["error"]["code"] == "not_video"
    assert answers[4].document["error"]["code"] == "unreadable"
    assert answers[2].kbit_s is None
    assert answers[1].kbit_s == pytest.approx(answers[3].kbit_s)
    assert counter.read_text() == "xx"

    with record.open("a") as file:
        file.write('{"key": "cut off in the mid')
    again = judge_with(weights, record)
    assert again.judge(jobs, "test") == answers
    assert counter.read_text() == "xx"
    assert len(again.judge([Job((face,))], "test", "--stability")) == 1
    assert len(record.read_text().splitlines()) == 6


def test_a_line_cut_off_is_forgotten_and_whole_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record(path).add("a", Judged({"verdict": "real"}, 5.0))
    with path.open("a") as file:
        file.write('{"key": "b", "docu')
    record = Record(path)
    record.add("c", Judged({}, None))
    assert ("a" in record, "b" in record, record["a"].kbit_s) == (True, False, 5.0)
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["a", "c"]


def test_a_new_calibration_makes_the_record_void_and_new_figures_do_not(
    weights: Path, tmp_path: Path
) -> None:
    card = json.loads(weights.with_suffix(".json").read_text())
    path = tmp_path / "card.json"

    def context(**changed: object) -> str:
        path.write_text(json.dumps({**card, **changed}))
        return context_of(path, ["--device", "cpu"])

    plain = context()
    assert context(metrics={"val": {"auc": 1.0}}) == plain
    assert context(calibration={"scale": 2.0, "offset": 0.0, "label": "new"}) != plain


def test_what_a_killed_run_left_is_deleted_and_a_living_run_keeps_its_own(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    dead, living = scratch(tmp_path).with_name(f"clips-{ended.pid}"), scratch(tmp_path)
    dead.mkdir()
    (dead / "0.mp4").write_bytes(b"pictures")
    sweep(tmp_path)
    assert (dead.exists(), living.exists()) == (False, True)


def test_weights_that_are_not_there_end_the_evaluation(weights: Path, tmp_path: Path) -> None:
    clip = face_clip(tmp_path / "face.mp4", seconds=0.2, size=(320, 180))
    judge = Judge(("--model-path", str(tmp_path / "none.safetensors")), "", Record(tmp_path / "r.jsonl"), 1)
    with pytest.raises(SystemExit, match="status 4 after 0 clips"):
        judge.judge([Job((clip,))], "test")


def test_the_bitrate_is_of_the_video_alone(tmp_path: Path) -> None:
    silent = face_clip(tmp_path / "silent.mp4", seconds=1, size=(320, 180))
    loud = face_clip(tmp_path / "loud.mp4", seconds=1, size=(320, 180), sound=True)
    expected = silent.stat().st_size * 8 / 1000
    assert bitrate(silent) == pytest.approx(expected, rel=0.1)
    assert bitrate(loud) == pytest.approx(bitrate(silent), rel=0.02)
    assert bitrate(make_empty(tmp_path / "empty.mp4")) is None
