"""The detector's settings: one frozen value, checked when it is made."""

from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import ConfigError

MARGIN = 1.3
"""Side of a face's crop as a multiple of the longer side of its box, where a model's card states no other."""

BACKBONES = ("efficientnet", "resnext50")
BACKBONE_ALIASES = {"resnet50": "resnext50"}
DEVICES = ("auto", "cpu", "cuda")
FACE_FINDERS = ("mtcnn", "haar")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost before it is refused or its decoder is stopped."""

    max_bytes: int = 100 * 1024 * 1024
    max_duration_s: float = 1800.0
    max_pixels: int = 36_000_000
    decode_wall_s: float = 120.0
    decode_cpu_s: int = 240
    decode_memory_bytes: int = 6 * 1024**3


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How to analyse a clip.

    backbone: a name of ``BACKBONES`` (or an alias); its own shipped weights are used.
    model_path: a ``.safetensors`` file with its card beside it, in place of the backbone's own.
    sequence_length: consecutive frames a window, and steps of the LSTM, 20 to 40.
    windows: windows spread over the clip.
    threshold: fake at or above it, real at or below ``1 - threshold``; 0.5 < threshold < 1.
    batch_size: crops in one pass through the CNN.
    explain_frames: frames of evidence (crop and heatmap) per clip; 0 for none.
    trust_list: a PEM file of the authorities that vouch for signers of Content Credentials (C2PA).
    """

    backbone: str = "efficientnet"
    model_path: Path | None = None
    sequence_length: int = 30
    windows: int = 4
    threshold: float = 0.70
    batch_size: int = 16
    device: str = "auto"
    face_finder: str = "mtcnn"
    explain_frames: int = 6
    stability: bool = False
    trust_list: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        object.__setattr__(self, "backbone", BACKBONE_ALIASES.get(self.backbone, self.backbone))
        if self.model_path is None and self.backbone not in BACKBONES:
            raise ConfigError(f"BACKBONE must be one of {', '.join(BACKBONES)}, not {self.backbone!r}.")
        if not 20 <= self.sequence_length <= 40:
            raise ConfigError(f"SEQUENCE_LENGTH must be from 20 to 40, not {self.sequence_length}.")
        if not 1 <= self.windows <= 64:
            raise ConfigError(f"windows must be from 1 to 64, not {self.windows}.")
        if not 0.5 < self.threshold < 1:
            raise ConfigError(f"CONFIDENCE_THRESHOLD must lie between 0.5 and 1, not {self.threshold}.")
        if not 1 <= self.batch_size <= 1024:
            raise ConfigError(f"BATCH_SIZE must be from 1 to 1024, not {self.batch_size}.")
        if self.device not in DEVICES:
            raise ConfigError(f"DEVICE must be one of {', '.join(DEVICES)}, not {self.device!r}.")
        if self.face_finder not in FACE_FINDERS:
            raise ConfigError(
                f"FACE_FINDER must be one of {', '.join(FACE_FINDERS)}, not {self.face_finder!r}."
            )
        if self.trust_list is not None and not _holds_certificates(self.trust_list):
            raise ConfigError(f"C2PA_TRUST_LIST: {self.trust_list} holds no certificates in PEM.")


def _holds_certificates(path: Path) -> bool:
    try:
        return b"-----BEGIN CERTIFICATE-----" in path.read_bytes()
    except OSError:  # it may be away for a moment; nobody is trusted then
        return True
