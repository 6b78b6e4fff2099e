"""Weights load checksum first, with strict keys, or not at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

import detector
from detector import DetectorConfig, NoWeights
from detector.config import MARGIN
from detector.loading import fold_norms, load_model
from detector.models import MODELS
from detector.tests.tiny import write_tiny_weights
from detector.weights import find_weights

CPU = torch.device("cpu")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_weights(tmp_path)


def rewrite_card(weights: Path, **changes: object) -> None:
    card = json.loads(weights.with_suffix(".json").read_text())
    weights.with_suffix(".json").write_text(json.dumps(card | changes))


def load(weights: Path) -> torch.nn.Module:
    return load_model(find_weights(DetectorConfig(model_path=weights)), CPU)


def test_weights_that_match_their_card_load(tiny: Path) -> None:
    assert sum(p.numel() for p in load(tiny).parameters()) > 1000


def test_a_card_may_state_how_wide_the_crops_are(tiny: Path) -> None:
    config = DetectorConfig(model_path=tiny)
    assert find_weights(config).margin == MARGIN
    card = json.loads(tiny.with_suffix(".json").read_text())
    rewrite_card(tiny, input=card["input"] | {"margin": 1.1})
    assert find_weights(config).margin == 1.1


def test_one_changed_byte_is_refused(tiny: Path) -> None:
    content = bytearray(tiny.read_bytes())
    content[-1] ^= 1
    tiny.write_bytes(bytes(content))
    with pytest.raises(NoWeights, match="SHA-256"):
        load(tiny)


def test_weights_of_another_model_are_refused(tiny: Path) -> None:
    rewrite_card(tiny, model="efficientnet_lstm")
    with pytest.raises(NoWeights, match="does not fit"):
        load(tiny)


def test_a_missing_key_is_refused(tiny: Path) -> None:
    import hashlib

    state = safetensors.torch.load_file(tiny)
    del state["frame_output.bias"]
    safetensors.torch.save_file(state, tiny)
    rewrite_card(tiny, sha256=hashlib.sha256(tiny.read_bytes()).hexdigest())
    with pytest.raises(NoWeights, match="does not fit"):
        load(tiny)


@pytest.mark.parametrize("missing", [".safetensors", ".json"])
def test_without_weights_or_card_nothing_starts(tiny: Path, missing: str) -> None:
    tiny.with_suffix(missing).unlink()
    with pytest.raises(NoWeights):
        detector.analyze("any.mp4", config=DetectorConfig(model_path=tiny))


def test_a_card_that_is_no_card_is_refused(tiny: Path) -> None:
    tiny.with_suffix(".json").write_text('{"name": "x"}')
    with pytest.raises(NoWeights, match="not a card"):
        find_weights(DetectorConfig(model_path=tiny))


def test_folding_batch_norms_changes_nothing_but_speed() -> None:
    torch.manual_seed(0)
    model = MODELS["efficientnet_lstm"]().eval()
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, 0, 0.1)  # type: ignore[arg-type]
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    crops = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        before = model.features(crops)
        fold_norms(model)
        after = model.features(crops)
    assert before.abs().max() > 1e-3
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-5)


def test_importing_the_package_and_finding_weights_does_not_import_torch(tiny: Path) -> None:
    code = (
        "import sys, pathlib, detector\n"
        f"detector.find_weights(detector.DetectorConfig(model_path=pathlib.Path({str(tiny)!r})))\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2', 'av', 'django')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_shipped_weights_match_their_card_and_stay_small() -> None:
    card = find_weights(DetectorConfig())
    assert card.path.stat().st_size <= 25 * 1024 * 1024
    assert load_model(card, CPU).width == 1280
