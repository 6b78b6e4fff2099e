"""The plays: each starts a site of its own, lets clients hand in clips, and does something to the site.

Each returns its figures. Whatever it did, every clip must have one end in the end, and every file an owner.
"""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event, Thread

from redis import Redis

from benchmarks.faults.clients import Crowd, make_clips
from benchmarks.faults.desk import PARTS, Desk, running_desk, wait_for
from benchmarks.faults.ledger import Audit, Ledger, audit
from detector.tests.tiny import write_tiny_weights
from truthlens_site.places import broker_socket
from truthlens_site.tests.services import PostgresServer, short_folder

CLOCK_SOURCE = Path(__file__).with_name("clock.c")
DROPPED = "-dac_override,-dac_read_search"
UNPRIVILEGED = ("setpriv", f"--bounding-set={DROPPED}", f"--inh-caps={DROPPED}")
"""Root whom the modes of files and folders bind as they bind everybody else."""
FINISH_S = 900.0
SMALL_DISK_MB = 96
Figures = dict[str, object]


class Skipped(Exception):
    """The machine lacks something. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Size:
    """``pause_s`` between blows, on average."""

    clips: int
    kills: int
    seed: int
    pause_s: float


@dataclass(slots=True)
class Play:
    """A running site under load."""

    desk: Desk
    ledger: Ledger
    crowd: Crowd
    random: Random
    blows: Counter[str]

    def finish(self) -> Figures:
        """Wait until everything that was handed in has ended, and look at what is left."""
        wait_for(lambda: self.crowd.is_done, FINISH_S, f"the acceptance of all clips: {self.crowd.seen}")
        wait_for(lambda: not self.ledger.unfinished(), FINISH_S, f"the end of all: {self.ledger.states()}")
        wait_for(self._is_at_rest, 60, "the end of the last copy")
        found = audit(self.desk, self.ledger, self.crowd.taken)
        return {**_counts("blow", self.blows), **_counts("met", self.crowd.seen), **_figures(found, self)}

    def _is_at_rest(self) -> bool:
        return self.desk.pid("decoder") is None


def _counts(kind: str, counter: Mapping[str, int]) -> Figures:
    return {f"{kind}: {name}": count for name, count in sorted(counter.items())}


def _figures(found: Audit, play: Play) -> Figures:
    return {
        "clips": len(play.crowd.clips),
        **_counts("ended as", found.outcomes),
        "clips lost": found.lost,
        "clips analysed twice": found.doubled,
        "analyses without an end": found.unfinished,
        "analyses that ended twice": found.ended_twice,
        "files missing": found.missing,
        "files astray before the sweep": found.strays,
        "files orphaned": found.orphans,
        "clean": found.is_clean,
    }


@contextmanager
def playing(
    folder: Path,
    size: Size,
    *,
    variables: Mapping[str, str] | None = None,
    url: str = "",
    wrapper: tuple[str, ...] = (),
) -> Iterator[Play]:
    """A site with the tiny model, and clients that hand in clips. The play may last as long as it likes."""
    weights = write_tiny_weights(folder / "weights")
    told = {"MODEL_PATH": str(weights), "FACE_FINDER": "haar", "DEVICE": "cpu", **(variables or {})}
    told |= {"API_RATE_READ": "100000/minute", "API_RATE_WRITE": "100000/minute"}
    told |= {"API_RATE_UPLOAD": "100000/minute", "LOG_LEVEL": "WARNING"}
    if url:
        told["DATABASE_URL"] = url
    random = Random(size.seed)
    with running_desk(folder, told, wrapper) as desk:
        ledger = Ledger(desk, url)
        ledger.install()
        clips = make_clips(folder / "clips", size.clips, random)
        pause_s = size.kills * size.pause_s * 4 / max(1, size.clips)
        crowd = Crowd(desk.url, _token(desk), clips, size.seed, pause_s=pause_s)
        crowd.start()
        try:
            yield Play(desk, ledger, crowd, random, Counter())
        finally:
            crowd.stop()


TOKEN = """
from accounts.models import Scope
from accounts.tokens import create_token
print(create_token(owner=User.objects.get(), name="clients", scope=Scope.WRITE)[1])
"""


def _token(desk: Desk) -> str:
    return desk.manage("shell", "--verbosity=0", "-c", TOKEN).strip()


def kills(folder: Path, size: Size) -> Figures:
    """Parts die at random moments; the broker loses all that it holds now and then."""
    with playing(folder, size) as play:
        _strike(play, size, extra={"FLUSHALL": lambda: _empty_broker(play.desk)})
        return play.finish()


def kills_on_postgresql(folder: Path, size: Size) -> Figures:
    """The same, and the database is restarted, or drops everybody's connection."""
    with (
        short_folder() as place,
        PostgresServer(place) as server,
        playing(folder, size, url=server.url) as play,
    ):
        extra = {"database restarted": server.restart, "connections cut": server.cut_connections}
        _strike(play, size, extra={**extra, "FLUSHALL": lambda: _empty_broker(play.desk)})
        return play.finish()


def _strike(play: Play, size: Size, extra: Mapping[str, Callable[[], None]]) -> None:
    """As many blows as ``size`` says, dealt out evenly. What isn't there just now can't be killed."""
    for name in _dealt([*PARTS, *extra], play.random):
        if sum(play.blows.values()) >= size.kills:
            return
        time.sleep(play.random.uniform(0.2, 2 * size.pause_s))
        if name in extra:
            extra[name]()
        elif not _killed(play.desk, name):
            continue
        play.blows[name] += 1


def _dealt(names: list[str], random: Random) -> Iterator[str]:
    while True:
        yield from random.sample(names, len(names))


def _killed(desk: Desk, part: str) -> bool:
    """A decoder lives for a moment only, so it is waited for."""
    deadline = time.monotonic() + (2.0 if part == "decoder" else 0.0)
    while not (killed := desk.kill(part)) and time.monotonic() < deadline:
        time.sleep(0.002)
    return killed


def _empty_broker(desk: Desk) -> None:
    try:
        with Redis.from_url(f"unix://{broker_socket(desk.state)}", socket_timeout=5) as broker:
            broker.flushall()
    except Exception as error:  # it is away itself
        print(f"  (the broker was not there to be emptied: {error})")


def full_disk(folder: Path, size: Size) -> Figures:
    """The disk that holds database, broker, media and uploads fills up, stays full, and has room again."""
    if os.getuid():
        raise Skipped("only root can mount a small disk.")
    state = folder / "state"
    state.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(state)]
    if subprocess.run(mount, check=False).returncode:
        raise Skipped("this machine mounts no small disk.")
    try:
        with playing(folder, size) as play:
            for _ in range(2):
                time.sleep(size.pause_s)
                with _filled(state / "ballast"):
                    time.sleep(8)
                play.blows["disk full"] += 1
            return play.finish()
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=False)


@contextmanager
def _filled(ballast: Path) -> Iterator[None]:
    """Whatever room there is, is taken again at once."""
    stop = Event()

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file:
            while not stop.is_set():
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    time.sleep(0.01)

    thread = Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        ballast.unlink()


def unwritable_media(folder: Path, size: Size) -> Figures:
    """The folders of the media can't be written to for a while."""
    media = folder / "state" / "media"
    for name in ("videos", "evidence"):
        (media / name).mkdir(parents=True)
    with playing(folder, size, wrapper=() if os.getuid() else UNPRIVILEGED) as play:
        for _ in range(2):
            for name in ("evidence", "videos"):
                time.sleep(size.pause_s)
                (media / name).chmod(0o500)
                time.sleep(6)
                (media / name).chmod(0o700)
                play.blows[f"{name} unwritable"] += 1
        return play.finish()


def clock_steps(folder: Path, size: Size) -> Figures:
    """The clock of every process jumps an hour ahead, and back."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("no C compiler is installed.")
    folder.mkdir(parents=True)
    clock, library = folder / "clock", folder / "clock.so"
    clock.write_text("0")
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(CLOCK_SOURCE)]
    subprocess.run(command, check=True)
    faked = {"LD_PRELOAD": str(library), "TL_CLOCK": str(clock)}
    with playing(folder, size, variables=faked) as play:
        for step in ("3600", "0", "-3600", "0"):
            time.sleep(2 * size.pause_s)
            clock.write_text(step)
            play.blows[f"clock set to {step} s"] += 1
        return play.finish()


def stopped_worker(folder: Path, size: Size) -> Figures:
    """The process that holds the model, and then the worker, hang instead of dying."""
    with playing(folder, size, variables={"ANALYSIS_TIMEOUT": "5"}) as play:
        for part in ("job", "worker", "job"):
            time.sleep(size.pause_s)
            wait_for(lambda part=part: play.desk.pid(part), 60, f"a {part}")  # type: ignore[misc]
            pid = play.desk.pid(part)
            if pid is not None:
                os.kill(pid, signal.SIGSTOP)
                play.blows[f"{part} hangs"] += 1
                time.sleep(25 if part == "worker" else 12)
                _awaken(pid)
        return play.finish()


def _awaken(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


SCENES: dict[str, Callable[[Path, Size], Figures]] = {
    "kills": kills,
    "kills on PostgreSQL": kills_on_postgresql,
    "full disk": full_disk,
    "unwritable media": unwritable_media,
    "clock steps": clock_steps,
    "hanging processes": stopped_worker,
}
