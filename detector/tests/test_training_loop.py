"""The frame model in training: schedule, and that a picture is judged by itself."""

from pathlib import Path

import pytest
import torch

from detector.models import MODELS
from detector.training.train import FrameModel, TrainConfig, learning_rate, read_config

CONFIG = Path(__file__).parents[1] / "training" / "configs" / "efficientnet.toml"


def test_in_training_a_crop_does_not_feel_the_others_in_its_batch() -> None:
    """With statistics of the batch, pairs of real and fake could be told apart by comparison alone."""
    torch.manual_seed(0)
    trained = FrameModel(MODELS["tiny_lstm"]()).train()
    crops = torch.randn(4, 3, 224, 224)
    with torch.no_grad():
        features = [
            trained.cnn(batch).mean(dim=(2, 3))[0] for batch in (crops[:1], crops, crops[[0, 0, 0, 0]])
        ]
    torch.testing.assert_close(features[1], features[0])
    torch.testing.assert_close(features[2], features[0])


def test_training_leaves_the_statistics_of_batch_norms_alone() -> None:
    model = MODELS["tiny_lstm"]()
    before = {name: value.clone() for name, value in model.named_buffers()}
    trained = FrameModel(model).train()
    trained(torch.randn(4, 3, 224, 224)).sum().backward()
    for name, value in model.named_buffers():
        assert torch.equal(value, before[name])
    assert model.frame_output.weight.grad is not None


def test_the_learning_rate_warms_up_stays_and_falls_over_the_last_quarter() -> None:
    config = TrainConfig(name="x", steps=1000, warmup=100, learning_rate=1e-3)
    rates = [learning_rate(config, step) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[100:750] == [1e-3] * 650
    assert rates[750:] == sorted(rates[750:], reverse=True)
    assert rates[-1] < 2e-5


def test_the_committed_configuration_reads() -> None:
    config = read_config(CONFIG)
    assert config.model in MODELS
    assert 0 < config.shares.true_fakes < 1
