"""That the LSTM learns from windows what no frame tells, and leaves what sees frames as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from detector.models import SMALL_PX
from detector.tests.test_models import seeded
from detector.training.samples import Shares
from detector.training.sequence import fingerprint, fit
from detector.training.settings import TrainConfig

WINDOWS, FRAMES, WIDTH = 192, 12, 32


def windows(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of windows whose pictures flicker; the middle stands still in each second one."""
    rng = torch.Generator().manual_seed(seed)
    pictures = 0.1 * torch.randn(WINDOWS, FRAMES, SMALL_PX, SMALL_PX, generator=rng)
    pictures[1::2, :, 16:40, 16:40] = pictures[1::2, :1, 16:40, 16:40]
    frames = torch.randn(WINDOWS, FRAMES, WIDTH, generator=rng)
    return torch.cat([frames, pictures.flatten(2)], dim=2), torch.tensor([0.0, 1.0]).repeat(WINDOWS // 2)


def test_the_lstm_learns_from_motion_what_no_frame_tells() -> None:
    model = seeded("tiny_lstm")
    kept = {
        name: value.clone() for name, value in model.state_dict().items() if name.startswith(("cnn", "frame"))
    }
    fit(model, *windows(1), seed=1)
    features, labels = windows(2)
    with torch.inference_mode():
        scores = model.eval().judge(features)
    assert abs(roc_auc_score(labels, scores.frames.mean(dim=1)) - 0.5) < 0.15
    assert roc_auc_score(labels, scores.sequence) > 0.95
    assert all(torch.equal(model.state_dict()[name], value) for name, value in kept.items())


def test_a_seed_repeats_it() -> None:
    features, labels = windows(3)
    weights = []
    for seed in (1, 1, 2):
        model = seeded("tiny_lstm")
        fit(model, features[:64], labels[:64], seed)
        weights.append(model.sequence_output.weight.detach().numpy())
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.allclose(weights[0], weights[2])


def test_windows_are_kept_under_what_they_are_made_from(tmp_path: Path) -> None:
    config = TrainConfig("x", model="tiny_lstm", runs=tmp_path, steps=0)
    names = {
        fingerprint(config, 20),
        fingerprint(config, 20),
        fingerprint(config, 10),
        fingerprint(replace(config, seed=2), 20),
        fingerprint(replace(config, shares=Shares(true_fakes=0.1)), 20),
    }
    assert len(names) == 4
