"""Pseudo-fakes and training pairs: what is changed, what is not, and that draws can be replayed."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.config import MARGIN
from detector.faces import make_finder
from detector.tests.scenes import walk
from detector.tracks import FaceTracker, Sighting
from detector.training import windows
from detector.training.augmentation import Qualities, draw_quality, draw_view
from detector.training.blending import Recipe, cross_blend, draw_recipe, face_mask, self_blend
from detector.training.cache import (
    CACHE_PX,
    WIDEN,
    CachedFaces,
    as_served,
    cache_name,
    landmarks_in_crop,
    main_face,
)
from detector.training.eigenfaces import FACE_PX, aligned, decoded_blend, fit, kept
from detector.training.labels import Clip
from detector.training.samples import PairSampler, Shares, true_pairs
from detector.training.windows import KINDS, draw_window, face_sources, window_pairs


def followed(**how: Any) -> list[Sighting]:
    tracker = FaceTracker(make_finder("mtcnn"), **how)
    return sorted(tracker.follow(walk(30) + walk(30, window=1, start=100)), key=lambda seen: seen.frame)


@pytest.fixture(scope="module")
def faces() -> CachedFaces:
    """Sixty cached crops of one face in two windows."""
    seen = followed(crop_px=CACHE_PX, widen=WIDEN)
    return CachedFaces(
        name="walk",
        crops=np.stack([s.crop for s in seen]),
        landmarks=np.stack([landmarks_in_crop(s.landmarks, s.place) for s in seen]),
        track=np.array([s.track for s in seen], np.int32),
        window=np.array([s.window for s in seen], np.int32),
        frame=np.array([s.frame for s in seen], np.int32),
    )


@pytest.fixture(scope="module")
def sampler(faces: CachedFaces) -> PairSampler:
    pairs = {"swap": [(faces, replace(faces, crops=255 - faces.crops))]}
    return PairSampler({"g": [faces]}, [faces], [faces], pairs, fit([faces]), Shares())


def recipe(seed: int = 0) -> Recipe:
    return draw_recipe(np.random.default_rng(seed))


@pytest.mark.parametrize("margin", [MARGIN, 1.16])
def test_out_of_the_cache_come_the_crops_that_serving_cuts(faces: CachedFaces, margin: float) -> None:
    cut = np.array([seen.crop for seen in followed(widen=margin / MARGIN)])
    apart = np.abs(as_served(faces.crops, margin).astype(int) - cut).mean()
    assert apart < 3
    assert apart < np.abs(as_served(faces.crops, 1.05 * margin).astype(int) - cut).mean() / 2


def test_landmarks_of_a_crop_lie_on_the_face(faces: CachedFaces) -> None:
    eyes, mouth = faces.landmarks[0][:2], faces.landmarks[0][3:]
    assert np.all((faces.landmarks > 0) & (faces.landmarks < CACHE_PX))
    assert eyes[:, 1].max() < mouth[:, 1].min()
    assert abs(eyes[0, 1] - eyes[1, 1]) < 6  # level


def test_a_self_blend_changes_the_face_and_can_be_replayed(faces: CachedFaces) -> None:
    crop, points = np.array(faces.crops[0]), faces.landmarks[0]
    for seed in range(8):
        fake = self_blend(crop, points, recipe(seed))
        assert np.array_equal(fake, self_blend(crop, points, recipe(seed)))
        assert not np.array_equal(fake, crop)


def test_when_the_source_is_changed_the_surroundings_stay(faces: CachedFaces) -> None:
    crop, points = np.array(faces.crops[0]), faces.landmarks[0]
    changed = replace(recipe(1), change_source=True, outline="mouth", ratio=1.0)
    fake = self_blend(crop, points, changed)
    assert np.array_equal(fake[:20], crop[:20])


def test_a_mask_covers_its_part_of_the_face_and_fades_out(faces: CachedFaces) -> None:
    points = faces.landmarks[0]
    mask = face_mask(points, CACHE_PX, replace(recipe(2), outline="face", wobble=0.0, elastic_px=2.0))
    nose = tuple(np.round(points[2]).astype(int)[::-1])
    assert mask[nose] > 0.95
    assert mask[:5].max() == 0
    assert ((mask > 0.05) & (mask < 0.95)).any()


def test_a_cross_blend_keeps_the_surroundings(faces: CachedFaces) -> None:
    crop, points = np.array(faces.crops[0]), faces.landmarks[0]
    other = np.ascontiguousarray(crop[:, ::-1])
    fake = cross_blend(crop, points, other, points, replace(recipe(3), outline="mouth"))
    assert np.array_equal(fake[:20], crop[:20])
    assert not np.array_equal(fake, crop)


def test_one_draw_treats_both_members_of_a_pair_alike(faces: CachedFaces) -> None:
    crop = np.array(faces.crops[0])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        view, quality = draw_view(rng, CACHE_PX), draw_quality(rng, Qualities())
        assert np.array_equal(quality([view(crop)]), quality([view(crop.copy())]))


def test_pairs_are_model_input_and_differ(sampler: PairSampler) -> None:
    for real, fake, _ in islice(sampler.pairs(np.random.default_rng(5)), 20):
        assert real.shape == fake.shape == (224, 224, 3)
        assert real.dtype == fake.dtype == np.uint8
        assert not np.array_equal(real, fake)


def test_a_seed_fixes_the_pairs(sampler: PairSampler) -> None:
    first, second = (
        [pair[1] for pair in islice(sampler.pairs(np.random.default_rng(9)), 4)] for _ in range(2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_window_is_consecutive_frames_of_one_window(faces: CachedFaces) -> None:
    window = draw_window(faces, np.random.default_rng(0), 20)
    assert window is not None
    assert len(window.crops) == len(window.landmarks) == 20
    assert draw_window(faces, np.random.default_rng(0), 31) is None


def test_windows_of_every_kind_are_drawn(sampler: PairSampler) -> None:
    kinds = set()
    for pair in islice(window_pairs(sampler, np.random.default_rng(1), 8), 60):
        kinds.add(pair.kind)
        assert len(pair.real) == len(pair.fake) == 8
        assert {image.shape for image in (*pair.real, *pair.fake)} == {(224, 224, 3)}
    assert kinds == set(KINDS)


def test_a_true_fake_and_its_real_clip_show_the_same_part(faces: CachedFaces) -> None:
    """Also where the face was lost in one part of the fake: parts are counted by what they are."""
    later = faces.window == 1
    fields = ("crops", "landmarks", "track", "window", "frame")
    fake = replace(faces, name="fake", **{name: getattr(faces, name)[later] for name in fields})
    short = PairSampler({"g": [faces]}, [faces], [faces], {"swap": [(faces, fake)]}, fit([faces]), Shares())
    for seed in range(6):
        pair = windows._true_pair(short, np.random.default_rng(seed), 8, "lag")
        assert pair is not None
        assert pair.name == "walk"
        assert all(np.array_equal(a, b) for a, b in zip(pair.real, pair.fake, strict=True))


@pytest.mark.parametrize("kind", ["lag", "freeze"])
def test_a_face_out_of_step_is_taken_from_earlier_frames(kind: str) -> None:
    sources = face_sources(kind, 30, np.random.default_rng(2))
    assert all(0 <= source <= at for at, source in enumerate(sources))
    assert sources != list(range(30))


def test_a_true_fake_is_paired_with_the_same_frame_of_its_own_scene(sampler: PairSampler) -> None:
    rng = np.random.default_rng(4)
    sampler = replace(sampler, shares=Shares(true_fakes=1.0, partly_true=0.0))
    for _ in range(20):
        real, fake = sampler._true(rng)
        assert np.array_equal(fake, 255 - real)


def test_a_part_of_a_true_fake_leaves_the_surroundings_of_its_real_frame(sampler: PairSampler) -> None:
    sampler = replace(sampler, shares=Shares(true_fakes=1.0, partly_true=1.0))
    real, fake = sampler._true(np.random.default_rng(4))
    assert np.array_equal(fake[0], real[0])
    assert not np.array_equal(fake, real)


def test_a_fake_without_its_real_clip_is_left_out(faces: CachedFaces) -> None:
    real, fake, alone = (
        Clip(Path(name), name != "1.mp4", "FF++-x", "g", "train", name[0])
        for name in ("1.mp4", "1_2.mp4", "3_4.mp4")
    )
    pairs = true_pairs([real, fake, alone], {clip.path: faces for clip in (real, fake, alone)})
    assert {method: len(found) for method, found in pairs.items()} == {"FF++-x": 1}


def test_a_fake_is_paired_with_the_real_clip_of_its_own_compression(faces: CachedFaces) -> None:
    clips = [
        Clip(Path(f"{quality}/{name}.mp4"), fake, f"FF++-{name}-{quality}", "g", "train", "1", name, quality)
        for quality in ("c23", "c40")
        for name, fake in (("original", False), ("Deepfakes", True))
    ]
    by_path = {clip.path: replace(faces, name=str(clip.path)) for clip in clips}
    pairs = true_pairs(clips, by_path)
    assert {source: [(real.name, fake.name) for real, fake in found] for source, found in pairs.items()} == {
        f"FF++-Deepfakes-{quality}": [(f"{quality}/original.mp4", f"{quality}/Deepfakes.mp4")]
        for quality in ("c23", "c40")
    }
    assert true_pairs([clips[0], clips[3]], by_path) == {}


@pytest.mark.parametrize(
    "lacking",
    [
        {"stills": []},
        {"stills": [], "other_reals": []},
        {"stills": [], "paired_reals": {}, "true_pairs": {}},
        {"paired_reals": {}, "true_pairs": {}, "shares": Shares(true_fakes=1.0)},
    ],
)
def test_pairs_are_drawn_whatever_kinds_a_data_set_lacks(
    sampler: PairSampler, lacking: dict[str, Any]
) -> None:
    rng = np.random.default_rng(6)
    sampler = replace(sampler, **lacking)
    assert all(not np.array_equal(real, fake) for real, fake, _ in islice(sampler.pairs(rng), 12))
    assert all(len(sampler.draw_video(rng).crops) for _ in range(12))


def test_clips_of_one_name_in_different_folders_are_kept_apart() -> None:
    official = Path("set/manipulated_sequences")
    names = [official / method / "c23/videos/033_097.mp4" for method in ("Deepfakes", "FaceSwap")]
    plain = [Path("real/a.mp4"), Path("fake/a.mp4")]
    assert len({cache_name([path]) for path in (*names, *plain)}) == 4
    assert cache_name([Path("/one") / names[0]]) == cache_name([Path("/other") / names[0]])


def test_the_main_face_is_the_one_seen_longest(faces: CachedFaces) -> None:
    tracks = np.repeat(np.array([1, 3, 4], np.int32), (10, 25, 25))
    longest = main_face(replace(faces, track=tracks))
    assert longest.track.tolist() == [3] * 25
    assert np.array_equal(longest.crops, faces.crops[10:35])
    assert np.array_equal(longest.frame, faces.frame[10:35])


def test_an_aligned_face_has_its_landmarks_where_all_have_them(faces: CachedFaces) -> None:
    first, later = (aligned(faces.crops[i], faces.landmarks[i]) for i in (0, 25))
    assert first.shape == (FACE_PX, FACE_PX, 3)
    assert np.abs(first.astype(int) - later).mean() < 12


def test_a_code_gives_its_face_back_and_fewer_numbers_give_less_of_it(faces: CachedFaces) -> None:
    eigenfaces = fit([faces])
    face = aligned(faces.crops[0], faces.landmarks[0])
    code = eigenfaces.encode(face)
    errors = [np.abs(eigenfaces.decode(code[:n]).astype(int) - face).mean() for n in (len(code), 2)]
    assert errors[0] < errors[1] < 40
    assert errors[0] < 6


def test_eigenfaces_are_made_once_and_read_again(faces: CachedFaces, tmp_path: Path) -> None:
    made = kept(tmp_path / "x-eigenfaces.npz", [faces])
    again = kept(tmp_path / "x-eigenfaces.npz", [])
    assert np.array_equal(made.components, again.components)
    assert [path.name for path in tmp_path.glob("*.npz")] == ["x-eigenfaces.npz"]


def test_a_decoded_face_changes_the_face_and_leaves_the_surroundings(faces: CachedFaces) -> None:
    eigenfaces = fit([faces])
    crop, landmarks = faces.crops[0], faces.landmarks[0]
    code = eigenfaces.encode(aligned(faces.crops[40], faces.landmarks[40]))
    fake = decoded_blend(crop, landmarks, code, replace(recipe(3), outline="face"), eigenfaces)
    change = np.abs(fake.astype(int) - crop).mean(axis=2)
    eyes = landmarks[:2].mean(axis=0).astype(int)
    assert change[0].max() == 0
    assert change[eyes[1] - 8 : eyes[1] + 30, eyes[0] - 20 : eyes[0] + 20].mean() > 0.5
