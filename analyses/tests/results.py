"""A result as a real clip gives it: two people, four windows, pictures that a browser can show."""

import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from analyses.detection import AnalysisResult, Reason, Verdict
from analyses.models import Video
from detector.result import (
    Credentials,
    CredentialStatus,
    Evidence,
    FaceQuality,
    FaceResult,
    FrameScore,
    ModelFacts,
    Provenance,
    SampledWindow,
    StreamFacts,
    Tag,
    Timing,
    VideoFacts,
)

FPS = 25.0
WINDOW = 30
WINDOW_STARTS = (0, 90, 180, 270)
FRAMES = 300
STRONGEST_FRAME = 195
STRONGEST_S = STRONGEST_FRAME / FPS


def make_rich_result(video: Video, *, verdict: Verdict = Verdict.FAKE) -> AnalysisResult:
    """Face 1 is as the verdict says, face 2 is small and not judged. The top score is at ``STRONGEST_S``."""
    level = {Verdict.FAKE: 0.88, Verdict.REAL: 0.09, Verdict.INCONCLUSIVE: 0.52}[verdict]
    between = (Reason.BETWEEN_THRESHOLDS,) if verdict == Verdict.INCONCLUSIVE else ()
    first = FaceResult(1, 0.0, 11.96, 120, level, verdict, FaceQuality(186, 214.0, 7.6, 1.0), between)
    second = FaceResult(
        2,
        3.6,
        4.76,
        30,
        0.44,
        Verdict.INCONCLUSIVE,
        FaceQuality(31, 60.0, 22.0, 1.0),
        (Reason.FACE_TOO_SMALL,),
    )
    return AnalysisResult(
        verdict=verdict,
        fake_probability=level,
        threshold=0.7,
        reasons=between,
        model=ModelFacts(
            "efficientnet_lstm", "1", "b" * 64, "temperature, on 120 clips that no training saw"
        ),
        video=VideoFacts(video.sha256, "mp4", "h264", 1280, 720, FPS, FRAMES / FPS, FRAMES, 0),
        faces=(first, second),
        frames=tuple(sorted(_scores(level), key=lambda entry: (entry.frame, entry.track))),
        evidence=tuple(_evidence()),
        stability=None,
        timing=Timing(0.1, 0.9, 1.4, 1.1, 0.3, 3.9),
        software={"truthlens": "0.1.0", "torch": "2.14.1"},
        windows=tuple(
            SampledWindow(number, start, start + WINDOW - 1, start / FPS, (start + WINDOW - 1) / FPS, WINDOW)
            for number, start in enumerate(WINDOW_STARTS)
        ),
    )


def make_provenance(status: CredentialStatus = CredentialStatus.NONE) -> Provenance:
    claims = {"signer": "Test News Agency", "generator": "Test Camera 1.0", "title": "Press conference"}
    actions = ("c2pa.created (digitalCapture)",)
    return Provenance(
        container_read=True,
        brand="isom",
        created="2026-01-02T03:04:05.000000Z",
        streams=(
            StreamFacts("video", "h264", "profile High, 1280 × 720, yuv420p, 2100 kbit/s"),
            StreamFacts("audio", "aac", "profile LC, 48000 Hz, 2 channels, 128 kbit/s"),
        ),
        tags=(Tag("container", "encoder", "Lavf62.3.100"), Tag("video 1", "handler_name", "VideoHandler")),
        tools=("FFmpeg or a program that uses it",),
        credentials=Credentials(status, "The reason.")
        if status == CredentialStatus.NONE
        else Credentials(status, "The reason.", signed_at="2026-01-02", actions=actions, **claims),
    )


def _scores(level: float) -> list[FrameScore]:
    scores = []
    for start in WINDOW_STARTS:
        for frame in range(start, start + WINDOW):
            wave = 0.08 * np.sin(frame / 3) + 0.03 * np.cos(frame * 1.7)
            score = 0.99 if frame == STRONGEST_FRAME else min(0.97, max(0.02, level + wave))
            scores.append(FrameScore(frame, frame / FPS, 1, (500, 120, 150, 186), round(float(score), 4)))
    scores += [FrameScore(frame, frame / FPS, 2, (900, 90, 34, 41), 0.44) for frame in range(90, 120)]
    return scores


def _evidence() -> list[Evidence]:
    crop = np.ascontiguousarray(astronaut()[5:229, 110:334])
    entries = []
    for frame in (STRONGEST_FRAME, 12, 104, 280):
        name = f"1-{frame}"
        entries.append(
            Evidence(
                1, frame, frame / FPS, f"{name}-crop.jpg", f"{name}-heatmap.png",
                _encoded(".jpg", crop), _encoded(".png", _heated(crop, frame)),
            )
        )  # fmt: skip
    return entries


def _heated(crop: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    cells = np.random.default_rng(seed).normal(0.4, 0.6, (7, 7)).astype(np.float32)
    odds = np.asarray(cv2.resize(cells, (224, 224), interpolation=cv2.INTER_CUBIC), np.float32)
    strength = np.clip(np.abs(odds), 0, 1)[..., None] * 0.62
    colour = np.where(odds[..., None] > 0, (214, 73, 11), (24, 110, 196))
    grey = np.repeat(crop.mean(axis=2)[..., None], 3, axis=2)
    return np.asarray(grey * (1 - strength) + colour * strength, np.uint8)


def _encoded(kind: str, picture: npt.NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1])
