"""/metrics: figures for Prometheus, from where they are true, for whoever may see them."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from analyses import claims, services, tallies
from analyses.detection import Failure
from analyses.models import Analysis
from analyses.tests.factories import make_analysis, make_done, make_running
from truthlens_site.metrics import PARTS
from truthlens_site.tests.workers import start_worker

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-the-monitor"


@pytest.fixture
def figures(client: Client) -> Callable[[], dict[str, float]]:
    """Every sample by its name with labels."""

    def read() -> dict[str, float]:
        answer = client.get("/metrics")
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.content.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    return read


def test_the_queue_is_measured_in_the_database(alice: User, figures: Callable[[], dict[str, float]]) -> None:
    waiting, _ = make_analysis(alice), make_running(alice)
    Analysis.objects.filter(pk=waiting.pk).update(created_at=waiting.created_at.replace(year=2020))
    found = figures()
    assert found['truthlens_analyses{state="queued"}'] == found['truthlens_analyses{state="running"}'] == 1
    assert found['truthlens_oldest_seconds{state="queued"}'] > 365 * 86_400
    assert 0 <= found['truthlens_oldest_seconds{state="running"}'] < 60


def test_what_workers_did_is_counted_for_good(
    alice: User, broker: str, figures: Callable[[], dict[str, float]]
) -> None:
    done = make_done(alice)
    claims.record_failure(analysis=make_running(alice), code=Failure.UNREADABLE)
    lost = make_running(alice, losses=4)
    claims.requeue_lost(analysis=lost)
    claims.requeue_lost(analysis=lost)  # no longer its claim: the loss is the same one
    services.delete_analysis(analysis=done)
    found = figures()
    assert found['truthlens_verdicts_total{verdict="fake"}'] == 1
    assert found['truthlens_failures_total{code="unreadable"}'] == 1
    assert found['truthlens_failures_total{code="worker_lost"}'] == 1
    assert found["truthlens_losses_total"] == 1
    assert found['truthlens_stage_seconds_sum{stage="faces"}'] == pytest.approx(1.4)
    assert found['truthlens_stage_seconds_bucket{le="1.0",stage="faces"}'] == 0
    assert found['truthlens_stage_seconds_bucket{le="3.0",stage="faces"}'] == 1
    assert found['truthlens_stage_seconds_bucket{le="+Inf",stage="faces"}'] == 1


def test_workers_are_seen_with_their_model_and_their_gpu(
    broker: str, figures: Callable[[], dict[str, float]]
) -> None:
    start_worker(broker, "a" * 64)
    start_worker(broker)
    found = figures()
    assert found["truthlens_workers"] == 2
    loaded = {
        name: value for name, value in found.items() if name.startswith("truthlens_worker_model_loaded")
    }
    assert sorted(loaded.values()) == [0, 1]
    used = {name: value for name, value in found.items() if name.startswith("truthlens_gpu_used_bytes")}
    assert list(used.values()) == [5]


def test_requests_are_counted_by_view_and_never_by_address(
    alice_client: Client, figures: Callable[[], dict[str, float]]
) -> None:
    def shown(method: str, view: str, status: int) -> float:
        name = f'truthlens_http_requests_total{{method="{method}",status="{status}",view="{view}"}}'
        return figures().get(name, 0)

    before = shown("GET", "none", 404), shown("other", "analyses", 405)
    alice_client.get("/no/such/page")
    alice_client.generic("BREW", "/analyses/")
    assert (shown("GET", "none", 404), shown("other", "analyses", 405)) == (before[0] + 1, before[1] + 1)
    assert not any("/no/such" in name or "BREW" in name for name in figures())


def test_what_can_not_be_asked_is_told_and_the_rest_is_there(
    figures: Callable[[], dict[str, float]],
) -> None:
    found = figures()
    up = {part: found[f'truthlens_up{{part="{part}"}}'] for part in PARTS}
    assert up == {"database": 1, "workers": 0, "tallies": 0, "machine": 1}
    assert found['truthlens_disk_free_bytes{folder="media"}'] > 0


@pytest.mark.parametrize(
    ("given", "status"),
    [(f"Bearer {TOKEN}", 200), ("Bearer another", 404), (f"Token {TOKEN}", 404), ("", 404)],
)
def test_a_token_is_needed_where_one_is_set(
    client: Client, settings: Settings, given: str, status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": given}).status_code == status
    assert (
        client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": given}).status_code == status
    )


@pytest.mark.parametrize("address", ["10.0.0.9", "", "nonsense"])
def test_without_a_token_it_is_for_this_machine_alone(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404


@pytest.mark.parametrize("name", ["PRODUCTION", "TRUSTED_PROXIES", "X-Forwarded-For", "Forwarded"])
def test_a_proxy_on_this_machine_opens_nothing(client: Client, settings: Settings, name: str) -> None:
    headers = {}
    if name.isupper():
        setattr(settings, name, 1)
    else:
        headers[name] = "127.0.0.1"
    assert client.get("/metrics", headers=headers).status_code == 404


def test_a_count_without_a_broker_is_lost_and_nothing_else(alice: User) -> None:
    assert make_done(alice).state == "done"
    tallies.count_loss()
