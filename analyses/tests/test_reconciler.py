from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses import claims
from analyses.models import Analysis, State
from analyses.presence import HOST, WORKER, present
from analyses.queue import CHORES, analysis_queue, enqueue, queued_uuids
from analyses.reconciler import Reconciled, reconcile, take_back
from analyses.tests.factories import make_analysis, make_done, make_failed, make_running


def silent(owner: User, *, losses: int = 0) -> Analysis:
    """Claimed by a worker that has said nothing for a minute."""
    return make_running(owner, losses=losses, heartbeat_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.usefixtures("broker")
def test_what_a_dead_worker_had_is_queued_again(alice: User) -> None:
    analysis = silent(alice)
    assert reconcile() == Reconciled(requeued=1, enqueued=1)
    analysis.refresh_from_db()
    assert (analysis.state, analysis.losses) == (State.QUEUED, 1)
    assert queued_uuids() == {analysis.uuid}


@pytest.mark.usefixtures("broker")
def test_a_living_worker_keeps_what_it_has(running: Analysis) -> None:
    assert reconcile() == Reconciled(0, 0)
    running.refresh_from_db()
    assert running.state == State.RUNNING


@pytest.mark.usefixtures("broker")
def test_waiting_rows_that_the_broker_never_heard_of_are_enqueued_in_order(alice: User) -> None:
    newer = make_analysis(alice)
    older = make_analysis(alice, created_at=timezone.now() - timedelta(hours=1))
    assert reconcile() == Reconciled(0, 2)
    assert analysis_queue().job_ids == [str(older.uuid), str(newer.uuid)]


@pytest.mark.usefixtures("broker")
def test_waiting_rows_with_a_job_are_left_alone(queued: Analysis) -> None:
    enqueue(queued.uuid)
    assert reconcile() == Reconciled(0, 0)
    assert analysis_queue().job_ids == [str(queued.uuid)]


@pytest.mark.usefixtures("broker")
def test_reconciling_twice_changes_nothing_more(alice: User) -> None:
    silent(alice)
    make_analysis(alice)
    reconcile()
    assert reconcile() == Reconciled(0, 0)


@pytest.mark.usefixtures("broker")
def test_what_is_finished_stays_finished(alice: User) -> None:
    make_done(alice)
    make_failed(alice)
    assert reconcile() == Reconciled(0, 0)


@pytest.mark.usefixtures("broker")
def test_after_five_lost_workers_the_analysis_fails(alice: User) -> None:
    analysis = silent(alice, losses=4)
    reconcile()
    analysis.refresh_from_db()
    assert (analysis.state, analysis.failure) == (State.FAILED, "worker_lost")
    assert queued_uuids() == set()


def test_without_a_broker_rows_go_back_and_wait(alice: User) -> None:
    analysis = silent(alice)
    assert reconcile() == Reconciled(requeued=1, enqueued=0)
    analysis.refresh_from_db()
    assert analysis.state == State.QUEUED


@pytest.mark.usefixtures("broker")
def test_a_worker_of_this_machine_that_is_gone_is_not_waited_for(alice: User, settings: Settings) -> None:
    """It never said that it ends, so its file is there, but nobody holds it any more."""
    analysis = make_running(alice, worker=WORKER)
    with present():
        take_back()
        analysis.refresh_from_db()
        assert analysis.state == State.RUNNING
        lock = next(settings.STATE.glob("workers/*.lock"))
    lock.touch()
    take_back()
    analysis.refresh_from_db()
    assert (analysis.state, analysis.losses) == (State.QUEUED, 1)
    assert queued_uuids() == {analysis.uuid}


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    "worker",
    [f"elsewhere:{WORKER}", f"{HOST}:1:never-seen", "../../etc/passwd"],
    ids=["another machine", "never seen", "no worker's name"],
)
def test_of_other_workers_only_their_silence_counts(alice: User, worker: str) -> None:
    analysis = make_running(alice, worker=worker)
    take_back()
    analysis.refresh_from_db()
    assert analysis.state == State.RUNNING


@pytest.mark.usefixtures("broker", "db")
def test_the_command_says_what_it_did(queued: Analysis) -> None:
    output = StringIO()
    call_command("reconcile", stdout=output)
    assert output.getvalue() == "0 taken back, 1 enqueued, 0 stray files removed.\n"


@pytest.mark.usefixtures("broker")
def test_a_copy_that_a_dead_worker_left_unmade_is_queued_once(alice: User) -> None:
    analysis = make_done(alice, claimed_by=f"{HOST}:1:gone")
    claims.set_proxy_due(video=analysis.video, due=True)
    reconcile()
    reconcile()
    assert analysis_queue(CHORES).job_ids == [f"copy-{analysis.uuid}"]
    assert queued_uuids() == set()


@pytest.mark.usefixtures("broker")
def test_a_copy_that_a_living_worker_is_making_is_left_to_it(alice: User) -> None:
    analysis = make_done(alice, claimed_by=WORKER)
    claims.set_proxy_due(video=analysis.video, due=True)
    with present():
        reconcile()
    assert analysis_queue(CHORES).job_ids == []


@pytest.mark.usefixtures("broker")
def test_a_copy_that_is_long_overdue_is_given_up(alice: User) -> None:
    analysis = make_done(alice, claimed_by=f"{HOST}:1:gone")
    claims.set_proxy_due(video=analysis.video, due=True)
    Analysis.objects.update(finished_at=timezone.now() - timedelta(days=1))
    reconcile()
    assert analysis_queue().job_ids == []
