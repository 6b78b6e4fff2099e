"""What a model was trained on is in its scope; what lies elsewhere in its features is not."""

import numpy as np
import pytest
import torch

from detector.config import DetectorConfig
from detector.crops import CROP_PX
from detector.engine import Engine, engine_for
from detector.models import MODELS, SCOPE_DIRECTIONS, CnnLstm
from detector.tests.scenes import head
from detector.training.blending import Image
from detector.training.scope import DRAWINGS, faceless_crops, limit_of, set_scope


def windows(model: CnnLstm, count: int, directions: int, shift: float = 0.0) -> torch.Tensor:
    """Features that differ in a few directions, and by a little noise in all others."""
    torch.manual_seed(0)
    axes = torch.linalg.qr(torch.randn(model.width, directions))[0].T
    torch.manual_seed(count)
    values = torch.randn(count, directions) @ (5 * axes) + 0.1 * torch.randn(count, model.width) + shift
    return torch.cat([values, torch.zeros(count, model.features_width - model.width)], dim=1)[:, None]


def test_training_faces_have_one_on_average_and_others_far_more() -> None:
    model = MODELS["efficientnet_lstm"]()
    training = windows(model, 600, 20)
    set_scope(model, training)
    ordinary = [float(model.strangeness(each)) for each in training]
    assert np.mean(ordinary) == pytest.approx(1.0, rel=0.05)
    foreign = [float(model.strangeness(each)) for each in windows(model, 5, 20, shift=1.0)]
    assert min(foreign) > 5 * limit_of(ordinary)


def test_a_difference_that_training_faces_have_too_is_not_strange() -> None:
    model = MODELS["efficientnet_lstm"]()
    training = windows(model, 600, 20)
    set_scope(model, training)
    assert model.scope_basis.shape == (SCOPE_DIRECTIONS, model.width)
    further = training[0].clone()
    further[:, : model.width] += 20 * model.scope_basis[0]
    assert float(model.strangeness(further)) == pytest.approx(float(model.strangeness(training[0])), rel=0.1)


def strangeness(engine: Engine, crop: Image) -> float:
    with torch.inference_mode():
        return float(engine.model.strangeness(engine.model.features(engine.prepared(crop[None]))))


@pytest.mark.slow
def test_the_shipped_weights_know_a_face_from_pictures_without_one() -> None:
    engine = engine_for(DetectorConfig(device="cpu"))
    limit = engine.card.calibration.strangest
    face = head(CROP_PX)
    faceless = [strangeness(engine, crops[0]) for crops in faceless_crops(5)]
    assert strangeness(engine, face) < limit
    assert np.mean([value > limit for value in faceless]) > 0.5


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_drawings_are_pictures_of_the_same_size_and_not_the_same(name: str) -> None:
    crop = np.random.default_rng(1).integers(0, 255, (CROP_PX, CROP_PX, 3), np.uint8)
    drawn = DRAWINGS[name](crop)
    assert drawn.shape == crop.shape
    assert np.abs(drawn.astype(int) - crop).mean() > 5
