"""The loaded parts of the detector, kept for the life of the process."""

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from detector.allocator import keep_freed_memory
from detector.config import DetectorConfig
from detector.crops import CROP_PX
from detector.faces import FaceFinder, make_finder
from detector.loading import chosen_device, load_model
from detector.models import CnnLstm
from detector.preprocessing import Input, to_tensor
from detector.weights import WeightsCard, find_weights


@dataclass(frozen=True, slots=True)
class Engine:
    """A model with its card and a face finder, on one device.

    thread: the one on which features are computed. It lives as long as the model, because cuDNN plans each
    convolution anew for every thread that asks, which takes a hundred times as long as the convolutions.
    """

    card: WeightsCard
    model: CnnLstm
    finder: FaceFinder
    device: torch.device
    thread: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="features"))

    @torch.inference_mode()
    def features(self, crops: npt.NDArray[np.uint8], batch: int = 0) -> Tensor:
        """(n, features_width) features of (n, 224, 224, 3) crops as one batch.

        On a GPU filled up to ``batch``, so that the last crops of a clip need no plan of their own.
        """
        missing = batch - len(crops) if self.device.type == "cuda" else 0
        filled = np.concatenate([crops, np.zeros_like(crops[:1]).repeat(max(0, missing), axis=0)])
        return self.model.features(self.prepared(filled))[: len(crops)]

    def prepared(self, crops: npt.NDArray[np.uint8]) -> Tensor:
        """(n, 224, 224, 3) uint8 RGB crops as the model's input on its device."""
        pixels = to_tensor(crops, Input(self.card.mean, self.card.std))
        return pixels.to(self.device).contiguous(memory_format=torch.channels_last)


_engines: dict[tuple[str, str, str, str], Engine] = {}


def engine_for(config: DetectorConfig) -> Engine:
    """The engine of that configuration, loaded on first use.

    Raises :class:`detector.errors.NoWeights` without weights that match their card.
    """
    card = find_weights(config)
    device = chosen_device(config.device)
    key = (str(card.path), card.sha256, str(device), config.face_finder)
    if key not in _engines:
        keep_freed_memory()
        finder = _finder(config.face_finder, str(device))
        _engines[key] = Engine(card, load_model(card, device), finder, device)
    return _engines[key]


@cache
def _finder(name: str, device: str) -> FaceFinder:
    """One for all models."""
    return make_finder(name, device)


def warm(config: DetectorConfig) -> None:
    """Load the engine and run it once, so that the first clip doesn't pay for it."""
    engine = engine_for(config)
    engine.finder.find(np.zeros((360, 640, 3), np.uint8))
    crops = np.zeros((config.batch_size, CROP_PX, CROP_PX, 3), np.uint8)
    engine.thread.submit(engine.features, crops).result()


def gpu_memory() -> tuple[int, int] | None:
    """Bytes used, by whomever, and bytes there; None where no engine is on a GPU."""
    if not any(engine.device.type == "cuda" for engine in _engines.values()):
        return None
    free, total = torch.cuda.mem_get_info()
    return total - free, total
