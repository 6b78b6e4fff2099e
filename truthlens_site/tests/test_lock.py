"""One ``up`` for one state folder."""

import os
from pathlib import Path

import pytest

from truthlens_site.lock import AlreadyRunning, only_one


def test_a_second_holder_learns_who_the_first_is(tmp_path: Path) -> None:
    with only_one(tmp_path / "lock"), pytest.raises(AlreadyRunning) as refusal, only_one(tmp_path / "lock"):
        pytest.fail("two hold the lock")
    assert refusal.value.pid == str(os.getpid())


def test_the_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("123456789")  # left by an earlier process
    for _ in range(2):
        with only_one(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text() == str(os.getpid())
