"""The loop that brings lost work back."""

import threading

import pytest

from truthlens_site import reconciling


def test_the_loop_goes_on_after_a_failure_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    calls: list[int] = []

    def fail_then_stop() -> None:
        calls.append(len(calls))
        if len(calls) == 3:
            stop.set()
        raise OSError("the database is away")

    monkeypatch.setattr(reconciling, "reconcile", fail_then_stop)
    monkeypatch.setattr(reconciling, "EVERY_S", 0.01)
    reconciling.reconcile_until(stop)
    assert calls == [0, 1, 2]
