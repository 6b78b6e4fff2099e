"""What is done to the frames of a window, however few there are."""

import pytest
import torch

from detector.evaluation.temporal import CHANGES


@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.parametrize("frames", [1, 2, 30])
def test_a_change_keeps_the_number_of_frames_and_takes_them_from_the_window(change: str, frames: int) -> None:
    features = torch.arange(frames, dtype=torch.float32)[:, None].expand(-1, 3)
    changed = CHANGES[change](features)
    assert changed.shape == features.shape
    assert set(changed[:, 0].tolist()) <= set(range(frames))


def test_a_frozen_half_shows_its_last_moving_frame() -> None:
    features = torch.arange(6.0)[:, None]
    assert CHANGES["second_half_frozen"](features)[:, 0].tolist() == [0, 1, 2, 2, 2, 2]
