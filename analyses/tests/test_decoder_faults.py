"""A decoder that breaks, hangs or takes too much costs its analysis alone; a cancelled one ends at once."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from analyses import services
from analyses.detection import STAGES
from analyses.heartbeat import Heartbeat
from analyses.models import Analysis, State
from analyses.supervision import Supervisor
from analyses.tasks import run_analysis
from analyses.tests.factories import make_analysis
from detector import DetectorConfig, Limits

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
Act = Callable[[Analysis], None]
Trap = Callable[[str, Act], None]
PROMPT_S = 2.0
NEXT_S = 10.0


@pytest.fixture
def at_stage(monkeypatch: pytest.MonkeyPatch) -> Trap:
    """Do something at the first word of a stage, in every attempt."""

    def set_trap(wanted: str, act: Act) -> None:
        real = Heartbeat.on_progress

        def sprung(heart: Heartbeat, stage: str, done: int, total: int) -> None:
            real(heart, stage, done, total)
            if stage == wanted and not getattr(heart, "is_sprung", False):
                heart.is_sprung = True  # type: ignore[attr-defined]
                act(heart._analysis)

        monkeypatch.setattr(Heartbeat, "on_progress", sprung)

    return set_trap


def run(analysis: Analysis) -> Analysis:
    run_analysis(str(analysis.uuid))
    return Analysis.objects.get(pk=analysis.pk)


def limit_decoder(settings: Settings, limits: Limits) -> None:
    config: DetectorConfig = settings.DETECTOR
    settings.DETECTOR = replace(config, limits=limits)


def decoder_of(child: Supervisor) -> int:
    """The process that opens the file, once it is there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for listing in Path(f"/proc/{child.pid}/task").glob("*/children"):
            for pid in map(int, listing.read_text().split()):
                if b"detector.decoder" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
    pytest.fail("no decoder was started")


LIMITED = {
    "memory": (Limits(decode_memory_bytes=60 * 1024**2), "crashed"),
    "wall clock": (Limits(decode_wall_s=0.0), "timed_out"),
}


@pytest.mark.parametrize("limit", LIMITED)
def test_a_clip_that_takes_too_much_fails_with_its_code_and_the_next_one_runs(
    limit: str, alice: User, clip: Path, child: Supervisor, settings: Settings
) -> None:
    limits, code = LIMITED[limit]
    plain = settings.DETECTOR
    limit_decoder(settings, limits)
    costly = run(make_analysis(alice, content=clip.read_bytes()))
    assert (costly.state, costly.failure, costly.attempts) == (State.FAILED, code, 2)
    settings.DETECTOR = plain
    assert_the_next_one_runs(alice, clip, child)


def assert_the_next_one_runs(owner: User, clip: Path, child: Supervisor) -> None:
    """In the same process, which holds the model already."""
    pid, began = child.pid, time.monotonic()
    assert run(make_analysis(owner, content=clip.read_bytes())).state == State.DONE
    assert time.monotonic() - began < NEXT_S
    assert child.pid == pid


def test_a_clip_that_breaks_the_decoder_fails_and_the_next_one_runs(
    alice: User, clip: Path, child: Supervisor, at_stage: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_stage("probe", lambda analysis: os.kill(decoder_of(child), signal.SIGSEGV))
    broken = run(make_analysis(alice, content=clip.read_bytes()))
    assert (broken.state, broken.failure, broken.attempts) == (State.FAILED, "crashed", 2)
    monkeypatch.undo()
    assert_the_next_one_runs(alice, clip, child)


def test_a_decoder_that_hangs_is_ended_at_its_limit(
    alice: User, clip: Path, child: Supervisor, at_stage: Trap, settings: Settings
) -> None:
    limit_decoder(settings, Limits(decode_wall_s=0.5))
    at_stage("probe", lambda analysis: os.kill(decoder_of(child), signal.SIGSTOP))
    hung = run(make_analysis(alice, content=clip.read_bytes()))
    assert (hung.state, hung.failure, hung.attempts) == (State.FAILED, "timed_out", 2)


@pytest.mark.parametrize("stage", STAGES[:-1])  # with the tiny model the last one takes no time
def test_who_cancels_waits_for_two_seconds_at_most_and_the_model_stays_loaded(
    stage: str, alice: User, clip: Path, child: Supervisor, at_stage: Trap
) -> None:
    """The child stands still until the word has got to it, so that the stage isn't over before."""
    asked_at: list[float] = []
    pids: list[int] = []

    def cancel(analysis: Analysis) -> None:
        pid = child.pid
        assert pid is not None
        pids.append(pid)
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.7, os.kill, (pid, signal.SIGCONT)).start()
        services.request_cancel(analysis=Analysis.objects.get(pk=analysis.pk))
        asked_at.append(time.monotonic())

    at_stage(stage, cancel)
    cancelled = run(make_analysis(alice, content=clip.read_bytes()))
    assert (cancelled.state, cancelled.failure) == (State.CANCELLED, "cancelled")
    assert time.monotonic() - asked_at[0] < PROMPT_S
    assert pids == [child.pid]
