"""The models' shapes, their LSTM's start at the mean, and that time reaches the output."""

import numpy as np
import pytest
import torch

from detector.models import MODELS, CnnLstm, mirrored, motion_of, small_picture

WIDTHS = {
    "efficientnet_lstm": 1280,
    "efficientnet_lite2_lstm": 1280,
    "efficientnet_duo_lstm": 2560,
    "resnext50_lstm": 2048,
    "tiny_lstm": 32,
}


def seeded(name: str) -> CnnLstm:
    torch.manual_seed(3)
    return MODELS[name]().eval()


@pytest.mark.parametrize("name", sorted(MODELS))
@torch.inference_mode()
def test_every_model_gives_a_logit_a_frame_and_one_a_sequence(name: str) -> None:
    model = seeded(name)
    crops = torch.randn(1, 3, 3, 224, 224)
    scores = model(crops)
    assert model.feature_maps(crops[0]).shape == (3, WIDTHS[name], 7, 7)
    assert (scores.frames.shape, scores.sequence.shape) == ((1, 3), (1,))


@torch.inference_mode()
def test_features_are_the_average_of_the_maps_and_a_small_picture() -> None:
    model = seeded("tiny_lstm")
    crops = torch.randn(2, 3, 224, 224)
    features = model.features(crops)
    assert features.shape == (2, model.features_width)
    torch.testing.assert_close(features[:, :32], model.feature_maps(crops).mean(dim=(2, 3)))
    torch.testing.assert_close(features[:, 32:].mean(), small_picture(crops).mean())


def test_motion_is_felt_in_the_cell_that_moves_and_nowhere_else() -> None:
    small = torch.zeros(1, 10, 56, 56)
    small[0, 5, 24:32, 40:48] = 1.0
    motion = motion_of(small.flatten(2)).unflatten(-1, (4, 7, 7))
    moved = torch.nonzero(motion.amax(dim=(0, 1, 2)))
    assert moved.tolist() == [[3, 5]]
    assert torch.nonzero(motion[0, :, 0, 3, 5])[:, 0].tolist() == [5, 6]  # there and gone again
    assert motion.amax().item() == pytest.approx(np.log1p(256))


def test_the_motion_of_a_mirrored_video_is_the_mirrored_motion() -> None:
    small = torch.randn(2, 8, 56, 56)
    turned = mirrored(motion_of(small.flatten(2)))
    torch.testing.assert_close(turned, motion_of(small.flip(-1).flatten(2)))
    assert not torch.allclose(turned, motion_of(small.flatten(2)))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_short_window_has_no_motion_that_it_can_t_know(frames: int) -> None:
    motion = motion_of(torch.randn(1, frames, 56 * 56))
    assert motion.shape == (1, frames, 196)
    assert not motion[:, :, 49 * 2 : 49 * 3].any()


@torch.inference_mode()
def test_an_untrained_lstm_answers_with_the_mean_of_the_frames() -> None:
    scores = seeded("tiny_lstm").judge(torch.randn(2, 30, 32 + 56 * 56))
    torch.testing.assert_close(scores.sequence, scores.frames.mean(dim=1))


@torch.inference_mode()
def test_a_lstm_with_weights_hears_the_order_of_the_frames() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(1, 30, 32 + 56 * 56)
    ordered = model.judge(features).sequence
    shuffled = model.judge(features[:, torch.randperm(30)]).sequence
    assert (ordered - shuffled).abs().item() > 1e-3


@torch.inference_mode()
def test_every_frame_reaches_the_sequence_output() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(1, 30, 32 + 56 * 56)
    whole = model.judge(features).sequence.item()
    for position in range(30):
        changed = features.clone()
        changed[0, position] += 1.0
        assert model.judge(changed).sequence.item() != pytest.approx(whole, abs=1e-5)


@torch.inference_mode()
def test_one_sequence_in_a_batch_does_not_leak_into_another() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(2, 30, 32 + 56 * 56)
    alone = model.judge(features[:1]).sequence
    torch.testing.assert_close(model.judge(features).sequence[:1], alone, rtol=1e-4, atol=1e-5)
