"""The dashboard's figures, out of the database: loads, failures, verdicts, and how often people disagree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from analyses.detection import FAILURE_SENTENCES, Failure, Verdict
from analyses.models import Analysis, Dispute, Export, State, Video
from analyses.moderation.models import OVERRULES, Case, Complaint, Label
from analyses.odds import wilson
from analyses.scale import scale_of

MOST_ROWS = 20_000
"""So many of the newest rows are read for times and for the what-if."""
WINDOW = timedelta(days=30)
SPANS = ((_("24 hours"), timedelta(hours=24)), (_("7 days"), timedelta(days=7)))


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``, with the 95 % interval of the share; all 0 without any."""

    count: int
    total: int

    @property
    def share(self) -> float:
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.count, self.total) if self.total else (0.0, 1.0)

    @property
    def percents(self) -> tuple[int, int, int]:
        """The share and the ends of its interval, in whole percent."""
        low, high = self.interval
        return round(100 * self.share), round(100 * low), round(100 * high)


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds; None where nothing ran."""

    name: str
    count: int
    waiting_p50: float | None
    waiting_p95: float | None
    running_p50: float | None
    running_p95: float | None


@dataclass(frozen=True, slots=True)
class Load:
    waiting: int
    running: int
    longest_wait_s: float
    disputed: int
    reported: int
    proposed: int
    held: int


@dataclass(frozen=True, slots=True)
class Storage:
    videos: int
    video_bytes: int
    export_bytes: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A result as its probability, the limit that it was judged by and its verdict, with a person's label."""

    probability: float | None
    threshold: float
    verdict: str
    label: str = ""

    def verdict_at(self, threshold: float) -> str:
        """With another limit. What was no verdict for another reason than its number still is none."""
        own = scale_of(self.threshold, self.probability).zone
        if self.probability is None or own != self.verdict:
            return str(Verdict.INCONCLUSIVE)
        return str(scale_of(threshold, self.probability).zone)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of labelled clips: manipulated ones found or missed, real ones passed or accused, and no answers."""

    found: Share
    passed: Share
    accused: Share
    missed: Share
    undecided: Share
    right: Share


def load() -> Load:
    oldest = Analysis.objects.queued().order_by("created_at").values_list("created_at", flat=True).first()
    return Load(
        waiting=Analysis.objects.queued().count(),
        running=Analysis.objects.running().count(),
        longest_wait_s=(timezone.now() - oldest).total_seconds() if oldest else 0.0,
        reported=Complaint.objects.open().values("analysis").distinct().count(),
        disputed=Dispute.objects.filter(state=Dispute.State.OPEN).count(),
        proposed=Case.objects.filter(awaits_second=True).count(),
        held=Case.objects.held().count(),
    )


def times() -> list[Times]:
    """Of the analyses that a worker took within each span."""
    return [_times(gettext(name), timezone.now() - length) for name, length in SPANS]


def _times(name: str, since: datetime) -> Times:
    rows = Analysis.objects.filter(started_at__gte=since).order_by("-started_at")
    moments = list(rows.values_list("created_at", "started_at", "finished_at")[:MOST_ROWS])
    waiting = [_seconds(created, started) for created, started, _ in moments if started]
    running = [_seconds(started, ended) for _, started, ended in moments if started and ended]
    return Times(
        name,
        len(moments),
        percentile(waiting, 50),
        percentile(waiting, 95),
        percentile(running, 50),
        percentile(running, 95),
    )


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def percentile(values: Sequence[float], percent: int) -> float | None:
    """By the nearest rank: the smallest value that so many percent don't exceed."""
    if not values:
        return None
    return sorted(values)[max(1, ceil(len(values) * percent / 100)) - 1]


def failures() -> list[tuple[str, str, int]]:
    """Code, sentence and number, the most frequent first, of the last thirty days."""
    rows = Analysis.objects.filter(state=State.FAILED, created_at__gte=timezone.now() - WINDOW).order_by()
    counts = rows.values_list("failure").annotate(number=Count("pk")).order_by("-number", "failure")
    return [(code, FAILURE_SENTENCES[Failure(code)], number) for code, number in counts]


def verdict_shares() -> list[tuple[str, Share]]:
    """Of the last thirty days' results."""
    return shares_of(scored.verdict for scored in recent())


def shares_of(verdicts: Iterable[str]) -> list[tuple[str, Share]]:
    found = list(verdicts)
    return [(str(code), Share(found.count(str(code)), len(found))) for code in Verdict]


def overruled() -> Share:
    """Of the results that moderators judged, those whose model they overruled."""
    judged = Case.objects.exclude(label="")
    return Share(judged.filter(judgement__kind__in=list(OVERRULES)).count(), judged.count())


def storage() -> Storage:
    videos = Video.objects.exclude(file="").aggregate(number=Count("pk"), total=Sum("size_bytes"))
    exports = Export.objects.aggregate(total=Sum("size_bytes"))
    return Storage(videos["number"], videos["total"] or 0, exports["total"] or 0)


def recent() -> list[Scored]:
    rows = Analysis.objects.filter(state=State.DONE, created_at__gte=timezone.now() - WINDOW)
    columns = rows.order_by("-created_at").values_list("fake_probability", "threshold", "verdict")
    return [Scored(share, limit or 0.0, verdict) for share, limit, verdict in columns[:MOST_ROWS]]


def labelled() -> list[Scored]:
    """What people found real or fake: the newest label of each file and model, so that none counts twice."""
    rows = Case.objects.filter(label__in=[Label.REAL, Label.FAKE]).order_by("judgement_id")
    columns = rows.values_list(
        "analysis__video__sha256",
        "analysis__model_sha256",
        "analysis__fake_probability",
        "analysis__threshold",
        "analysis__verdict",
        "label",
    )
    newest = {
        (video, model): Scored(share, limit or 0.0, verdict, label)
        for video, model, share, limit, verdict, label in columns
    }
    return list(newest.values())


def accuracy(clips: Sequence[Scored], threshold: float | None = None) -> Accuracy:
    """At the limit that each was judged by, or at another."""
    pairs = [
        (clip.label, clip.verdict if threshold is None else clip.verdict_at(threshold)) for clip in clips
    ]

    def share(label: str, verdict: str) -> Share:
        of_label = [found for truth, found in pairs if truth == label]
        return Share(of_label.count(verdict), len(of_label))

    decided = [(truth, found) for truth, found in pairs if found != Verdict.INCONCLUSIVE]
    return Accuracy(
        found=share("fake", "fake"),
        passed=share("real", "real"),
        accused=share("real", "fake"),
        missed=share("fake", "real"),
        undecided=Share(len(pairs) - len(decided), len(pairs)),
        right=Share(sum(truth == found for truth, found in decided), len(decided)),
    )
