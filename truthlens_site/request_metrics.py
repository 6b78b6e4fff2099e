"""What this web process answered, for ``/metrics``. Each web process is asked for its own figures."""

from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REGISTRY = CollectorRegistry()
_requests = Counter(
    "truthlens_http_requests", "Requests by view.", ["method", "view", "status"], registry=REGISTRY
)
_seconds = Histogram(
    "truthlens_http_request_seconds",
    "Seconds until an answer began.",
    ["view"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0),
    registry=REGISTRY,
)


def count(*, method: str, view: str, status: int, seconds: float) -> None:
    """A client may send any word as its method; those that nobody knows count as one."""
    _requests.labels(method if method in METHODS else "other", view, str(status)).inc()
    _seconds.labels(view).observe(seconds)
