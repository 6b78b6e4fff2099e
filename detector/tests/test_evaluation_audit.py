"""False alarms on still faces by kinds of people."""

from pathlib import Path

import cv2
import pytest

from detector.config import DetectorConfig
from detector.engine import engine_for
from detector.evaluation.audit import Portrait, Score, audit_rows, read_portraits, score
from detector.evaluation.measures import wilson
from detector.tests.clips import background, real_head
from detector.tests.tiny import write_tiny_weights


def test_a_still_is_judged_by_its_largest_face_and_one_without_a_face_not_at_all(tmp_path: Path) -> None:
    weights = write_tiny_weights(tmp_path, bias=3.0)
    engine = engine_for(DetectorConfig(model_path=weights, device="cpu"))
    for name, picture in {"head": real_head(), "wall": background((320, 180))}.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture[..., ::-1])
    head, wall, missing = (
        score(engine, Portrait(tmp_path / f"{n}.png", "s"), 0.7) for n in ("head", "wall", "no")
    )
    assert head.verdict == "fake"
    assert head.probability is not None
    assert head.probability > 0.7
    assert (
        (wall.verdict, wall.probability) == (missing.verdict, missing.probability) == ("inconclusive", None)
    )


@pytest.mark.parametrize(
    ("age", "band"), [("1", "0-12"), ("17", "13-17"), ("45", "45-59"), ("110", "75 and over"), ("", "")]
)
def test_ages_fall_into_bands(age: str, band: str) -> None:
    assert Portrait(Path("x.jpg"), "s", age).age_band == band


def test_rates_are_given_for_each_kind_of_people_with_n() -> None:
    people = [("25", "f", "a"), ("27", "f", "b"), ("80", "m", "a"), ("", "", "")]
    verdicts = ["fake", "real", "inconclusive", "real"]
    scores = [
        Score(Portrait(Path("x"), "s", *person), verdict, 0.8 if verdict == "fake" else 0.2)
        for person, verdict in zip(people, verdicts, strict=True)
    ]
    rows = {(row[0], row[1], row[2]): row[3:] for row in audit_rows(scores)}
    low, high = wilson(1, 2)
    assert rows["sex", "f", "called_fake"] == ["0.5000", f"{low:.4f}", f"{high:.4f}", 2]
    assert rows["all", "all", "called_fake"][0] == "0.2500"
    assert rows["age", "75 and over", "inconclusive"][0] == "1.0000"
    assert rows["group_and_sex", "a m", "called_fake"][-1] == 1
    assert [row[1] for row in audit_rows(scores) if row[0] == "age"][::4] == ["18-29", "75 and over"]


def test_portraits_are_read_by_split_and_a_folder_without_any_has_none(tmp_path: Path) -> None:
    assert read_portraits(tmp_path, "val") == []
    rows = "a.jpg,val,utk,MIT,30,f,x\nb.jpg,train,utk,MIT,31,m,y\nc.jpg,val,other,MIT,,,\n"
    (tmp_path / "faces.csv").write_text("file,split,source,licence,age,sex,group\n" + rows)
    found = read_portraits(tmp_path, "val")
    assert [(p.path.name, p.age, p.sex) for p in found] == [("a.jpg", "30", "f"), ("c.jpg", "", "")]
