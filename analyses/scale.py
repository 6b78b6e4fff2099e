"""The scale from 0 to 100 % with the two limits and the clip's mark, as positions for an SVG."""

from dataclasses import dataclass

from analyses.detection import Verdict


@dataclass(frozen=True, slots=True)
class Scale:
    """Percent of the width. ``anchor`` keeps the mark's label inside the picture."""

    lower: float
    upper: float
    mark: float | None = None
    zone: str = ""

    @property
    def middle_width(self) -> float:
        return self.upper - self.lower

    @property
    def upper_width(self) -> float:
        return 100 - self.upper

    @property
    def anchor(self) -> str:
        if self.mark is None or 25 <= self.mark <= 75:
            return "middle"
        return "start" if self.mark < 25 else "end"


def scale_of(threshold: float, probability: float | None = None) -> Scale:
    lower, upper = round(100 * (1 - threshold), 2), round(100 * threshold, 2)
    if probability is None:
        return Scale(lower, upper)
    mark = round(100 * probability, 2)
    return Scale(lower, upper, mark, _zone(mark, lower, upper))


def _zone(mark: float, lower: float, upper: float) -> str:
    """The verdict that the number alone would give."""
    if mark >= upper:
        return str(Verdict.FAKE)
    return str(Verdict.REAL if mark <= lower else Verdict.INCONCLUSIVE)
