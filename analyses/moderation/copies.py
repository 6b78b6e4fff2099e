"""Other uploads of the same bytes, counted: what others uploaded is not shown to moderators by this way."""

from collections import Counter
from dataclasses import dataclass

from analyses.detection import Verdict
from analyses.models import Analysis


@dataclass(frozen=True, slots=True)
class Copies:
    """Results that other accounts have of the same file, by verdict code."""

    accounts: int
    verdicts: dict[str, int]


def copies_of(analysis: Analysis) -> Copies:
    others = Analysis.objects.filter(video__sha256=analysis.video.sha256).exclude(owner=analysis.owner_id)
    found = list(others.order_by().values_list("owner", "verdict"))
    counts = Counter(verdict for _, verdict in found)
    verdicts = {str(code): counts[str(code)] for code in Verdict if counts[str(code)]}
    return Copies(len({owner for owner, _ in found}), verdicts)
