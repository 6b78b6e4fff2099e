"""Two results of the same file, line by line and face by face, with what differs marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from analyses.detection import Document
from analyses.models import Analysis
from analyses.report import Face, Report, report_of
from analyses.templatetags.figures import percent
from analyses.wording import VERDICTS

SAME_PLACE = 0.3
"""Overlap (intersection over union) from which two boxes of one frame are the same face."""

Box = Sequence[float]


@dataclass(frozen=True, slots=True)
class Line:
    """One fact in both results, in words."""

    label: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True, slots=True)
class FacePair:
    """One person as both results see them; None where one of them has no such face."""

    left: Face | None
    right: Face | None
    line: Line


@dataclass(frozen=True, slots=True)
class Comparison:
    outcome: tuple[Line, ...]
    made_with: tuple[Line, ...]
    faces: tuple[FacePair, ...]

    @property
    def verdicts_differ(self) -> bool:
        return self.outcome[0].differs


def comparison_of(left: Analysis, right: Analysis) -> Comparison:
    """Of two analyses that are done."""
    one, two = report_of(left), report_of(right)
    return Comparison(
        outcome=tuple(_lines(_outcome(left, one), _outcome(right, two))),
        made_with=tuple(_lines(_made_with(one), _made_with(two))),
        faces=tuple(_face_pairs(left, one, right, two)),
    )


def _lines(one: dict[str, str], two: dict[str, str]) -> Iterator[Line]:
    return (Line(label, words, two[label]) for label, words in one.items())


def _outcome(analysis: Analysis, report: Report) -> dict[str, str]:
    return {
        gettext("Verdict"): gettext(report.words.headline),
        gettext("Probability"): percent(analysis.fake_probability, report.threshold),
        gettext("Reasons"): " ".join(gettext(sentence) for _, sentence in report.reasons) or gettext("none"),
        gettext("Stability check"): _stability(report),
        gettext("Faces"): str(len(report.faces)),
        gettext("Frames scored"): str(report.frames_looked_at),
    }


def _made_with(report: Report) -> dict[str, str]:
    lower, upper = percent(report.lower_threshold), percent(report.threshold)
    return {
        gettext("Model"): report.model["name"],
        gettext("Version"): report.model["version"],
        gettext("SHA-256 of the weights"): report.model["sha256"],
        gettext("Calibration"): report.model["calibration"] or gettext("none given"),
        gettext("Limits"): gettext("fake from {upper}, real up to {lower}").format(upper=upper, lower=lower),
        gettext("Software"): ", ".join(f"{name} {version}" for name, version in report.software.items()),
    }


def _stability(report: Report) -> str:
    if report.stability is None:
        return gettext("not checked")
    if report.stability["stable"]:
        return gettext("same verdict when re-encoded")
    return gettext("changes when re-encoded")


def _face_pairs(left: Analysis, one: Report, right: Analysis, two: Report) -> Iterator[FacePair]:
    """Each face with the one at the same place in most frames; then those that only one result has."""
    partners = _partners(_boxes(left), _boxes(right))
    rest = {face.track: face for face in two.faces}
    for face in one.faces:
        yield _face_pair(one, face, two, rest.pop(partners.get(face.track, -1), None))
    for face in rest.values():
        yield _face_pair(one, None, two, face)


def _face_pair(one: Report, left: Face | None, two: Report, right: Face | None) -> FacePair:
    words = gettext("Face {track}")
    numbers = dict.fromkeys(words.format(track=face.track) for face in (left, right) if face is not None)
    line = Line(" / ".join(numbers), _judged(left, one.threshold), _judged(right, two.threshold))
    return FacePair(left, right, line)


def _judged(face: Face | None, threshold: float) -> str:
    if face is None:
        return gettext("not found")
    return f"{gettext(VERDICTS[face.verdict].headline)}, {percent(face.fake_probability, threshold)}"


def _boxes(analysis: Analysis) -> dict[int, dict[int, Box]]:
    """Of every track, its box in every frame that was scored."""
    document: Document = analysis.document or {}
    tracks: dict[int, dict[int, Box]] = {}
    for entry in document["frames"]:
        tracks.setdefault(entry["track"], {})[entry["frame"]] = entry["box"]
    return tracks


def _partners(left: dict[int, dict[int, Box]], right: dict[int, dict[int, Box]]) -> dict[int, int]:
    """Left tracks with their right ones: the pair that meets in most frames first, no track twice."""
    meetings = sorted(
        ((_meetings(left[one], right[two]), -one, -two) for one in left for two in right), reverse=True
    )
    partners: dict[int, int] = {}
    for count, one, two in meetings:
        if count and -one not in partners and -two not in partners.values():
            partners[-one] = -two
    return partners


def _meetings(left: dict[int, Box], right: dict[int, Box]) -> int:
    return sum(_overlap(left[frame], right[frame]) >= SAME_PLACE for frame in left.keys() & right.keys())


def _overlap(one: Box, two: Box) -> float:
    """Intersection over union of two boxes: x, y, width, height."""
    width = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    height = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    common = max(0.0, width) * max(0.0, height)
    return common / (one[2] * one[3] + two[2] * two[3] - common) if common else 0.0
