"""From a clip's label and document to an outcome, and the subsets of outcomes that are reported apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.codes import Reason
from detector.evaluation.judging import Judged
from detector.evaluation.measures import Outcome
from detector.result import Document
from detector.training.labels import Clip

SET_NAMES = {"FF++": "FaceForensics++", "Celeb": "Celeb-DF"}


def outcome(clip: Clip, judged: Judged) -> Outcome:
    document = judged.document
    faces = document.get("faces", [])
    longest = max(faces, key=lambda face: face["frames"], default=None)
    quality = longest["quality"] if longest else {}
    return Outcome(
        fake=clip.fake,
        group=clip.group,
        source=clip.source,
        verdict=document.get("verdict", document.get("error", {}).get("code", "")),
        probability=document.get("fake_probability"),
        seconds=document["timing"]["total_s"] if "timing" in document else float("nan"),
        method=clip.method,
        compression=clip.compression,
        sharpness=quality.get("sharpness"),
        face_px=quality.get("face_px"),
        yaw_deg=quality.get("yaw_deg"),
        frames=longest["frames"] if longest else None,
        kbit_s=judged.kbit_s,
        bits_per_pixel=bits_per_pixel(judged),
        faces=sum(well_seen(face) for face in faces),
    )


def bits_per_pixel(judged: Judged) -> float | None:
    """Of the video stream, averaged over the clip; None where that isn't known."""
    video = judged.document.get("video", {})
    pixels_s = video.get("width", 0) * video.get("height", 0) * video.get("fps", 0.0)
    return 1000 * judged.kbit_s / pixels_s if judged.kbit_s is not None and pixels_s else None


def well_seen(face: Document) -> bool:
    """Whether the face counted for the clip's verdict."""
    return face["fake_probability"] is not None and set(face["reasons"]) <= {str(Reason.BETWEEN_THRESHOLDS)}


def outcomes_of(clips: Sequence[Clip], judged: Sequence[Judged]) -> list[Outcome]:
    return [outcome(clip, one) for clip, one in zip(clips, judged, strict=True)]


@dataclass(frozen=True, slots=True)
class Subset:
    """Outcomes reported together. ``by`` says how they were chosen: all, set, source, method, compression.

    places: their positions among all outcomes, so that the same clips can be found in another judging.
    """

    by: str
    name: str
    outcomes: tuple[Outcome, ...]
    places: tuple[int, ...]

    @property
    def fakes(self) -> int:
        return sum(o.fake for o in self.outcomes)

    @property
    def groups(self) -> int:
        return len({o.group for o in self.outcomes})

    def among(self, others: Sequence[Outcome]) -> list[Outcome]:
        """The same clips in another judging of all of them."""
        return [others[place] for place in self.places]


def family(source: str) -> str:
    """The data set that a source is part of: what stands before the first hyphen."""
    return source.split("-")[0]


def main_subsets(outcomes: Sequence[Outcome]) -> list[Subset]:
    """All clips, and each data set that has reals and fakes."""
    parts = [subset("all", "all", outcomes, range(len(outcomes)))]
    for name in ordered(family(o.source) for o in outcomes):
        places = [i for i, o in enumerate(outcomes) if family(o.source) == name]
        if len({outcomes[i].fake for i in places}) == 2:
            parts.append(subset("set", SET_NAMES.get(name, name), outcomes, places))
    return parts


def subsets(outcomes: Sequence[Outcome]) -> list[Subset]:
    """Also each source, method and compression: fakes with their reals beside them, or reals alone."""
    parts = main_subsets(outcomes)
    for by in ("source", "method", "compression"):
        for name in ordered(getattr(o, by) for o in outcomes if getattr(o, by)):
            chosen = [i for i, o in enumerate(outcomes) if getattr(o, by) == name]
            if by != "method" or any(outcomes[i].fake for i in chosen):
                parts.append(subset(by, name, outcomes, with_reals(outcomes, chosen)))
    return parts


def with_reals(outcomes: Sequence[Outcome], chosen: Sequence[int]) -> list[int]:
    """The chosen clips; where all are fake, also the reals nearest to them in origin.

    These are reals of the same data sets and compressions; failing these, of the same data sets; else all.
    """
    if not all(outcomes[i].fake for i in chosen):
        return list(chosen)
    families = {family(outcomes[i].source) for i in chosen}
    compressions = {outcomes[i].compression for i in chosen}
    reals = [i for i, o in enumerate(outcomes) if not o.fake]
    akin = [i for i in reals if family(outcomes[i].source) in families]
    alike = [i for i in akin if outcomes[i].compression in compressions]
    return sorted([*chosen, *(alike or akin or reals)])


def subset(by: str, name: str, outcomes: Sequence[Outcome], places: Iterable[int]) -> Subset:
    kept = tuple(places)
    return Subset(by, name, tuple(outcomes[place] for place in kept), kept)


def ordered(names: Iterable[str]) -> list[str]:
    return sorted(set(names))
