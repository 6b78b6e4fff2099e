"""How often clips whose truth is known scored like this one, from the evaluation of the same weights."""

from dataclasses import dataclass
from math import sqrt

from analyses.detection import ModelCard, known_clips

FEWEST_CLIPS = 20
"""With fewer clips, a share of them says nothing about a hundred."""
Z = 1.96


@dataclass(frozen=True, slots=True)
class Odds:
    """``alike`` of ``clips`` tested clips, all real or all manipulated, scored as this one or further out.

    ``low`` and ``high`` are the 95 % interval of their share (Wilson 1927), in clips of a hundred.
    """

    are_real: bool
    clips: int
    alike: int
    low: int
    high: int

    @property
    def of_hundred(self) -> int:
        return round(100 * self.alike / self.clips)


def odds_of(card: ModelCard | None, probability: float | None) -> Odds | None:
    """Real clips that scored as high, or manipulated ones as low; None where too few were tested."""
    if card is None or probability is None:
        return None
    tested, is_high = known_clips(card), probability >= 0.5
    scores = tested.real if is_high else tested.fake
    if len(scores) < FEWEST_CLIPS:
        return None
    alike = sum(score >= probability if is_high else score <= probability for score in scores)
    return Odds(is_high, len(scores), alike, *_interval(alike, len(scores)))


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), of at least one."""
    share, weight = count / total, Z * Z / total
    middle, reach = share + weight / 2, Z * sqrt(share * (1 - share) / total + weight / (4 * total))
    low, high = ((middle + sign * reach) / (1 + weight) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def _interval(alike: int, clips: int) -> tuple[int, int]:
    low, high = wilson(alike, clips)
    return round(100 * low), round(100 * high)
