"""Broker, worker and inference child as real processes, and what happens when one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings
from redis import Redis
from rq import Worker

from accounts.models import User
from analyses import services
from analyses.exports import result_json
from analyses.log_context import REQUEST, bound
from analyses.models import Analysis, State
from analyses.queue import analysis_queue
from analyses.reconciler import reconcile, take_back
from detector.tests.documents import check_document
from truthlens_site.tests.services import (
    broker_answers,
    running,
    short_folder,
    tethered,
    valkey_command,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
START_S = 60
NAME = "the minister.mp4"


class Site:
    """A broker with its worker, started with this test's database, files and weights."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        command = tethered([sys.executable, "manage.py", "worker"])
        with running(command, log=self.log, env=self.environment) as process:
            yield process


@pytest.fixture
def site(broker: str, installed_weights: Path, settings: Settings, tmp_path: Path) -> Site:
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "TRUTHLENS_STATE": str(settings.STATE),
        "TRUTHLENS_ENV_FILE": str(tmp_path / "none"),
        "DATABASE_URL": f"sqlite:///{name}",
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "REDIS_URL": broker,
        "MODEL_PATH": str(installed_weights),
        "DEVICE": "cpu",
        "LOG_FORMAT": "json",
    }
    return Site(environment, tmp_path / "worker.log")


def submit(owner: User, clip: Path) -> Analysis:
    """A new analysis: behind its film the file differs from every other one."""
    upload = SimpleUploadedFile(NAME, clip.read_bytes() + uuid4().bytes)
    return services.submit_analysis(owner=owner, upload=upload)


def reaches(analysis: Analysis, *states: State) -> Callable[[], bool]:
    return lambda: Analysis.objects.filter(pk=analysis.pk, state__in=states).exists()


def has_attempts(analysis: Analysis, attempts: int) -> Callable[[], bool]:
    return lambda: Analysis.objects.filter(pk=analysis.pk, attempts=attempts).exists()


def children(pid: int) -> list[int]:
    """The processes that the worker has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def idle_child(worker: "subprocess.Popen[bytes]", first: Analysis) -> int:
    """The warm child, once it is done with its first analysis. Multiprocessing keeps a tracker beside it."""
    wait_until(reaches(first, State.DONE), seconds=START_S, what="the first analysis")
    wait_until(is_idle, seconds=START_S, what="the end of the job")
    (child,) = [c for c in children(worker.pid) if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    return child


def is_idle() -> bool:
    """Whether the broker knows of one worker, and that it waits."""
    workers = Worker.all(connection=analysis_queue().connection)
    return [worker.get_state() for worker in workers] == ["idle"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends_within(process: "subprocess.Popen[bytes]", *, seconds: float) -> bool:
    """Ask it to end; whether it ends in time and says that all is well."""
    process.terminate()
    return process.wait(timeout=seconds) == 0


def test_a_clip_goes_in_and_a_checked_result_comes_out(
    site: Site, broker: str, alice: User, clip: Path
) -> None:
    with bound({REQUEST: "a-request"}):
        analysis = submit(alice, clip)
    with site.worker() as process:
        wait_until(reaches(analysis, State.DONE, State.FAILED), seconds=START_S, what="the analysis")
        with Redis.from_url(broker) as redis:
            (worker,) = Worker.all(connection=redis)
            assert 0 < redis.ttl(worker.key) <= 30
            assert ends_within(process, seconds=15)
            assert Worker.all(connection=redis) == []
    analysis.refresh_from_db()
    assert (analysis.state, analysis.failure) == (State.DONE, "")
    check_document(result_json(analysis))
    check_log(site.log, analysis)


def check_log(log: Path, analysis: Analysis) -> None:
    """Worker and child say, one JSON object a line, what they are about, and nothing of whose it is."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    about = [line for line in lines if line.get("analysis_id") == str(analysis.uuid)]
    assert {line["part"] for line in about} == {"worker", "child"}
    assert {line["request_id"] for line in about} == {"a-request"}
    assert {line["process"] for line in lines if line["part"] == "child"}.isdisjoint(
        line["process"] for line in lines if line["part"] == "worker"
    )
    for word in (analysis.owner.email, "alice", NAME, NAME.partition(".")[0]):
        assert word not in log.read_text()


def test_a_killed_child_costs_one_attempt_and_a_killed_worker_costs_none(
    site: Site, alice: User, clip: Path
) -> None:
    with site.worker() as first:
        child = idle_child(first, submit(alice, clip))
        os.kill(child, signal.SIGSTOP)
        analysis = submit(alice, clip)
        wait_until(reaches(analysis, State.RUNNING), seconds=10, what="the claim")
        os.kill(child, signal.SIGKILL)
        wait_until(has_attempts(analysis, 1), seconds=15, what="the second attempt")
        wait_until(lambda: len(children(first.pid)) == 2, seconds=10, what="the next child")
        orphans = children(first.pid)
        first.kill()
        first.wait(timeout=10)
        wait_until(lambda: not any(map(alive, orphans)), seconds=10, what="the end of its children")

    analysis.refresh_from_db()
    assert analysis.state == State.RUNNING
    take_back()
    with site.worker():
        wait_until(reaches(analysis, State.DONE, State.FAILED), seconds=START_S, what="the analysis")
    analysis.refresh_from_db()
    assert (analysis.state, analysis.attempts, analysis.losses) == (State.DONE, 1, 1)


def test_a_child_that_hangs_is_cancelled_and_a_worker_that_is_asked_to_end_gives_the_next_one_back(
    site: Site, alice: User, clip: Path
) -> None:
    with site.worker() as process:
        os.kill(idle_child(process, submit(alice, clip)), signal.SIGSTOP)
        unwanted = submit(alice, clip)
        wait_until(reaches(unwanted, State.RUNNING), seconds=10, what="the claim")
        services.request_cancel(analysis=unwanted)
        wait_until(reaches(unwanted, State.CANCELLED), seconds=20, what="the cancellation")
        wanted = submit(alice, clip)
        wait_until(reaches(wanted, State.RUNNING), seconds=10, what="the next claim")
        its_children = children(process.pid)
        assert ends_within(process, seconds=15)
        wait_until(lambda: not any(map(alive, its_children)), seconds=10, what="the end of its children")
    wanted.refresh_from_db()
    assert (wanted.state, wanted.attempts, wanted.losses) == (State.QUEUED, 0, 0)


def test_the_worker_outlives_a_killed_broker_and_takes_the_next_analysis(
    site: Site, settings: Settings, alice: User, clip: Path, tmp_path: Path
) -> None:
    with short_folder() as folder:
        url = f"unix://{folder}/valkey.sock"
        settings.RQ_QUEUES = {"default": {**settings.RQ_QUEUES["default"], "URL": url}}
        site.environment["REDIS_URL"] = url
        command = tethered(valkey_command(folder / "valkey.sock", folder))
        with running(command, log=tmp_path / "broker.log") as broker:
            wait_until(lambda: broker_answers(url), seconds=30, what="the broker's start")
            with site.worker() as worker:
                with Redis.from_url(url) as redis:
                    wait_until(
                        lambda: Worker.all(connection=redis), seconds=START_S, what="the worker's entry"
                    )
                broker.kill()
                broker.wait(timeout=10)
                analysis = submit(alice, clip)
                with running(command, log=tmp_path / "broker.log"):
                    wait_until(lambda: broker_answers(url), seconds=30, what="the broker's second start")
                    reconcile()
                    wait_until(reaches(analysis, State.DONE), seconds=START_S, what="the analysis")
                    assert worker.poll() is None
                    assert ends_within(worker, seconds=15)


def test_the_job_is_read_by_nothing_but_json(site: Site, broker: str, alice: User, clip: Path) -> None:
    analysis = submit(alice, clip)
    with Redis.from_url(broker) as redis:
        data = zlib.decompress(redis.hget(f"rq:job:{analysis.uuid}", "data"))
    assert json.loads(data) == ["analyses.tasks.run_analysis", None, [str(analysis.uuid)], {}]
