"""A tiny seeded model with its card: tests of everything around the model run on it in milliseconds."""

import hashlib
import json
from pathlib import Path

import torch

from detector.loading import save_model
from detector.models import MODELS
from detector.preprocessing import LITE


def write_tiny_weights(folder: Path, *, bias: float = 0.0, seed: int = 7) -> Path:
    """Write ``tiny_lstm.safetensors`` and its card; a positive ``bias`` moves every score towards fake."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_lstm.safetensors"
    torch.manual_seed(seed)
    model = MODELS["tiny_lstm"]()
    torch.nn.init.constant_(model.frame_output.bias, bias)
    save_model(model, path)
    card = {
        "name": "tiny_lstm",
        "version": "test",
        "model": "tiny_lstm",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": {"mean": LITE.mean, "std": LITE.std},
        "calibration": {"scale": 1.0, "offset": 0.0, "label": "none (a test model)"},
    }
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    return path
