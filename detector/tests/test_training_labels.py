"""Splits part whole groups, always the same way; a folder is known by what is in it."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.tests.trees import touch
from detector.training.datasets.clips import Entry
from detector.training.datasets.groups import placed
from detector.training.labels import (
    Clip,
    DatasetError,
    fit_and_tune,
    folds,
    read_clips,
    read_stills,
    terms_by_source,
)

HEADER = "file,split,label,source,group,licence\n"
ROWS = "a.mp4,train,fake,swap,g1,MIT\nb.mp4,train,real,orig,g1,MIT\nc.mp4,val,real,orig,g2,BSD\n"
NAMES = st.sampled_from("abcdefghij")
PEOPLE = st.lists(NAMES, min_size=1, max_size=3).map(tuple)


def clip(name: str, fake: bool = False, group: str = "", split: str = "") -> Clip:
    return Clip(Path(f"{name}.mp4"), fake, "s", group, split)


def entries(listed: list[tuple[tuple[str, ...], str]]) -> list[Entry]:
    return [Entry(clip(str(i), split=split), people) for i, (people, split) in enumerate(listed)]


def sides(clips: list[Clip]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in clips:
        found.setdefault(item.group, set()).add(item.split)
    return found


# The table


def test_a_table_is_read_by_split(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text(HEADER + ROWS)
    assert [c.path.name for c in read_clips(tmp_path, "train") if c.fake] == ["a.mp4"]
    assert len(read_clips(tmp_path, "train")) == 2
    assert [c.group for c in read_clips(tmp_path, "val")] == ["g2"]


def test_a_table_states_the_terms_of_each_source(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text(HEADER + ROWS)
    stated = {"orig": {"files": 1, "terms": "BSD"}}
    assert terms_by_source(tmp_path / "videos.csv", "val") == stated
    assert terms_by_source(tmp_path, "val") == stated
    assert terms_by_source(tmp_path / "faces.csv", "val") == {}


def test_several_terms_of_one_source_are_all_stated(tmp_path: Path) -> None:
    lines = [f"{n}.mp4,train,real,orig,g{n},{'BSD' if n else 'MIT'}\n" for n in range(3)]
    (tmp_path / "videos.csv").write_text(HEADER + "".join(lines))
    assert terms_by_source(tmp_path, "train") == {"orig": {"files": 3, "terms": "BSD (2 of 3); MIT (1 of 3)"}}


def test_a_table_without_licences_says_that_terms_are_not_stated(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text("file,split,label,source,group\na.mp4,train,real,mine,g\n")
    assert terms_by_source(tmp_path, "train") == {"mine": {"files": 1, "terms": "Not stated"}}


def test_a_table_with_a_group_on_two_sides_is_refused(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text(HEADER + ROWS + "d.mp4,val,fake,swap,g1,MIT\n")
    with pytest.raises(DatasetError, match="group g1 is in train and in val"):
        read_clips(tmp_path, "train")


def test_stills_are_read_by_split_and_are_none_without_their_table(tmp_path: Path) -> None:
    assert read_stills(tmp_path, "train") == []
    (tmp_path / "faces.csv").write_text("file,split,source,licence\na.jpg,train,x,MIT\nb.jpg,val,x,MIT\n")
    assert [still.path.name for still in read_stills(tmp_path, "train")] == ["a.jpg"]


# Which layout it is


def test_a_folder_in_no_known_layout_is_refused_with_the_layouts_that_are_known(tmp_path: Path) -> None:
    touch(tmp_path, "clips/a.mp4")
    with pytest.raises(DatasetError) as error:
        read_clips(tmp_path, "train")
    for name in ("videos.csv", "FaceForensics++", "Celeb-DF", "DFDC", "real/ and fake/"):
        assert name in str(error.value)


def test_a_split_that_a_set_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text(HEADER + ROWS)
    with pytest.raises(DatasetError, match=r"no clips of the split test. It has: train, val"):
        read_clips(tmp_path, "test")


# Groups


@settings(deadline=None)
@given(st.lists(st.tuples(PEOPLE, st.just("")), max_size=30))
def test_people_who_share_a_clip_are_one_group_on_one_side(listed: list[tuple[tuple[str, ...], str]]) -> None:
    clips = placed(entries(listed))
    assert len(clips) == len(listed)
    group_of: dict[str, str] = {}
    for (people, _), item in zip(listed, clips, strict=True):
        for name in people:
            assert group_of.setdefault(name, item.group) == item.group
    assert all(len(found) == 1 for found in sides(clips).values())


@settings(deadline=None)
@given(st.lists(st.tuples(PEOPLE, st.sampled_from(["", "train", "val", "test"])), max_size=30))
def test_no_group_is_on_two_sides_whatever_a_set_states(listed: list[tuple[tuple[str, ...], str]]) -> None:
    clips = placed(entries(listed))
    assert all(len(found) == 1 and "" not in found for found in sides(clips).values())
    in_test = {str(i) for i, (_, split) in enumerate(listed) if split == "test"}
    assert {item.path.stem for item in clips if item.split == "test"} == in_test


@settings(deadline=None)
@given(st.lists(st.tuples(PEOPLE, st.just("")), min_size=1, max_size=30))
def test_the_order_of_the_clips_changes_no_side(listed: list[tuple[tuple[str, ...], str]]) -> None:
    items = entries(listed)
    placed_once = {item.path: (item.group, item.split) for item in placed(items)}
    assert {item.path: (item.group, item.split) for item in placed(items[::-1])} == placed_once


def test_about_one_group_in_five_is_for_validation() -> None:
    clips = placed([Entry(clip(str(i)), (f"person{i // 3}",)) for i in range(900)])
    assert 0.14 < sum(item.split == "val" for item in clips) / 900 < 0.26


def test_no_group_is_both_fit_and_tune_and_one_in_five_is_kept_for_tuning() -> None:
    clips = [clip(str(i), i % 2 == 0, f"g{i // 3}", "train") for i in range(900)]
    fit, tune = fit_and_tune(clips)
    assert len(fit) + len(tune) == 900
    assert not {c.group for c in fit} & {c.group for c in tune}
    assert 0.14 < len(tune) / 900 < 0.26
    assert fit_and_tune(reversed(clips))[1] == tune[::-1]


# Cross-validation

LABELLED = st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=60)


def labelled(listed: list[tuple[str, bool]]) -> list[Clip]:
    return [clip(str(i), fake, group, "train") for i, (group, fake) in enumerate(listed)]


@settings(deadline=None)
@given(LABELLED, st.integers(2, 5))
def test_folds_part_whole_groups_and_lose_no_clip(listed: list[tuple[str, bool]], count: int) -> None:
    clips = labelled(listed)
    parts = folds(clips, count)
    assert len(parts) == count
    assert sorted(item.path for part in parts for item in part) == sorted(item.path for item in clips)
    assert all(n == 1 for n in Counter(g for part in parts for g in {item.group for item in part}).values())


@settings(deadline=None)
@given(LABELLED, st.integers(2, 5))
def test_every_fold_has_both_labels_where_there_are_groups_enough(
    listed: list[tuple[str, bool]], count: int
) -> None:
    clips = labelled(listed)
    enough = [len({c.group for c in clips if c.fake == label}) >= count for label in (False, True)]
    if all(enough):
        assert all({c.fake for c in part} == {False, True} for part in folds(clips, count))


@settings(deadline=None)
@given(LABELLED, st.integers(2, 5))
def test_folds_do_not_depend_on_the_order_of_the_clips(listed: list[tuple[str, bool]], count: int) -> None:
    clips = labelled(listed)
    assert [set(part) for part in folds(clips, count)] == [set(part) for part in folds(clips[::-1], count)]


def test_folds_are_about_even_in_reals_and_in_fakes() -> None:
    clips = [clip(f"{g}-{i}", i > 0, f"g{g}", "train") for g in range(100) for i in range(1 + g % 4)]
    parts = folds(clips, 5)
    assert [sum(not c.fake for c in part) for part in parts] == [20] * 5
    assert max(len(part) for part in parts) - min(len(part) for part in parts) <= 2


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(ValueError, match="two folds"):
        folds([clip("a")], 1)
