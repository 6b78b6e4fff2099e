import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analyses.supervision import (
    ChildBroke,
    ChildLost,
    Died,
    Interrupted,
    Overran,
    Progress,
    Stopped,
    Supervisor,
)
from analyses.tests.children import die_warming_up, play
from truthlens_site.tests.services import wait_until


@pytest.fixture(scope="module")
def shared() -> Iterator[Supervisor]:
    """One supervisor for the tests that leave its child alive."""
    supervisor = Supervisor(play, ("warm up",))
    yield supervisor
    supervisor.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(play, ("warm up",))
    yield supervisor
    supervisor.close()


def ask(
    supervisor: Supervisor,
    *request: object,
    limit_s: float = 30,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> object:
    return supervisor.run(request, limit_s=limit_s, on_progress=on_progress, should_stop=should_stop)


def gone(pid: int) -> bool:
    """Whether no such process runs. Zombies run no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_answer_comes_from_another_process(shared: Supervisor) -> None:
    assert ask(shared, "pid") == shared.pid
    assert shared.pid != os.getpid()


def test_the_child_stays_from_request_to_request(shared: Supervisor) -> None:
    assert ask(shared, "pid") == ask(shared, "pid")


def test_progress_arrives_in_order_before_the_answer(shared: Supervisor) -> None:
    seen: list[Progress] = []
    answer = ask(shared, "count", 50, on_progress=lambda *step: seen.append(Progress(*step)))
    assert answer == 50
    assert seen == [Progress("decode", done, 50) for done in range(1, 51)]


def test_scores_arrive_in_order_before_the_answer_and_may_go_unheard(shared: Supervisor) -> None:
    seen: list[tuple[float, int]] = []
    answer = shared.run(
        ("score", 20),
        limit_s=30,
        on_progress=lambda stage, done, total: None,
        on_scores=lambda duration, scores: seen.extend((duration, score.frame) for score in scores),
        should_stop=lambda: False,
    )
    assert answer == 20
    assert seen == [(4.0, frame) for frame in range(20)]
    assert ask(shared, "score", 3) == 3


def test_a_large_answer_arrives_whole(shared: Supervisor) -> None:
    image = os.urandom(3_000_000)
    assert ask(shared, "echo", image) == image


def test_a_child_that_is_asked_to_stop_ends_by_itself_and_stays(shared: Supervisor) -> None:
    before = ask(shared, "pid")
    assert ask(shared, "until stopped", should_stop=lambda: True) == "stopped"
    assert ask(shared, "pid") == before


def test_a_stop_that_comes_too_late_does_not_stop_the_next_request(shared: Supervisor) -> None:
    assert ask(shared, "sleep", 0.3, should_stop=lambda: True) == "slept"
    asked_at = time.monotonic()
    calls = iter([False, False, True])
    assert ask(shared, "until stopped", should_stop=lambda: next(calls, True)) == "stopped"
    assert time.monotonic() - asked_at > 0.3


def test_a_child_over_its_limit_is_killed_and_replaced(supervisor: Supervisor) -> None:
    first = ask(supervisor, "pid")
    with pytest.raises(Overran):
        ask(supervisor, "sleep", 60.0, limit_s=0.3)
    assert isinstance(first, int)
    assert gone(first)
    assert ask(supervisor, "echo", "next") == "next"


def test_a_child_that_dies_costs_this_request_only(supervisor: Supervisor) -> None:
    with pytest.raises(Died, match="-9"):
        ask(supervisor, "die")
    assert ask(supervisor, "echo", "next") == "next"


def test_a_child_that_does_not_stop_in_time_is_killed(supervisor: Supervisor) -> None:
    ask(supervisor, "pid")
    began = time.monotonic()
    with pytest.raises(Stopped):
        ask(supervisor, "sleep", 60.0, should_stop=lambda: True)
    assert time.monotonic() - began < 2


def test_an_unexpected_exception_comes_with_its_traceback(supervisor: Supervisor) -> None:
    with pytest.raises(ChildBroke, match="RuntimeError: nobody expected this"):
        ask(supervisor, "break")


def test_an_interrupt_ends_the_request_at_once_and_leaves_no_child(supervisor: Supervisor) -> None:
    child = ask(supervisor, "pid")
    threading.Timer(0.3, supervisor.interrupt).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        ask(supervisor, "sleep", 60.0)
    assert time.monotonic() - began < 5
    assert isinstance(child, int)
    assert gone(child)
    assert supervisor.pid is None


def test_a_child_that_dies_between_requests_is_replaced_unnoticed(supervisor: Supervisor) -> None:
    first = ask(supervisor, "pid")
    assert isinstance(first, int)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: gone(first), seconds=5, what="the child's end")
    assert ask(supervisor, "echo", "next") == "next"


def test_a_child_that_dies_warming_up_is_not_the_request_s_fault() -> None:
    supervisor = Supervisor(die_warming_up, ("warm up",))
    try:
        with pytest.raises(ChildLost):
            ask(supervisor, "echo", 1)
    finally:
        supervisor.close()


def test_the_child_ignores_signals_that_the_whole_group_gets(supervisor: Supervisor) -> None:
    child = ask(supervisor, "pid")
    assert isinstance(child, int)
    os.kill(child, signal.SIGINT)
    os.kill(child, signal.SIGTERM)
    assert ask(supervisor, "pid") == child


ORPHAN = """
import time
from analyses.supervision import Supervisor
from analyses.tests.children import play

if __name__ == "__main__":
    supervisor = Supervisor(play, ("warm up",))
    print(supervisor.run(("pid",), limit_s=30, on_progress=print, should_stop=lambda: False), flush=True)
    time.sleep(60)
"""


def test_killing_the_supervising_process_leaves_no_orphan(tmp_path: Path) -> None:
    script = tmp_path / "supervising.py"
    script.write_text(ORPHAN)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
    finally:
        parent.kill()
        parent.wait(timeout=10)
    wait_until(lambda: gone(child), seconds=5, what="the child's end")
    parent.stdout.close()
