"""The simulated queue agrees with what is known of queues."""

import pytest

from benchmarks import queue_simulation
from benchmarks.queue_simulation import MEASURED, measured, simulate, workers_for


@pytest.mark.parametrize(("load", "p95_s"), [(0.5, 4.11), (0.8, 13.25)])
def test_one_worker_and_equal_clips_wait_as_the_formula_says(
    load: float, p95_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M/D/1; the waits are those of Erlang's formula (1909)."""
    monkeypatch.setattr(queue_simulation, "WARM_UP", 1000)
    waits = simulate([2.0], workers=1, load=load, clips=20_000, seed=1)
    assert waits.p95_s == pytest.approx(p95_s, rel=0.1)


def test_many_workers_wait_less_at_the_same_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_simulation, "WARM_UP", 1000)
    few, many = (simulate([1.0, 3.0], workers=number, load=0.8, clips=5000) for number in (2, 32))
    assert many.p95_s < few.p95_s


def test_the_measured_times_are_there() -> None:
    times_s, facts = measured(MEASURED)
    assert len(times_s) > 50
    assert min(times_s) > 0
    assert facts["cores"]
    assert workers_for(86_400, 1.0, 0.5) == 2
