"""The loop that brings lost work back."""

import threading

import pytest

from truthlens_site import reconciling


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "LOOK_EVERY_S", 0.01)


def test_the_loop_goes_on_after_a_failure_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    calls: list[int] = []

    def fail_then_stop() -> None:
        calls.append(len(calls))
        if len(calls) == 3:
            stop.set()
        raise OSError("the database is away")

    monkeypatch.setattr(reconciling, "DUTIES", {fail_then_stop: 0.01})
    reconciling.reconcile_until(stop)
    assert calls == [0, 1, 2]


def test_what_costs_more_is_done_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    calls: list[str] = []

    def cheap() -> None:
        calls.append("cheap")
        if len(calls) == 5:
            stop.set()

    monkeypatch.setattr(reconciling, "DUTIES", {cheap: 0.01, lambda: calls.append("costly"): 3600.0})
    reconciling.reconcile_until(stop)
    assert calls == ["cheap", "costly", "cheap", "cheap", "cheap"]


def test_it_sees_to_dead_workers_lost_rows_and_stray_files() -> None:
    assert [duty.__name__ for duty in reconciling.DUTIES] == [
        "take_back",
        "reconcile",
        "purge",
        "remove_strays",
        "forget_old",
        "refresh_table_statistics",
    ]
