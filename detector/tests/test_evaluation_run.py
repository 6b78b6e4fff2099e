"""One whole evaluation of a small set: its files, its plots, its card, and that it can be run again."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.evaluation import __main__ as evaluation
from detector.evaluation import plots, robustness
from detector.evaluation.card import write_card
from detector.evaluation.measures import Outcome, sample_of
from detector.evaluation.plots import draw_outcomes
from detector.evaluation.reencoding import Quality
from detector.evaluation.steadiness import rows_of
from detector.tests.clips import face_clip, make_no_face, real_head
from detector.tests.tiny import write_tiny_weights

FACTS = {"cpu", "cores", "gpu", "torch", "truthlens", "commit", "weights_sha256", "split", "date"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five reals of five groups, one of them without a face, and a fake; a still."""
    folder = tmp_path_factory.mktemp("data")
    lines = []
    for number in range(6):
        fake, path = number == 5, folder / f"secret{number}.mp4"
        if number == 4:
            make_no_face(path)
        else:
            face_clip(path, seconds=0.8, size=(320, 180), fake=fake, crf=18 + number)
        source = "FF++-Deepfakes-c23" if fake else "FF++-original-c23"
        lines.append(f"{path.name},val,{'fake' if fake else 'real'},{source},hidden{number % 5},MIT")
    (folder / "videos.csv").write_text("file,split,label,source,group,licence\n" + "\n".join(lines))
    cv2.imwrite(str(folder / "still.png"), real_head()[..., ::-1])
    table = "file,split,source,licence,age,sex,group\nstill.png,val,s,MIT,41,f,x\n"
    (folder / "faces.csv").write_text(table)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_command_writes_every_file_and_a_second_run_judges_nothing_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = write_tiny_weights(tmp_path / "weights", bias=3.0)
    monkeypatch.setattr(robustness, "DEGRADATIONS", (Quality("half", 23, scale=0.5),))
    places = ["--data", str(data), "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    models = ["--model-path", str(weights), "--device", "cpu", "--processes", "1"]
    more = ["--robustness", "--faces", "--stability", "--time", "--audit", "--card"]
    evaluation.main([*places, *models, *more])
    assert "method Deepfakes" in capsys.readouterr().out
    folder = tmp_path / "out" / "tiny_lstm" / "val"
    check_files(folder)
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["metrics"]["val"]["all"]["clips"] == 6
    assert set(card["metrics"]["val"]["degraded"]) == {"as_is", "half"}

    before = contents(folder), next((tmp_path / "work").glob("*.jsonl")).read_bytes()
    evaluation.main([*places, *models, "--robustness", "--faces", "--stability"])
    assert (contents(folder), next((tmp_path / "work").glob("*.jsonl")).read_bytes()) == before


def contents(folder: Path) -> dict[str, object]:
    """Every file's bytes, and of tables their rows without what may differ from one minute to the next."""
    tables = {
        path.name: [{**row, "commit": "", "date": ""} for row in rows(path)] for path in folder.glob("*.csv")
    }
    return {**tables, **{path.name: path.read_bytes() for path in folder.glob("plots/*")}}


def check_files(folder: Path) -> None:
    names = ["figures", "clips", "robustness", "gates", "faces", "stability", "temporal", "audit"]
    for name in names:
        found = rows(folder / f"{name}.csv")
        assert found[0].keys() >= FACTS
        assert not [row for row in found if "secret" in str(row) or "hidden" in str(row)]
    figures = {(row["subset"], row["measure"]): row for row in rows(folder / "figures.csv")}
    assert figures["all", "reals_called_fake"]["value"] == f"{4 / 5:.4f}"
    assert figures["all", "coverage"]["value"] == f"{5 / 6:.4f}"
    assert ("all", "control_auc_sharpness") in figures
    clips = rows(folder / "clips.csv")
    assert len(clips) == 6
    assert len({row["group"] for row in clips}) == 5
    drops = [row for row in rows(folder / "robustness.csv") if row["measure"] == "auc_drop"]
    assert {row["degradation"] for row in drops} == {"half"}
    assert {row["people"] for row in rows(folder / "faces.csv")} == {"1", "5", "5 less 1"}
    judged = {
        r["people"]: float(r["value"]) for r in rows(folder / "faces.csv") if r["measure"] == "faces_judged"
    }
    assert judged["5"] > 3 * judged["1"] > 0
    drawn = {path.name for path in (folder / "plots").iterdir()}
    stems = ("roc", "reliability", "scores", "coverage", "robustness")
    assert drawn == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png")}


def test_the_check_is_measured_on_wrong_and_right_verdicts_apart() -> None:
    def made(fake: bool, verdict: str, group: str) -> Outcome:
        return Outcome(fake, group, "s", verdict, 0.5, 1.0)

    plain = [
        made(True, "fake", "a"),
        made(True, "fake", "b"),
        made(False, "fake", "c"),
        made(False, "inconclusive", "d"),
    ]
    checked = [
        made(True, "fake", "a"),
        made(True, "inconclusive", "b"),
        made(False, "inconclusive", "c"),
        plain[3],
    ]
    found = {row[1]: row for row in rows_of("all", plain, checked)}
    assert (found["right_turned_inconclusive"][2], found["right_turned_inconclusive"][5]) == ("0.5000", 2)
    assert (found["wrong_turned_inconclusive"][2], found["wrong_turned_inconclusive"][5]) == ("1.0000", 1)
    assert found["accuracy_of_decided_change"][2] == f"{1 - 2 / 3:.4f}"


def scored(count: int) -> list[Outcome]:
    rng = np.random.default_rng(2)
    return [
        Outcome(i % 2 == 0, f"g{i}", f"s{i % 3}", "fake", float(v), 1.0, "", "", 20.0 + i, 100.0, 300.0)
        for i, v in enumerate(rng.random(count))
    ]


def test_plots_have_the_same_bytes_again(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        draw_outcomes(tmp_path / folder, scored(30))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 8
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_where_one_label_is_missing_scores_are_drawn_alone(tmp_path: Path) -> None:
    draw_outcomes(tmp_path / "plots", [o for o in scored(20) if o.fake])
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {"scores"}


def test_the_curve_of_decided_clips_ends_at_the_share_that_has_a_probability() -> None:
    outcomes = [Outcome(True, "g", "s", "", p, 1.0) for p in (0.9, 0.2, None, 0.6)]
    shares, right = plots.coverage_points(sample_of(outcomes))
    assert shares.tolist() == [0.25, 0.5, 0.75]
    assert right.tolist() == pytest.approx([1.0, 0.5, 2 / 3])


def test_the_card_keeps_what_calibration_found_and_its_other_fields(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    old = {"auc_of_mean": 0.8, "gain": [0.0, -0.1, 0.1]}
    card.write_text(json.dumps({"name": "x", "metrics": {"tune": {"clips": old, "all": {"auc": [1, 1, 1]}}}}))
    write_card(card, "tune", {"date": "2026-01-02", "FF": {"auc": [0.5, 0.4, 0.6]}})
    found = json.loads(card.read_text())
    assert found["name"] == "x"
    assert found["metrics"]["tune"] == {"clips": old, "date": "2026-01-02", "FF": {"auc": [0.5, 0.4, 0.6]}}
    assert '"auc": [0.5, 0.4, 0.6]' in card.read_text()


def test_a_trial_takes_as_many_fakes_as_reals_and_the_same_clips_again(data: Path) -> None:
    chosen = evaluation.clips_of(data, "val", 2)
    assert [clip.fake for clip in chosen].count(True) == 1
    assert evaluation.clips_of(data, "val", 2) == chosen
    assert len(evaluation.clips_of(data, "val", 5)) == 5
