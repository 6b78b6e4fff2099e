"""Every reason and failure code with its one plain sentence.

Page, API, command line and e-mail read these two tables, so that a code means the same everywhere.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What the detector says of a clip or of one face."""

    REAL = "real"
    FAKE = "fake"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Why a result says what it says. A result may carry several."""

    NO_FACE = "no_face"
    FACE_TOO_SMALL = "face_too_small"
    TOO_BLURRY = "too_blurry"
    TOO_FEW_FRAMES = "too_few_frames"
    LOW_BITRATE = "low_bitrate"
    EXTREME_POSE = "extreme_pose"
    BETWEEN_THRESHOLDS = "between_thresholds"
    UNSTABLE = "unstable"
    FACES_DISAGREE = "faces_disagree"
    TRUNCATED = "truncated"
    OUT_OF_SCOPE = "out_of_scope"


class Failure(StrEnum):
    """Why a file has no result at all."""

    EMPTY = "empty"
    NOT_VIDEO = "not_video"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    TOO_MANY_PIXELS = "too_many_pixels"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    WORKER_LOST = "worker_lost"
    CANCELLED = "cancelled"
    NO_WEIGHTS = "no_weights"


REASON_SENTENCES: dict[Reason, str] = {
    Reason.NO_FACE: "No face was found in the frames that were looked at.",
    Reason.FACE_TOO_SMALL: "The faces are too small in the picture to be judged.",
    Reason.TOO_BLURRY: "The faces are too blurred to be judged.",
    Reason.TOO_FEW_FRAMES: "A face was seen in too few frames to be judged.",
    Reason.LOW_BITRATE: "Compression this strong can hide traces of manipulation and leave similar ones.",
    Reason.EXTREME_POSE: "The faces are turned too far away to be judged.",
    Reason.BETWEEN_THRESHOLDS: "The score lies between the limits for real and fake.",
    Reason.UNSTABLE: "The verdict changes when the video is compressed or scaled, so it can't be relied on.",
    Reason.FACES_DISAGREE: "The faces differ: at least one looks manipulated while another looks real.",
    Reason.TRUNCATED: "The file ends before it should; only the part that could be read was judged.",
    Reason.OUT_OF_SCOPE: "The face is unlike those that the model knows: drawn, animated, or no face at all.",
}

FAILURE_SENTENCES: dict[Failure, str] = {
    Failure.EMPTY: "The file is empty.",
    Failure.NOT_VIDEO: "The file is not a video, or holds no picture.",
    Failure.UNREADABLE: "The file is damaged: no frame of it could be read.",
    Failure.UNSUPPORTED: "This kind of video is not supported. Use MP4, MOV, AVI, WebM or MKV.",
    Failure.TOO_LARGE: "The file is larger than the limit.",
    Failure.TOO_LONG: "The video is longer than the limit.",
    Failure.TOO_MANY_PIXELS: "The picture is larger than the limit.",
    Failure.TIMED_OUT: "The analysis took longer than the limit and was stopped.",
    Failure.CRASHED: "The analysis broke down on this file.",
    Failure.WORKER_LOST: "The machine that analysed this file was lost too many times.",
    Failure.CANCELLED: "The analysis was cancelled.",
    Failure.NO_WEIGHTS: "No usable model weights are installed, so nothing can be analysed.",
}


def sentence(code: Reason | Failure) -> str:
    """The plain sentence of a reason or failure code."""
    return REASON_SENTENCES[code] if isinstance(code, Reason) else FAILURE_SENTENCES[code]
