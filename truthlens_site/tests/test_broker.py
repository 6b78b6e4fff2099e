"""The embedded broker."""

import platform
import stat
from pathlib import Path

import pytest
from redis import Redis

from truthlens_site.broker import BrokerError, broker_answers, make_folders, valkey_binary, valkey_command
from truthlens_site.tests.services import running, short_folder, wait_until
from truthlens_site.tether import tethered


def test_jobs_survive_kill_9_of_the_broker(tmp_path: Path) -> None:
    with short_folder() as folder:
        command, url = tethered(valkey_command(folder / "v.sock", folder)), f"unix://{folder}/v.sock"
        with running(command, log=tmp_path / "first.log") as process:
            wait_until(lambda: broker_answers(url), seconds=20, what="the broker's start")
            assert stat.S_IMODE((folder / "v.sock").stat().st_mode) == 0o700
            Redis.from_url(url).rpush("queue", "a job")
            process.kill()
            process.wait(timeout=10)
        assert not broker_answers(url)
        with running(command, log=tmp_path / "second.log"):
            wait_until(lambda: broker_answers(url), seconds=20, what="the broker's second start")
            assert Redis.from_url(url).lrange("queue", 0, -1) == [b"a job"]


def test_its_folders_are_for_its_owner_alone(tmp_path: Path) -> None:
    for _ in range(2):
        make_folders(tmp_path / "short" / "v.sock", tmp_path / "state" / "valkey")
    for folder in (tmp_path / "short", tmp_path / "state" / "valkey"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_socket_folder_that_someone_put_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "short").symlink_to(tmp_path / "theirs")
    with pytest.raises(BrokerError, match="belongs to someone else"):
        make_folders(tmp_path / "short" / "v.sock", tmp_path / "valkey")


def test_a_machine_without_a_binary_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(BrokerError, match="set REDIS_URL"):
        valkey_binary()
