"""Which queue a job waits in, and which worker takes it."""

import pytest
from pytest_django import Settings

from accounts.models import User
from analyses.models import Analysis
from analyses.queue import (
    CHORES,
    DEFAULT,
    GPU,
    analysis_queue,
    enqueue,
    enqueue_copy,
    enqueue_export,
    enqueue_notice,
    queue_of,
    queued_copies,
    queued_exports,
    queued_notices,
    queued_uuids,
)
from analyses.tests.factories import make_analysis
from analyses.worker import make_worker

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("wanted", "backbone", "stability", "queue"),
    [
        ([], "", False, DEFAULT),
        ([], "resnext50", True, DEFAULT),
        (["all"], "", False, GPU),
        (["stability"], "", False, DEFAULT),
        (["stability"], "", True, GPU),
        (["resnext50"], "resnext50", False, GPU),
        (["resnext50"], "efficientnet", True, DEFAULT),
        (["efficientnet"], "", False, GPU),
    ],
)
def test_an_analysis_waits_where_the_site_sends_its_kind(
    alice: User, settings: Settings, wanted: list[str], backbone: str, stability: bool, queue: str
) -> None:
    settings.GPU_ANALYSES = wanted
    assert queue_of(make_analysis(alice, backbone=backbone, stability=stability).uuid) == queue


@pytest.mark.usefixtures("broker")
def test_what_needs_no_model_waits_apart_and_all_of_it_is_found_again(
    queued: Analysis, settings: Settings
) -> None:
    uuid = queued.uuid
    enqueue(uuid)
    settings.GPU_ANALYSES = ["all"]
    other = make_analysis(queued.owner)
    enqueue(other.uuid)
    for put in (enqueue_copy, enqueue_export, enqueue_notice):
        assert put(uuid)
    assert analysis_queue(DEFAULT).job_ids == [str(uuid)]
    assert analysis_queue(GPU).job_ids == [str(other.uuid)]
    assert analysis_queue(CHORES).job_ids == [f"copy-{uuid}", f"export-{uuid}", f"notice-{uuid}"]
    assert queued_uuids() == {uuid, other.uuid}
    assert queued_copies() == queued_exports() == queued_notices() == {uuid}


@pytest.mark.usefixtures("broker")
def test_a_worker_takes_from_its_queues_alone_the_first_named_first(
    queued: Analysis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    monkeypatch.setattr("analyses.tasks.run_analysis", lambda uuid: taken.append(f"analysis {uuid}"))
    monkeypatch.setattr("analyses.tasks.run_export", lambda uuid: taken.append("export"))
    enqueue(queued.uuid)
    enqueue_export(queued.uuid)
    settings.GPU_ANALYSES = ["all"]
    other = make_analysis(queued.owner)
    enqueue(other.uuid)
    settings.WORKER_QUEUES = ["gpu", "chores"]
    make_worker().work(burst=True)
    assert taken == [f"analysis {other.uuid}", "export"]
    assert queued_uuids() == {queued.uuid}
    settings.WORKER_QUEUES = ["chores", "gpu", "default"]
    make_worker().work(burst=True)
    assert taken[-1] == f"analysis {queued.uuid}"
