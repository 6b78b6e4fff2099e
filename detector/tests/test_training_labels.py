"""Splits part whole groups, always the same way."""

from pathlib import Path

from detector.training.labels import Clip, fit_and_tune, read_clips, terms_by_source

HEADER = "file,split,label,source,group,licence\n"


def test_a_table_is_read_by_split(tmp_path: Path) -> None:
    rows = "a.mp4,train,fake,swap,g1,MIT\nb.mp4,train,real,orig,g1,MIT\nc.mp4,val,real,orig,g2,BSD\n"
    (tmp_path / "videos.csv").write_text(HEADER + rows)
    assert [c.path.name for c in read_clips(tmp_path, "train") if c.fake] == ["a.mp4"]
    assert len(read_clips(tmp_path, "train")) == 2
    assert [c.group for c in read_clips(tmp_path, "val")] == ["g2"]
    assert terms_by_source(tmp_path / "videos.csv", "val") == {"orig": {"files": 1, "terms": "BSD"}}


def test_no_group_is_on_both_sides_and_one_in_five_is_kept_for_tuning() -> None:
    clips = [Clip(Path(f"{i}.mp4"), i % 2 == 0, "s", f"g{i // 3}", "train") for i in range(900)]
    fit, tune = fit_and_tune(clips)
    assert len(fit) + len(tune) == 900
    assert not {c.group for c in fit} & {c.group for c in tune}
    assert 0.14 < len(tune) / 900 < 0.26
    assert fit_and_tune(reversed(clips))[1] == tune[::-1]
