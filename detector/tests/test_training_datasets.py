"""The official layouts: labels, scenes, methods and splits, from trees of empty files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from detector.tests.trees import touch
from detector.training.datasets import celebdf, dfdc, dfdc_preview, faceforensics, plain
from detector.training.labels import Clip, DatasetError, find_layout, read_clips, terms_by_source

SPLITS = ("train", "val", "test")
METHODS = ("DeepFakeDetection", "Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")


def named(clips: list[Clip]) -> dict[str, Clip]:
    """By file name without its end, where these are unique."""
    found = {clip.path.stem: clip for clip in clips}
    assert len(found) == len(clips)
    return found


def assert_disjoint(clips: list[Clip]) -> None:
    """No group on two sides."""
    side: dict[str, str] = {}
    for clip in clips:
        assert side.setdefault(clip.group, clip.split) == clip.split


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


# FaceForensics++

PAIRS: Mapping[str, list[list[str]]] = {
    "train": [["001", "870"], ["002", "006"]],
    "val": [["720", "672"]],
    "test": [["953", "974"]],
}


def forensics(folder: Path, pairs: list[list[str]], compressions: tuple[str, ...] = ("c23",)) -> None:
    """Originals and all fakes of the pairs, and two actors who met."""
    for compression in compressions:
        reals = folder / "original_sequences"
        for a, b in pairs:
            touch(reals / "youtube" / compression / "videos", f"{a}.mp4", f"{b}.mp4")
            for method in METHODS[1:]:
                fakes = folder / "manipulated_sequences" / method / compression / "videos"
                touch(fakes, f"{a}_{b}.mp4", f"{b}_{a}.mp4")
        touch(reals / "actors" / compression / "videos", "01__kitchen_pan.mp4", "02__kitchen_pan.mp4")
        touch(
            folder / "manipulated_sequences" / METHODS[0] / compression / "videos",
            "01_02__kitchen_pan__ABCDEFGH.mp4",
        )


def official(folder: Path, place: str = "", splits: tuple[str, ...] = SPLITS) -> None:
    for split in splits:
        write_json(folder / place / f"{split}.json", PAIRS[split])


@pytest.mark.parametrize("place", ["", "splits"])
def test_faceforensics_follows_its_official_split(tmp_path: Path, place: str) -> None:
    forensics(tmp_path, [pair for pairs in PAIRS.values() for pair in pairs])
    official(tmp_path, place)
    for split in SPLITS:
        youtube = [c for c in read_clips(tmp_path, split) if "__" not in c.path.stem]
        assert {c.scene for c in youtube} == {number for pair in PAIRS[split] for number in pair}
        assert len([c for c in youtube if c.fake]) == 2 * 5 * len(PAIRS[split])
    assert_disjoint(faceforensics.read(tmp_path))


def test_faceforensics_clips_know_scene_method_and_compression(tmp_path: Path) -> None:
    forensics(tmp_path, [["033", "097"]], ("raw", "c40"))
    clips = faceforensics.read(tmp_path)
    assert {c.compression for c in clips} == {"c0", "c40"}
    assert {c.method for c in clips if c.fake} == set(METHODS)
    assert {c.method for c in clips if not c.fake} == {"original"}
    swap = next(c for c in clips if c.source == "FF++-FaceSwap-c40" and c.path.stem == "033_097")
    real = next(c for c in clips if c.source == "FF++-original-c40" and c.path.stem == "033")
    assert (swap.scene, swap.group) == (real.scene, real.group)
    assert swap.fake
    assert not real.fake


def test_a_fake_of_two_actors_shares_the_scene_of_its_target(tmp_path: Path) -> None:
    forensics(tmp_path, [])
    actors = named(faceforensics.read(tmp_path))
    fake = actors["01_02__kitchen_pan__ABCDEFGH"]
    assert fake.source == "FF++-DeepFakeDetection-c23"
    assert fake.scene == actors["01__kitchen_pan"].scene != actors["02__kitchen_pan"].scene
    assert fake.group == actors["01__kitchen_pan"].group == actors["02__kitchen_pan"].group


def test_without_split_files_a_fake_joins_both_its_people(tmp_path: Path) -> None:
    forensics(tmp_path, [[f"{n:03}", f"{n + 1:03}"] for n in range(0, 120, 2)])
    clips = [c for c in faceforensics.read(tmp_path) if "__" not in c.path.stem]
    assert len({c.group for c in clips}) == 60
    assert {c.split for c in clips} == {"train", "val"}
    assert_disjoint(clips)


def test_a_chain_of_fakes_is_one_group(tmp_path: Path) -> None:
    fakes = tmp_path / "manipulated_sequences" / "Deepfakes" / "c23" / "videos"
    touch(fakes, "001_002.mp4", "003_002.mp4", "003_004.mp4", "005_006.mp4")
    groups = [c.group for c in faceforensics.read(tmp_path)]
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_official_pairs_stay_together_also_without_their_fakes(tmp_path: Path) -> None:
    touch(tmp_path / "original_sequences" / "youtube" / "c23" / "videos", "001.mp4", "870.mp4")
    official(tmp_path)
    assert len({c.group for c in read_clips(tmp_path, "train")}) == 1


def test_clips_that_the_official_split_has_no_place_for_are_left_out(tmp_path: Path) -> None:
    """An id that it doesn't list may belong to a side whose file is missing."""
    forensics(tmp_path, [["001", "870"], ["001", "720"], ["123", "124"]])
    official(tmp_path)
    names = {c.path.stem for c in faceforensics.read(tmp_path)}
    assert {"001", "870", "720", "001_870"} <= names
    assert not names & {"001_720", "720_001", "123", "123_124"}


def test_with_the_official_test_alone_the_rest_is_parted_by_hash(tmp_path: Path) -> None:
    forensics(tmp_path, [["953", "974"], *([f"{n:03}", f"{n + 1:03}"] for n in range(0, 60, 2))])
    official(tmp_path, splits=("test",))
    assert {c.scene for c in read_clips(tmp_path, "test")} == {"953", "974"}
    assert {c.split for c in faceforensics.read(tmp_path)} == set(SPLITS)


# Celeb-DF


def celebrities(folder: Path) -> None:
    touch(folder / "Celeb-real", "id0_0000.mp4", "id1_0007.mp4", "id1_0003.mp4", "id5_0000.mp4")
    touch(folder / "Celeb-synthesis", "id1_id0_0007.mp4", "id0_id1_0000.mp4", "id5_id6_0000.mp4")
    touch(folder / "YouTube-real", *(f"{n:05}.mp4" for n in range(40)))


def test_celebdf_joins_the_people_of_a_fake(tmp_path: Path) -> None:
    celebrities(tmp_path)
    clips = named(celebdf.read(tmp_path))
    fake = clips["id1_id0_0007"]
    assert fake.fake
    assert fake.scene == clips["id1_0007"].scene != clips["id1_0003"].scene
    assert fake.group == clips["id0_0000"].group == clips["id1_0003"].group != clips["id5_0000"].group
    assert len({c.group for c in clips.values() if c.source == "Celeb-DF-YouTube"}) == 40
    assert {c.split for c in clips.values()} == {"train", "val"}
    assert_disjoint(list(clips.values()))


def test_the_test_list_of_celebdf_is_kept_whole_and_its_people_leave_train(tmp_path: Path) -> None:
    celebrities(tmp_path)
    listed = ["1 Celeb-real/id1_0007.mp4", "0 Celeb-synthesis/id1_id0_0007.mp4", "1 YouTube-real/00003.mp4"]
    (tmp_path / "List_of_testing_videos.txt").write_text("\n".join(listed) + "\n")
    test = read_clips(tmp_path, "test")
    assert sorted((c.path.stem, c.fake) for c in test) == [
        ("00003", False),
        ("id1_0007", False),
        ("id1_id0_0007", True),
    ]
    clips = named(celebdf.read(tmp_path))
    assert not {"id0_0000", "id1_0003", "id0_id1_0000"} & clips.keys()
    assert {"id5_0000", "id5_id6_0000"} <= clips.keys()
    assert_disjoint(list(clips.values()))


# DFDC


def dfdc_part(folder: Path, numbers: range) -> None:
    """Originals with two fakes each; the last fake's file is missing."""
    rows: dict[str, dict[str, str]] = {}
    for n in numbers:
        rows[f"real{n}.mp4"] = {"label": "REAL", "split": "train"}
        for k in range(2):
            rows[f"fake{n}{k}.mp4"] = {"label": "FAKE", "split": "train", "original": f"real{n}.mp4"}
    write_json(folder / "metadata.json", rows)
    touch(folder, *list(rows)[:-1])


def test_dfdc_fakes_stay_with_their_original(tmp_path: Path) -> None:
    dfdc_part(tmp_path / "dfdc_train_part_0", range(30))
    dfdc_part(tmp_path / "dfdc_train_part_1", range(30, 40))
    clips = named(dfdc.read(tmp_path))
    assert len(clips) == 3 * 40 - 2
    assert clips["fake50"].fake
    assert clips["fake50"].group == clips["fake51"].group == clips["real5"].group != clips["real6"].group
    assert clips["fake50"].scene == clips["real5"].scene
    assert {c.split for c in clips.values()} == {"train", "val"}
    assert_disjoint(list(clips.values()))


def test_one_part_of_dfdc_is_read_by_itself(tmp_path: Path) -> None:
    dfdc_part(tmp_path, range(20))
    assert find_layout(tmp_path).name == "DFDC"
    assert sum(c.fake for c in dfdc.read(tmp_path)) == 39


def test_the_whole_of_dfdc_has_three_official_sides(tmp_path: Path) -> None:
    dfdc_part(tmp_path / "train" / "dfdc_train_part_0", range(10))
    touch(tmp_path / "validation", "v1.mp4", "v2.mp4")
    (tmp_path / "validation" / "labels.csv").write_text("filename,label\nv1.mp4,0\nv2.mp4,1\nv3.mp4,1\n")
    rows = {"t1.mp4": {"is_fake": 1, "augmentations": {}}, "t2.mp4": {"is_fake": 0, "augmentations": {}}}
    write_json(tmp_path / "test" / "metadata.json", rows)
    touch(tmp_path / "test", "t1.mp4", "t2.mp4")
    assert len(read_clips(tmp_path, "train")) == 29
    assert {c.path.stem: c.fake for c in read_clips(tmp_path, "val")} == {"v1": False, "v2": True}
    assert {c.path.stem: c.fake for c in read_clips(tmp_path, "test")} == {"t1": True, "t2": False}


@pytest.mark.parametrize("content", [["a.mp4"], {"a.mp4": 1}, {"a.mp4": {"title": "A"}}])
def test_metadata_of_another_kind_is_refused(tmp_path: Path, content: object) -> None:
    touch(tmp_path, "a.mp4")
    write_json(tmp_path / "metadata.json", content)
    with pytest.raises(DatasetError, match=r"metadata\.json"):
        read_clips(tmp_path, "train")


def preview_row(label: str, side: str, target: int, swapped: int | None, changes: list[str]) -> object:
    return {
        "label": label,
        "set": side,
        "target_id": target,
        "swapped_id": swapped,
        "augmentations": changes,
    }


def test_the_preview_of_dfdc_joins_target_and_swapped_people(tmp_path: Path) -> None:
    rows = {
        "original_videos/10/10_A_001.mp4": preview_row("real", "train", 10, None, []),
        "original_videos/20/20_B_001.mp4": preview_row("real", "train", 20, None, []),
        "method_A/10/10_A/20_10_A_001.mp4": preview_row("fake", "train", 10, 20, []),
        "method_B/10/10_A/20_10_A_002.mp4": preview_row("fake", "train", 10, 20, ["resolution"]),
        "original_videos/30/30_C_001.mp4": preview_row("real", "test", 30, None, []),
        "original_videos/40/40_C_001.mp4": preview_row("real", "train", 40, None, []),
    }
    write_json(tmp_path / "dataset.json", rows)
    touch(tmp_path, *list(rows)[:-1])
    clips = named(dfdc_preview.read(tmp_path))
    fake = clips["20_10_A_001"]
    assert (fake.method, fake.compression, fake.scene) == ("method_A", "", clips["10_A_001"].scene)
    assert clips["20_10_A_002"].compression == "resolution"
    assert fake.group == clips["10_A_001"].group == clips["20_B_001"].group
    assert [c.path.stem for c in read_clips(tmp_path, "test")] == ["30_C_001"]
    assert "40_C_001" not in clips
    assert_disjoint(list(clips.values()))


# A plain folder


def test_in_a_plain_folder_every_file_is_a_group(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{label}/{n}.mp4" for label in ("real", "fake") for n in range(40)), "real/notes.txt")
    clips = plain.read(tmp_path)
    assert sum(c.fake for c in clips) == 40
    assert len({c.group for c in clips}) == len({c.scene for c in clips}) == 80
    assert {c.split for c in clips} == {"train", "val"}


def test_folders_inside_fake_name_methods(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mov", "fake/swap/b.MP4", "fake/c.avi")
    methods = {c.path.stem: (c.source, c.method) for c in plain.read(tmp_path)}
    assert methods == {"a": ("real", ""), "b": ("fake-swap", "swap"), "c": ("fake", "")}


def test_a_plain_folder_is_grouped_and_parted_as_its_table_says(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mp4", "real/b.mp4", "fake/a2.mp4", "fake/c.mp4")
    table = "file,group,scene,split\nreal/a.mp4,anna,walk,val\nfake/a2.mp4,anna,walk,val\nreal/b.mp4,ben,,\n"
    (tmp_path / "groups.csv").write_text(table)
    clips = named(plain.read(tmp_path))
    assert (clips["a"].group, clips["a"].scene) == (clips["a2"].group, clips["a2"].scene) == ("anna", "walk")
    assert {c.path.stem for c in read_clips(tmp_path, "val")} >= {"a", "a2"}
    assert clips["b"].group == "ben"
    assert clips["c"].group == "fake/c.mp4"


def test_a_table_of_groups_that_names_a_missing_file_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mp4", "fake/b.mp4")
    (tmp_path / "groups.csv").write_text("file,group\nreal/x.mp4,g\n")
    with pytest.raises(DatasetError, match=r"real/x\.mp4, which is not there"):
        read_clips(tmp_path, "train")


def test_a_table_of_groups_with_an_unknown_split_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mp4", "fake/b.mp4")
    (tmp_path / "groups.csv").write_text("file,group,split\nreal/a.mp4,g,dev\n")
    with pytest.raises(DatasetError, match=r"real/a\.mp4 is in the split dev\. Known are test, val, train"):
        read_clips(tmp_path, "train")


# What they have in common


def test_every_layout_is_known_by_what_is_in_the_folder(tmp_path: Path) -> None:
    forensics(tmp_path / "a", [["001", "002"]])
    celebrities(tmp_path / "b")
    dfdc_part(tmp_path / "c" / "dfdc_train_part_0", range(2))
    write_json(tmp_path / "d" / "dataset.json", {})
    touch(tmp_path / "e", "real/a.mp4", "fake/b.mp4")
    names = [find_layout(tmp_path / folder).name for folder in "abcde"]
    assert names == ["FaceForensics++", "Celeb-DF", "DFDC", "DFDC preview", "plain"]


def test_official_sets_come_with_terms_that_their_name_tells(tmp_path: Path) -> None:
    forensics(tmp_path, [["001", "870"]])
    official(tmp_path)
    terms = terms_by_source(tmp_path, "train")
    assert terms["FF++-Deepfakes-c23"] == {"files": 2, "terms": faceforensics.TERMS}
    assert terms["FF++-original-c23"]["files"] == 2
    assert "research only" in faceforensics.TERMS
