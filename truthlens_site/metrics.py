"""``/metrics`` in the format of Prometheus.

Queues come from the database, which is the truth; what workers did and how they are, from the broker, where
they write it; requests are this process' own. Nothing here loads the detector.
"""

import hmac
import logging
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from analyses import tallies
from analyses.models import Analysis, Export
from analyses.workforce import workers
from truthlens_site.health import disk_folders, free_bytes, installed_card
from truthlens_site.request_metrics import REGISTRY

logger = logging.getLogger(__name__)

PROXY_HEADERS = ("X-Forwarded-For", "Forwarded")


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 for whoever may not see them, as for an address that does not exist."""
    if not may_see(request):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector())
    content = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(content, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_see(request: HttpRequest) -> bool:
    """Whoever has the token; without one this machine, and in production nobody.

    A proxy on this machine makes every visitor look like this machine, so what it passed on doesn't count.
    """
    if settings.METRICS_TOKEN:
        wanted = f"Bearer {settings.METRICS_TOKEN}"
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted.encode())
    proxied = settings.TRUSTED_PROXIES or any(name in request.headers for name in PROXY_HEADERS)
    return not settings.PRODUCTION and not proxied and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class SiteCollector:
    """One look at everything. What can't be asked is left out, and ``truthlens_up`` says so."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("truthlens_up", "Whether a part could be asked.", labels=["part"])
        for part, measure in PARTS.items():
            try:
                found = list(measure())
            except Exception as error:  # a database or broker that is away is told, not a failure
                logger.warning("Metrics of the %s can't be had: %s", part, error)
                found = []
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
            yield from found
        yield up


def database_metrics() -> Iterator[Metric]:
    rows = (
        Analysis.objects.unfinished().values("state").annotate(number=Count("pk"), oldest=Min("created_at"))
    )
    found = {row["state"]: row for row in rows}
    depth = GaugeMetricFamily("truthlens_analyses", "Analyses that wait or run.", labels=["state"])
    age = GaugeMetricFamily("truthlens_oldest_seconds", "Since the oldest of them came.", labels=["state"])
    for state in ("queued", "running"):
        row = found.get(state)
        depth.add_metric([state], row["number"] if row else 0)
        age.add_metric([state], (timezone.now() - row["oldest"]).total_seconds() if row else 0)
    yield from (depth, age)
    exports = Export.objects.unfinished().count()
    yield GaugeMetricFamily("truthlens_exports", "Exports that wait or are being written.", value=exports)


def worker_metrics() -> Iterator[Metric]:
    living = workers()
    yield GaugeMetricFamily("truthlens_workers", "Workers that live.", value=len(living))
    busy = GaugeMetricFamily("truthlens_worker_busy", "Whether a worker has a job.", labels=["worker"])
    loaded = GaugeMetricFamily(
        "truthlens_worker_model_loaded", "Whether its model is loaded.", labels=["worker", "sha256"]
    )
    used = GaugeMetricFamily("truthlens_gpu_used_bytes", "GPU memory in use.", labels=["worker"])
    total = GaugeMetricFamily("truthlens_gpu_bytes", "GPU memory there is.", labels=["worker"])
    for worker in living:
        busy.add_metric([worker.name], worker.busy)
        loaded.add_metric([worker.name, worker.model_sha256], bool(worker.model_sha256))
        if worker.gpu_total:
            used.add_metric([worker.name], worker.gpu_used)
            total.add_metric([worker.name], worker.gpu_total)
    yield from (busy, loaded, used, total)


def tally_metrics() -> Iterator[Metric]:
    counts = tallies.tallies()
    yield _counter("truthlens_verdicts", "Results by verdict.", "verdict", tallies.VERDICTS, counts)
    yield _counter(
        "truthlens_failures", "Analyses without a result, by code.", "code", tallies.FAILURES, counts
    )
    losses = counts.get((tallies.LOSSES,), 0)
    yield CounterMetricFamily("truthlens_losses", "Workers lost in the middle of an analysis.", value=losses)
    stages = HistogramMetricFamily("truthlens_stage_seconds", "Time of each stage.", labels=["stage"])
    for kind, *rest in sorted(counts):
        if kind == tallies.RUNS:
            buckets = [
                (str(bound), counts.get((tallies.WITHIN, rest[0], str(bound)), 0.0))
                for bound in tallies.BOUNDS_S
            ]
            runs = counts[tallies.RUNS, rest[0]]
            stages.add_metric(rest, [*buckets, ("+Inf", runs)], counts[tallies.SECONDS, rest[0]])
    yield stages


def _counter(
    name: str, text: str, label: str, kind: str, counts: dict[tuple[str, ...], float]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, number in sorted(counts.items()):
        if key[0] == kind:
            family.add_metric([key[1]], number)
    return family


def machine_metrics() -> Iterator[Metric]:
    free = GaugeMetricFamily("truthlens_disk_free_bytes", "Room where files are written.", labels=["folder"])
    for folder in disk_folders():
        free.add_metric([folder.name], free_bytes(folder))
    yield free
    model = GaugeMetricFamily(
        "truthlens_weights", "The weights in use.", labels=["name", "version", "sha256"]
    )
    if card := installed_card():
        model.add_metric([card.name, card.version, card.sha256], 1)
    yield model


PARTS: dict[str, Callable[[], Iterator[Metric]]] = {
    "database": database_metrics,
    "workers": worker_metrics,
    "tallies": tally_metrics,
    "machine": machine_metrics,
}
