"""The frozen, plain values that cross the detector's door, and the JSON document made of them.

Field names and meaning are a contract that others script against (``detector/result.schema.json``):
fields may be added, never renamed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from detector.codes import Failure, Reason, Verdict, sentence

SCHEMA_VERSION = 1
STAGES = ("probe", "decode", "faces", "model", "explain")

Document = dict[str, Any]
ProgressHook = Callable[[str, int, int], None]
"""Called with (stage, done, total); stage is one of ``STAGES``, done and total count frames."""
StopHook = Callable[[], bool]
"""Asked between frames; the analysis ends with ``cancelled`` once it answers True."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    name: str
    version: str
    sha256: str
    calibration: str


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the container says. ``width`` and ``height`` are of the upright picture."""

    sha256: str
    container: str
    codec: str
    width: int
    height: int
    fps: float
    duration_s: float
    frames: int
    rotation: int


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Medians over a track: box height in pixels, variance of the Laplacian, head turn in degrees.

    ``strangeness`` tells how unlike the faces that the model was trained on it is; those have 1 on average.
    """

    face_px: int
    sharpness: float
    yaw_deg: float
    strangeness: float


@dataclass(frozen=True, slots=True)
class FaceResult:
    track: int
    first_s: float
    last_s: float
    frames: int
    fake_probability: float | None
    verdict: Verdict
    quality: FaceQuality
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameScore:
    """``frame`` counts from 0 in presentation order; ``box`` is x, y, width, height in upright pixels."""

    frame: int
    time_s: float
    track: int
    box: tuple[int, int, int, int]
    score: float


ScoresHook = Callable[[float, Sequence[FrameScore]], None]
"""Called with (duration_s, scores): the clip's length and the scores of further frames, as they will stand in
the result. Without scores: a look at the clip begins, and those of an earlier one no longer count."""


@dataclass(frozen=True, slots=True)
class SampledWindow:
    """Frames that were looked at: ``frames`` of them, evenly from the first to the last."""

    window: int
    first_frame: int
    last_frame: int
    first_s: float
    last_s: float
    frames: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A frame that drove the verdict. The two images travel beside the document, under these names."""

    track: int
    frame: int
    time_s: float
    crop: str
    heatmap: str
    crop_jpeg: bytes
    heatmap_png: bytes


@dataclass(frozen=True, slots=True)
class StabilityVariant:
    name: str
    fake_probability: float | None


@dataclass(frozen=True, slots=True)
class Stability:
    stable: bool
    variants: tuple[StabilityVariant, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    probe_s: float
    decode_s: float
    faces_s: float
    model_s: float
    explain_s: float
    total_s: float


class CredentialStatus(StrEnum):
    """Whether a file's Content Credentials hold.

    ``trusted``: signed by somebody on the trust list, and unchanged since. ``untrusted``: unchanged since it
    was signed, by somebody whom nobody vouches for. ``invalid``: changed since, or damaged. ``none``: there
    are none. ``unread``: that could not be found out.
    """

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    NONE = "none"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Content Credentials. All but the status and its reason is the signer's claim."""

    status: CredentialStatus
    reason: str
    signer: str = ""
    generator: str = ""
    title: str = ""
    signed_at: str = ""
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """``where``: the container, or a stream like "video 1"."""

    where: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """``kind``: video, audio, subtitle, data. ``details``: like "48000 Hz, 2 channels"."""

    kind: str
    codec: str
    details: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """``container_read`` is False where the container's facts could not be had."""

    container_read: bool
    brand: str
    created: str
    streams: tuple[StreamFacts, ...]
    tags: tuple[Tag, ...]
    tools: tuple[str, ...]
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """The whole answer for one clip. ``fake_probability`` is None only where no face could be scored."""

    verdict: Verdict
    fake_probability: float | None
    threshold: float
    reasons: tuple[Reason, ...]
    model: ModelFacts
    video: VideoFacts
    faces: tuple[FaceResult, ...]
    frames: tuple[FrameScore, ...]
    evidence: tuple[Evidence, ...]
    stability: Stability | None
    timing: Timing
    software: dict[str, str]
    windows: tuple[SampledWindow, ...] = ()
    provenance: Provenance | None = None

    def to_document(self, path: str) -> Document:
        """The JSON document, without the evidence images' bytes. ``path`` is the name to show."""
        document = {"schema": SCHEMA_VERSION, "path": path, **asdict(self)}
        for entry in document["evidence"]:
            del entry["crop_jpeg"], entry["heatmap_png"]
        if self.provenance is None:
            del document["provenance"]
        return document


def error_document(path: str, code: Failure) -> Document:
    """The JSON document of a file that could not be analysed."""
    return {"schema": SCHEMA_VERSION, "path": path, "error": {"code": str(code), "message": sentence(code)}}
