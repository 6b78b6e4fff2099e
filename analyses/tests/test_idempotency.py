"""A request under an Idempotency-Key does its work once."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from analyses.idempotency import GIVEN_UP_AFTER, Answer, KeyInUse, answer_once
from analyses.models import Analysis, IdempotencyKey
from analyses.strays import remove_strays
from analyses.tests.factories import MP4_BYTES, make_done

LIST = "/api/v1/analyses/"
KEY = {"Idempotency-Key": "7f9c-once"}


def submit(client: Client, content: bytes = MP4_BYTES, key: str = "7f9c-once", **fields: str) -> Any:
    video = SimpleUploadedFile("clip.mp4", content)
    return client.post(LIST, {"video": video, **fields}, headers={"Idempotency-Key": key})


@pytest.mark.django_db
@pytest.mark.usefixtures("installed_weights")
class TestRequests:
    def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(self, api: Client) -> None:
        first, second = submit(api), submit(api)
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json() == second.json()
        assert (first["Location"], first["Retry-After"]) == (second["Location"], second["Retry-After"])
        assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
        assert Analysis.objects.count() == 1

    def test_without_the_key_the_same_rerun_is_made_again_once_the_first_has_ended(
        self, api: Client, done: Analysis
    ) -> None:
        for _ in range(2):
            again = api.post(f"{LIST}{done.uuid}/rerun/").json()
            Analysis.objects.filter(uuid=again["uuid"]).update(
                state="failed", failure="crashed", finished_at=timezone.now()
            )
        assert Analysis.objects.count() == 3

    @pytest.mark.parametrize("change", [{"content": MP4_BYTES + b"x"}, {"stability": "true"}])
    def test_the_key_with_another_body_is_refused(self, api: Client, change: dict[str, Any]) -> None:
        submit(api)
        answer = submit(api, **change)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
        assert Analysis.objects.count() == 1

    def test_the_key_at_another_address_is_refused(self, api: Client, done: Analysis) -> None:
        submit(api)
        answer = api.post(f"{LIST}{done.uuid}/rerun/", headers=KEY)
        assert answer.status_code == 422

    def test_while_the_first_is_under_way_the_second_is_told_to_wait(
        self, api: Client, done: Analysis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from analyses import services

        rerun = services.rerun_analysis
        seen: list[Any] = []

        def slow(**options: Any) -> Analysis:
            if not seen:
                seen.append(api.post(f"{LIST}{done.uuid}/rerun/", headers=KEY))
            return rerun(**options)

        monkeypatch.setattr(services, "rerun_analysis", slow)
        assert api.post(f"{LIST}{done.uuid}/rerun/", headers=KEY).status_code == 202
        (second,) = seen
        assert (second.status_code, second.json()["code"]) == (409, "key_in_use")
        assert int(second["Retry-After"]) > 0
        assert Analysis.objects.count() == 2

    def test_a_refused_request_may_be_put_right_under_the_same_key(self, api: Client) -> None:
        assert submit(api, b"words " * 100).status_code == 400
        assert submit(api).status_code == 202

    def test_keys_are_each_users_own(self, api: Client, bob: User, as_api: Callable[..., Client]) -> None:
        submit(api)
        other = as_api(bob)
        assert submit(other).status_code == 202
        assert Analysis.objects.for_user(bob).count() == 1

    def test_after_a_day_a_key_is_forgotten(self, api: Client) -> None:
        submit(api)
        IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
        assert "Idempotency-Replayed" not in submit(api, MP4_BYTES + b"x")
        assert Analysis.objects.count() == 2

    @pytest.mark.parametrize("key", ["k" * 201, "caf\x80"])
    def test_a_key_that_can_not_be_taken_is_a_problem(self, api: Client, key: str) -> None:
        assert submit(api, key=key).status_code == 400

    def test_a_detection_is_answered_alike(self, api: Client) -> None:
        headers = {**KEY, "Prefer": "wait=0"}
        answers = [
            api.post("/api/detect", {"video": SimpleUploadedFile("c.mp4", MP4_BYTES)}, headers=headers)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
        assert Analysis.objects.count() == 1


def answer(number: int = 1) -> Answer:
    return Answer(202, {"Location": "/x/"}, {"number": number})


@pytest.mark.django_db
def test_a_request_that_broke_off_can_be_sent_again(alice: User) -> None:
    def fail() -> Answer:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answer_once(owner=alice, key="k", fingerprint="f" * 64, act=fail)
    assert answer_once(owner=alice, key="k", fingerprint="f" * 64, act=answer) == (answer(), False)


@pytest.mark.django_db
def test_a_request_that_was_lost_with_its_process_holds_its_key_for_minutes_only(alice: User) -> None:
    IdempotencyKey.objects.create(owner=alice, key="k", fingerprint="f" * 64)
    with pytest.raises(KeyInUse):
        answer_once(owner=alice, key="k", fingerprint="f" * 64, act=answer)
    IdempotencyKey.objects.update(created_at=timezone.now() - GIVEN_UP_AFTER - timedelta(seconds=1))
    assert answer_once(owner=alice, key="k", fingerprint="f" * 64, act=answer)[1] is False


@pytest.mark.django_db
def test_forgotten_keys_are_removed_with_other_strays(alice: User) -> None:
    for key, age in (("old", 25), ("new", 1)):
        moment = timezone.now() - timedelta(hours=age)
        IdempotencyKey.objects.create(owner=alice, key=key, fingerprint="f" * 64, created_at=moment)
    remove_strays()
    assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_once_one_does_the_work(alice: User) -> None:
    start, done, outcomes = Barrier(4), [], []

    def act() -> Answer:
        done.append(1)
        return answer()

    def ask() -> None:
        try:
            start.wait(timeout=10)
            outcomes.append(answer_once(owner=alice, key="k", fingerprint="f" * 64, act=act)[0].status)
        except KeyInUse:
            outcomes.append(409)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert len(outcomes) == 4
    assert set(outcomes) <= {202, 409}
    assert make_done(alice)
