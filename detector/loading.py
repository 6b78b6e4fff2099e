"""From a weights file to a model that runs: checksum first, tensors alone, strict keys."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from detector.errors import ConfigError, NoWeights
from detector.models import MODELS, CnnLstm
from detector.weights import WeightsCard, verified_bytes


def chosen_device(name: str) -> torch.device:
    """``auto`` takes a GPU where there is one. Raises ConfigError where ``cuda`` is asked for in vain."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("DEVICE is cuda, but no CUDA device is available.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def load_model(card: WeightsCard, device: torch.device) -> CnnLstm:
    """The card's model, fast, in evaluation mode, float32. Raises :class:`NoWeights` on any mismatch."""
    model = load_weights(card).eval()
    fold_norms(model)
    return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def load_weights(card: WeightsCard) -> CnnLstm:
    """The card's model as it was trained. Raises :class:`NoWeights` on any mismatch."""
    if card.model not in MODELS:
        raise NoWeights(f"{card.path.with_suffix('.json')} names the unknown model {card.model!r}")
    content = verified_bytes(card)
    model = MODELS[card.model]()
    try:
        model.load_state_dict(safetensors.torch.load(content), strict=True)
    except (RuntimeError, ValueError, safetensors.SafetensorError) as error:
        raise NoWeights(f"{card.path} does not fit the model {card.model!r}: {error}") from error
    return model


def fold_norms(model: nn.Module) -> None:
    """Fold every batch norm into the convolution before it: the same numbers in half the time."""
    for part in model.modules():
        for (name, layer), (norm_name, norm) in pairwise(list(part.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, name, fuse_conv_bn_eval(layer, norm))
                setattr(part, norm_name, nn.Identity())


def save_model(model: CnnLstm, path: Path) -> None:
    """Write the weights in half precision."""
    safetensors.torch.save_file(halved(model.state_dict()), path)


def halved(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In half precision; counters stay integers."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in state.items()
    }
