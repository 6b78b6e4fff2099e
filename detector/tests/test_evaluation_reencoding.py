"""Clips in another quality, and several side by side."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from detector.evaluation.crowds import CELL_PX, PEOPLE, Tiled, crowds
from detector.evaluation.reencoding import DEGRADATIONS, Quality, reencode
from detector.tests.clips import face_clip, make_audio_only, make_zero_frames
from detector.training.labels import Clip

Pictures = npt.NDArray[np.uint8]


def pictures(path: Path) -> Pictures:
    with av.open(str(path)) as clip:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)])


def detail(shown: Pictures) -> float:
    """Mean difference of neighbouring pixels."""
    return float(np.abs(np.diff(shown.astype(np.int16), axis=2)).mean())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=0.4, size=(320, 180), vfr=True)


def made(clip: Path, folder: Path, quality: Quality) -> Path:
    target = folder / f"{quality.name}.mp4"
    reencode(clip, target, quality)
    return target


def test_every_degradation_keeps_the_frames_and_does_what_its_name_says(clip: Path, tmp_path: Path) -> None:
    before = pictures(clip)
    sizes = {quality.name: made(clip, tmp_path, quality).stat().st_size for quality in DEGRADATIONS}
    after = {quality.name: pictures(tmp_path / f"{quality.name}.mp4") for quality in DEGRADATIONS}
    assert {len(shown) for shown in after.values()} == {len(before)}
    assert sizes["crf23"] > sizes["crf32"] > sizes["crf40"]
    assert after["half_crf23"].shape[1:3] == (90, 160)
    assert after["quarter_crf23"].shape[1:3] == (44, 80)
    assert detail(after["blur2px_crf23"]) < 0.7 * detail(after["crf23"])
    assert detail(after["noise10_crf23"]) > 1.3 * detail(after["crf23"])


def test_times_stay(clip: Path, tmp_path: Path) -> None:
    target = made(clip, tmp_path, Quality("blur", 23, blur=1.0))
    with av.open(str(clip)) as one, av.open(str(target)) as other:
        times = [[float(f.time or 0) for f in c.decode(video=0)] for c in (one, other)]
    assert times[1] == pytest.approx(times[0], abs=0.002)


def test_a_rotated_clip_stays_rotated(tmp_path: Path) -> None:
    source = face_clip(tmp_path / "side.mp4", seconds=0.2, size=(320, 180), rotation=90)
    target = made(source, tmp_path, Quality("plain", 23))
    with av.open(str(source)) as one, av.open(str(target)) as other:
        turns = [next(c.decode(video=0)).rotation for c in (one, other)]
    assert turns[0] == turns[1] != 0


def test_noise_is_the_same_in_every_run(clip: Path, tmp_path: Path) -> None:
    quality = Quality("noise", 23, noise=10.0)
    first = made(clip, tmp_path, quality).read_bytes()
    assert made(clip, tmp_path, quality).read_bytes() == first


def test_a_clip_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"):
        reencode(make_zero_frames(tmp_path / "none.mp4"), tmp_path / "out.mp4", Quality("plain", 23))
    with pytest.raises((ValueError, IndexError)):
        reencode(make_audio_only(tmp_path / "sound.mp4"), tmp_path / "out.mp4", Quality("plain", 23))


def test_five_clips_are_shown_side_by_side_until_the_shortest_ends(tmp_path: Path) -> None:
    sizes = [(320, 180), (180, 320), (320, 180), (640, 360), (320, 180)]
    paths = [
        face_clip(tmp_path / f"{i}.mp4", seconds=0.2 + 0.08 * i, size=size) for i, size in enumerate(sizes)
    ]
    Tiled().make(paths, tmp_path / "five.mp4")
    shown = pictures(tmp_path / "five.mp4")
    assert shown.shape == (5, 2 * CELL_PX, 3 * CELL_PX, 3)
    cells = [shown[0, CELL_PX * (i // 3) :, CELL_PX * (i % 3) :][:CELL_PX, :CELL_PX] for i in range(6)]
    assert all(cell.std() > 20 for cell in cells[:5])
    assert cells[5].std() < 3
    Tiled().make(paths[:1], tmp_path / "one.mp4")
    alone = pictures(tmp_path / "one.mp4")
    assert alone.shape[1:3] == (CELL_PX, CELL_PX)
    assert np.abs(alone[0].astype(int) - cells[0]).mean() < 4


def labelled(count: int, fakes: int) -> list[Clip]:
    reals = [Clip(Path(f"r{i}.mp4"), False, "s", f"g{i}", "val") for i in range(count)]
    return [*reals, *(Clip(Path(f"f{i}.mp4"), True, "s", f"g{i}", "val") for i in range(fakes))]


def test_a_crowd_is_five_groups_with_at_most_one_fake() -> None:
    clips = labelled(8, 4)
    found = crowds(clips)
    assert [crowd.centre for crowd in found] == clips
    for crowd in found:
        assert len({member.group for member in crowd.members}) == len(crowd.members) == PEOPLE
        assert [m for m in crowd.members if m.fake] == ([crowd.centre] if crowd.centre.fake else [])
    assert crowds(clips) == found


def test_too_few_people_make_no_crowd() -> None:
    assert crowds(labelled(4, 4)) == []
