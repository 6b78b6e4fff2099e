"""What the pages say about verdicts, failures and stages. The sentences of the codes are the detector’s."""

from collections.abc import Mapping
from dataclasses import dataclass

from analyses.detection import MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS, Failure, Verdict


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """``headline`` is the answer, ``meaning`` what it says and doesn’t, ``steps`` what to do next."""

    headline: str
    meaning: str
    steps: tuple[str, ...]


VERDICTS: dict[str, VerdictWords] = {
    Verdict.FAKE: VerdictWords(
        "Likely manipulated",
        "At least one face in this clip looks to the model like faces that were swapped or altered. "
        "It is a strong lead, not proof: the model is sometimes wrong.",
        (
            "Watch the frames shown below. Look at the edges of the face, the mouth, the teeth and the eyes.",
            "Look for the original: search for the same scene, an earlier upload or a better copy.",
            "Ask the source for the original file and analyse that: copies from social media are compressed.",
            "Don’t publish on this result alone. Find a second source and name it.",
        ),
    ),
    Verdict.REAL: VerdictWords(
        "No sign of manipulation found",
        "The faces look to the model like faces that nobody altered. That is not a certificate: "
        "a new or well-made manipulation can pass, and only the frames shown below were looked at.",
        (
            "Check what this tool can’t see: the voice, the place, the date and whether the scene is from "
            "where it is said to be.",
            "If the clip came through social media, get the file closest to the source and analyse it too.",
            "If one moment is in doubt, cut it out and analyse it alone: more of its frames get looked at.",
        ),
    ),
    Verdict.INCONCLUSIVE: VerdictWords(
        "Can’t tell",
        "What could be seen doesn’t support an answer in either direction. "
        "This says nothing about whether the clip is genuine.",
        (
            "Read the reasons: they say what stood in the way.",
            "Look for a longer, larger or less compressed version of the clip and analyse that.",
            "If the face is on screen for a moment only, cut that moment out and analyse it alone.",
            "If no better version exists, treat the clip as unchecked and use other ways to verify it.",
        ),
    ),
}

FOUND: dict[str, str] = {
    "real": "Found to be real",
    "fake": "Found to be manipulated",
    "unknown": "Found that it can’t be told",
}
"""What a moderator found, by label."""

FACING_DEG = 20


@dataclass(frozen=True, slots=True)
class QualityWords:
    """One measure of how well a face was seen: what it is, the words for it, the number behind them."""

    name: str
    words: str
    number: str


def quality_words(face_px: int, sharpness: float, yaw_deg: float) -> tuple[QualityWords, ...]:
    """The limits are the detector's own: beyond one of them a face isn't judged."""
    size = "too small to judge" if face_px < MIN_FACE_PX else "large enough"
    focus = "too blurry to judge" if sharpness < MIN_SHARPNESS else "sharp enough"
    turned = "facing the camera" if yaw_deg <= FACING_DEG else "turned"
    return (
        QualityWords("Size", size, f"{face_px} pixels high, {MIN_FACE_PX} needed"),
        QualityWords("Sharpness", focus, f"{sharpness:.0f}, {MIN_SHARPNESS:.0f} needed"),
        QualityWords(
            "Turn",
            "turned too far to judge" if yaw_deg > MAX_YAW_DEG else turned,
            f"{yaw_deg:.0f}°, at most {MAX_YAW_DEG:.0f}°",
        ),
    )


def quality_ranges(
    face_px: tuple[float, float], sharpness: tuple[float, float], yaw_deg: tuple[float, float]
) -> tuple[QualityWords, ...]:
    """Of all faces, with the limits beyond which a face isn't judged."""
    return (
        QualityWords("Height of the faces", f"{_range(face_px)} pixels", f"{MIN_FACE_PX} needed"),
        QualityWords("Sharpness", _range(sharpness), f"{MIN_SHARPNESS:.0f} needed"),
        QualityWords("Turned away by", f"{_range(yaw_deg)}°", f"at most {MAX_YAW_DEG:.0f}°"),
    )


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:.0f}" for end in ends)
    return low if low == high else f"{low} to {high}"


FAILURE_STEPS: dict[str, tuple[str, ...]] = {
    Failure.EMPTY: ("Check that the file was saved completely, then upload it again.",),
    Failure.NOT_VIDEO: (
        "Check that you chose the right file: sound files, pictures and playlists can’t be analysed.",
    ),
    Failure.UNREADABLE: (
        "Play the file on your own machine. If it doesn’t play there, get it from its source again.",
        "If it does play, save it as MP4 with another program and upload that copy.",
    ),
    Failure.UNSUPPORTED: ("Save the video as MP4 with H.264 and upload that copy.",),
    Failure.TOO_LARGE: (
        "Cut out the part in doubt and upload that. Cutting without re-encoding keeps the traces intact.",
    ),
    Failure.TOO_LONG: (
        "Cut out the part in doubt and upload that. Cutting without re-encoding keeps the traces intact.",
    ),
    Failure.TOO_MANY_PIXELS: ("Upload a version with a smaller picture, 4K (3840 × 2160) or below.",),
    Failure.TIMED_OUT: (
        "Try again: the machine may have been busy.",
        "If it happens again, cut out the part in doubt and upload that.",
    ),
    Failure.CRASHED: (
        "Save the video as MP4 with H.264 and upload that copy.",
        "If that fails too, tell the administrator of this site the number below.",
    ),
    Failure.WORKER_LOST: ("Nothing is wrong with your file. Upload it again later.",),
    Failure.CANCELLED: ("Nothing was scored. Upload the clip again whenever you like.",),
    Failure.NO_WEIGHTS: ("Tell the administrator of this site. Your file needs no change.",),
}

REFUSAL_HINTS: dict[Failure, str] = {
    code: FAILURE_STEPS[code][0]
    for code in (
        Failure.EMPTY,
        Failure.NOT_VIDEO,
        Failure.UNSUPPORTED,
        Failure.TOO_LARGE,
        Failure.NO_WEIGHTS,
    )
}
"""What to do about an upload that isn’t taken, in one sentence."""

QUOTA_SENTENCES: dict[str, str] = {
    "analyses": "You have started as many analyses in the last 24 hours as your account may.",
    "minutes": "You have had as many minutes of video analysed in the last 24 hours as your account may.",
    "storage": "Your account has no room left for this file.",
    "running": "You have as many analyses waiting or running as your account may have at once.",
}
"""Why no other analysis is begun, by the quota that is full (``analyses.quotas``)."""
QUOTA_HINTS: dict[str, str] = {
    "analyses": "The next one is possible from {frees_at} on.",
    "minutes": "The next one is possible from {frees_at} on.",
    "storage": "Delete analyses that you no longer need: their videos go with them.",
    "running": "Try again when one of them is done.",
}
UNTIL_THEN = (
    "Try again when those under way are done: until its length is known, a video counts as {longest}."
)

STAGE_NAMES: dict[str, str] = {
    "probe": "Check the file",
    "decode": "Open the video",
    "faces": "Find and follow the faces",
    "model": "Score the faces",
    "explain": "Draw the heatmaps",
}
STAGE_UNITS: dict[str, str] = {
    "probe": "frames",
    "decode": "frames",
    "faces": "frames",
    "model": "face pictures",
    "explain": "heatmaps",
}

CREDENTIALS: dict[str, str] = {
    "trusted": "Signed by somebody on the trust list, and unchanged since",
    "untrusted": "Unchanged since it was signed, by somebody whom nobody here vouches for",
    "invalid": "Changed since it was signed, or damaged",
    "none": "None in this file",
    "unread": "Could not be read",
}
"""What the page says of a file's Content Credentials, by their status."""
ABSENCE = "Sites and messengers strip them from the files that they pass on."
PRESENCE = (
    "Content Credentials say who signed the file and what they claim of it. They don’t say that what it "
    "shows is true, and they had no part in the verdict."
)

FILTER_NAMES: dict[str, str] = {
    "verdict": "verdict",
    "state": "state",
    "model": "model",
    "q": "name contains",
    "since": "from",
    "until": "until",
    "sort": "sorted by",
}


def filter_words(filters: Mapping[str, str]) -> str:
    """The filters of an export, like "verdict: fake, from: 2026-01-31"."""
    return ", ".join(f"{FILTER_NAMES.get(name, name)}: {value}" for name, value in filters.items())
