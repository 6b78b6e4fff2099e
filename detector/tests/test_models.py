"""The models' shapes, their LSTM's start at the mean, and that time reaches the output."""

import pytest
import torch

from detector.models import MODELS, CnnLstm, ring_shares

WIDTHS = {"efficientnet_lstm": 1280, "resnext50_lstm": 2048, "tiny_lstm": 32}


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
def test_the_frame_output_reads_the_plain_average_of_the_maps() -> None:
    model = seeded("tiny_lstm")
    maps = torch.randn(2, 32, 7, 7)
    rings = torch.einsum("nchw,rhw->nrc", maps, ring_shares())
    expected = model.frame_output(maps.mean(dim=(2, 3))).squeeze(-1)
    torch.testing.assert_close(model.frame_logits(rings), expected)


def test_the_rings_part_the_map_from_the_middle_outwards() -> None:
    cells = (ring_shares() > 0).sum(dim=(1, 2)).tolist()
    assert cells == [9, 16, 24]
    torch.testing.assert_close(ring_shares().sum(dim=(1, 2)), torch.ones(3))


@torch.inference_mode()
def test_an_untrained_lstm_answers_with_the_mean_of_the_frames() -> None:
    scores = seeded("tiny_lstm").judge(torch.randn(2, 30, 3, 32))
    torch.testing.assert_close(scores.sequence, scores.frames.mean(dim=1))


@torch.inference_mode()
def test_a_lstm_with_weights_hears_the_order_of_the_frames() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(1, 30, 3, 32)
    ordered = model.judge(features).sequence
    shuffled = model.judge(features[:, torch.randperm(30)]).sequence
    assert (ordered - shuffled).abs().item() > 1e-3


@torch.inference_mode()
def test_every_frame_reaches_the_sequence_output() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(1, 30, 3, 32)
    whole = model.judge(features).sequence.item()
    for position in range(30):
        changed = features.clone()
        changed[0, position] += 1.0
        assert model.judge(changed).sequence.item() != pytest.approx(whole, abs=1e-5)


@torch.inference_mode()
def test_one_sequence_in_a_batch_does_not_leak_into_another() -> None:
    model = seeded("tiny_lstm")
    torch.nn.init.normal_(model.sequence_output.weight)
    features = torch.randn(2, 30, 3, 32)
    alone = model.judge(features[:1]).sequence
    torch.testing.assert_close(model.judge(features).sequence[:1], alone, rtol=1e-4, atol=1e-5)
