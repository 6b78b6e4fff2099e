"""What the pages say about verdicts, failures and stages. The sentences of the codes are the detector’s.

The tables hold English, which documents and the API keep; whoever shows them to people translates them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from analyses.detection import MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS, Failure, Verdict


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """``headline`` is the answer, ``meaning`` what it says and doesn’t, ``steps`` what to do next."""

    headline: str
    meaning: str
    steps: tuple[str, ...]


VERDICTS: dict[str, VerdictWords] = {
    Verdict.FAKE: VerdictWords(
        _("Likely manipulated"),
        _(
            "At least one face in this clip looks to the model like faces that were swapped or altered. "
            "It is a strong lead, not proof: the model is sometimes wrong."
        ),
        (
            _(
                "Watch the frames shown below. Look at the edges of the face, the mouth, the teeth "
                "and the eyes."
            ),
            _("Look for the original: search for the same scene, an earlier upload or a better copy."),
            _(
                "Ask the source for the original file and analyse that: copies from social media "
                "are compressed."
            ),
            _("Don’t publish on this result alone. Find a second source and name it."),
        ),
    ),
    Verdict.REAL: VerdictWords(
        _("No sign of manipulation found"),
        _(
            "The faces look to the model like faces that nobody altered. That is not a certificate: "
            "a new or well-made manipulation can pass, and only the frames shown below were looked at."
        ),
        (
            _(
                "Check what this tool can’t see: the voice, the place, the date and whether the "
                "scene is from "
                "where it is said to be."
            ),
            _(
                "If the clip came through social media, get the file closest to the source and "
                "analyse it too."
            ),
            _(
                "If one moment is in doubt, cut it out and analyse it alone: more of its frames get "
                "looked at."
            ),
        ),
    ),
    Verdict.INCONCLUSIVE: VerdictWords(
        _("Can’t tell"),
        _(
            "What could be seen doesn’t support an answer in either direction. "
            "This says nothing about whether the clip is genuine."
        ),
        (
            _("Read the reasons: they say what stood in the way."),
            _("Look for a longer, larger or less compressed version of the clip and analyse that."),
            _("If the face is on screen for a moment only, cut that moment out and analyse it alone."),
            _("If no better version exists, treat the clip as unchecked and use other ways to verify it."),
        ),
    ),
}

FOUND: dict[str, str] = {
    "real": _("Found to be real"),
    "fake": _("Found to be manipulated"),
    "unknown": _("Found that it can’t be told"),
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
    size = gettext("too small to judge") if face_px < MIN_FACE_PX else gettext("large enough")
    focus = gettext("too blurry to judge") if sharpness < MIN_SHARPNESS else gettext("sharp enough")
    height = gettext("{height} pixels high, {least} needed").format(height=face_px, least=MIN_FACE_PX)
    return (
        QualityWords(gettext("Size"), size, height),
        QualityWords(gettext("Sharpness"), focus, f"{sharpness:.0f}, {_needed(MIN_SHARPNESS)}"),
        QualityWords(gettext("Turn"), _turned(yaw_deg), f"{yaw_deg:.0f}°, {_at_most(MAX_YAW_DEG)}"),
    )


def quality_ranges(
    face_px: tuple[float, float], sharpness: tuple[float, float], yaw_deg: tuple[float, float]
) -> tuple[QualityWords, ...]:
    """Of all faces, with the limits beyond which a face isn't judged."""
    height = gettext("{heights} pixels").format(heights=_range(face_px))
    return (
        QualityWords(gettext("Height of the faces"), height, _needed(MIN_FACE_PX)),
        QualityWords(gettext("Sharpness"), _range(sharpness), _needed(MIN_SHARPNESS)),
        QualityWords(gettext("Turned away by"), f"{_range(yaw_deg)}°", _at_most(MAX_YAW_DEG)),
    )


def _turned(yaw_deg: float) -> str:
    if yaw_deg > MAX_YAW_DEG:
        return gettext("turned too far to judge")
    return gettext("facing the camera") if yaw_deg <= FACING_DEG else gettext("turned")


def _needed(least: float) -> str:
    return gettext("{least} needed").format(least=f"{least:.0f}")


def _at_most(yaw_deg: float) -> str:
    return gettext("at most {angle}").format(angle=f"{yaw_deg:.0f}°")


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:.0f}" for end in ends)
    return low if low == high else gettext("{low} to {high}").format(low=low, high=high)


FAILURE_STEPS: dict[str, tuple[str, ...]] = {
    Failure.EMPTY: (_("Check that the file was saved completely, then upload it again."),),
    Failure.NOT_VIDEO: (
        _("Check that you chose the right file: sound files, pictures and playlists can’t be analysed."),
    ),
    Failure.UNREADABLE: (
        _("Play the file on your own machine. If it doesn’t play there, get it from its source again."),
        _("If it does play, save it as MP4 with another program and upload that copy."),
    ),
    Failure.UNSUPPORTED: (_("Save the video as MP4 with H.264 and upload that copy."),),
    Failure.TOO_LARGE: (
        _("Cut out the part in doubt and upload that. Cutting without re-encoding keeps the traces intact."),
    ),
    Failure.TOO_LONG: (
        _("Cut out the part in doubt and upload that. Cutting without re-encoding keeps the traces intact."),
    ),
    Failure.TOO_MANY_PIXELS: (_("Upload a version with a smaller picture, 4K (3840 × 2160) or below."),),
    Failure.TIMED_OUT: (
        _("Try again: the machine may have been busy."),
        _("If it happens again, cut out the part in doubt and upload that."),
    ),
    Failure.CRASHED: (
        _("Save the video as MP4 with H.264 and upload that copy."),
        _("If that fails too, tell the administrator of this site the number below."),
    ),
    Failure.WORKER_LOST: (_("Nothing is wrong with your file. Upload it again later."),),
    Failure.CANCELLED: (_("Nothing was scored. Upload the clip again whenever you like."),),
    Failure.NO_WEIGHTS: (_("Tell the administrator of this site. Your file needs no change."),),
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
    "analyses": _("You have started as many analyses in the last 24 hours as your account may."),
    "minutes": _("You have had as many minutes of video analysed in the last 24 hours as your account may."),
    "storage": _("Your account has no room left for this file."),
    "running": _("You have as many analyses waiting or running as your account may have at once."),
}
"""Why no other analysis is begun, by the quota that is full (``analyses.quotas``)."""
QUOTA_HINTS: dict[str, str] = {
    "analyses": _("The next one is possible from {frees_at} on."),
    "minutes": _("The next one is possible from {frees_at} on."),
    "storage": _("Delete analyses that you no longer need: their videos go with them."),
    "running": _("Try again when one of them is done."),
}
UNTIL_THEN = _(
    "Try again when those under way are done: until its length is known, a video counts as {longest}."
)

STAGE_NAMES: dict[str, str] = {
    "probe": _("Check the file"),
    "decode": _("Open the video"),
    "faces": _("Find and follow the faces"),
    "model": _("Score the faces"),
    "explain": _("Draw the heatmaps"),
}
STAGE_UNITS: dict[str, str] = {
    "probe": _("frames"),
    "decode": _("frames"),
    "faces": _("frames"),
    "model": _("face pictures"),
    "explain": _("heatmaps"),
}

CREDENTIALS: dict[str, str] = {
    "trusted": _("Signed by somebody on the trust list, and unchanged since"),
    "untrusted": _("Unchanged since it was signed, by somebody whom nobody here vouches for"),
    "invalid": _("Changed since it was signed, or damaged"),
    "none": _("None in this file"),
    "unread": _("Could not be read"),
}
"""What the page says of a file's Content Credentials, by their status."""
ABSENCE = _("Sites and messengers strip them from the files that they pass on.")
PRESENCE = _(
    "Content Credentials say who signed the file and what they claim of it. They don’t say that what it "
    "shows is true, and they had no part in the verdict."
)

FILTER_NAMES: dict[str, str] = {
    "verdict": _("verdict"),
    "state": _("state"),
    "model": _("model"),
    "q": _("name contains"),
    "since": _("from"),
    "until": _("until"),
    "sort": _("sorted by"),
}


def filter_words(filters: Mapping[str, str]) -> str:
    """The filters of an export, like "verdict: fake, from: 2026-01-31"."""
    return ", ".join(f"{gettext(FILTER_NAMES.get(name, name))}: {value}" for name, value in filters.items())
