"""Two web and three worker processes, each with folders of its own, and what becomes of clips when some die.

    python -m benchmarks.topology [--clips 48] [--out benchmarks/results/topology.csv]

PostgreSQL, Redis and an object store are shared; nothing else is. Clips are handed in by four clients at both
web servers; one worker and one web server are killed without a word on the way. In the end every clip has
exactly one analysis, with a result, and the store holds what rows name and nothing else; otherwise the exit
status is 1. The model is a tiny one and everything runs on one machine, so the figures say how well the parts
get along and not how fast clips are judged (``benchmarks.clip_speed``).
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
import psycopg

from truthlens_site.tests.services import free_port, postgres, redis, running
from truthlens_site.tether import tethered

ROOT = Path(__file__).resolve().parents[1]
CLIENTS, WEBS = 4, 2
PAUSE_S = 0.6
"""Between two clips of one client: the queue grows, and clips still come when processes die."""
KILL_AFTER = 0.25
"""The share of clips that is done when a worker and a web server die."""
END_WITHIN_S = 150.0
QUEUES = ("gpu,default", "default", "chores,default")
"""Of each worker: the first alone takes what is sent to the GPUs, the last alone what needs no model."""
STABILITY_EVERY = 8
"""Each so many clips are asked for with the check that the site sends to the GPU queue."""
SETUP = """
from accounts.models import Scope, User
from accounts.tokens import create_token
owner = User.objects.create_user("load@example.org")
print(create_token(owner=owner, name="load", scope=Scope.WRITE)[1])
"""
IMAGES = """
SELECT uuid, evidence->>kind FROM analyses_analysis, jsonb_array_elements(document->'evidence') evidence,
unnest(array['crop', 'heatmap']) kind
"""
SPAN = "SELECT extract(epoch FROM max(finished_at) - min(created_at)) FROM analyses_analysis"
STRAYS = """
from datetime import timedelta
from analyses import strays
strays.STRAY_AFTER = timedelta(seconds=-60)
print(strays.remove_strays())
"""


@dataclass
class Site:
    """The processes, by name, and what they have in common."""

    folder: Path
    environment: Mapping[str, str]
    token: str = ""
    webs: list[str] = field(default_factory=list)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def variables(self, name: str, **more: str) -> dict[str, str]:
        """A process's own environment: nothing on this machine's disk is shared."""
        state = self.folder / name
        return {**self.environment, "TRUTHLENS_STATE": str(state), "MEDIA_ROOT": str(state / "media"), **more}

    def start(self, stack: ExitStack, name: str, command: list[str], **more: str) -> None:
        options = {"env": self.variables(name, **more), "cwd": str(ROOT)}
        log = self.folder / f"{name}.log"
        self.processes[name] = stack.enter_context(running(tethered(command), log=log, **options))

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        run = subprocess.run(
            command, env=self.variables("manage"), cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        if run.returncode:
            raise SystemExit(run.stderr)
        return run.stdout.strip()

    def kill(self, name: str) -> None:
        os.killpg(self.processes[name].pid, 9)


class Sender:
    """Hands clips in as a careful client does: under a key, and at the other server where one is gone."""

    def __init__(self, site: Site) -> None:
        self.site, self.retried, self._lock = site, 0, Lock()

    def send(self, number: int, content: bytes) -> None:
        key, tries = f"clip-{number}", 0
        while True:
            try:
                answer = self._post(self.site.webs[(number + tries) % WEBS], number, key, content)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                return
            tries += 1
            with self._lock:
                self.retried += 1
            if answer is not None and answer.status_code == 409:
                if self._arrived(number):  # and the server died before it could say so
                    return
                key = f"clip-{number}-{tries}"
            time.sleep(0.3)

    def _post(self, url: str, number: int, key: str, content: bytes) -> httpx.Response:
        headers = {"Authorization": f"Token {self.site.token}", "Idempotency-Key": key}
        data = {"stability": "true"} if number % STABILITY_EVERY == 0 else {}
        files = {"video": (f"clip-{number}.mp4", content)}
        return httpx.post(
            f"{url}/api/v1/analyses/", data=data, files=files, headers=headers, timeout=30, trust_env=False
        )

    def _arrived(self, number: int) -> bool:
        query = "SELECT 1 FROM analyses_video WHERE original_name = %s"
        return bool(rows(self.site, query, f"clip-{number}.mp4"))


def rows(site: Site, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(query.encode(), values).fetchall()


def finished(site: Site) -> int:
    query = "SELECT count(*) FROM analyses_analysis WHERE state IN ('done', 'failed', 'cancelled')"
    return int(rows(site, query)[0][0])


@contextmanager
def services(folder: Path) -> Iterator[tuple[dict[str, str], Any]]:
    """The environment that all processes share, and the bucket."""
    from analyses.tests.object_store import BUCKET, KEYS, bucket_at, object_store
    from detector.tests.tiny import write_tiny_weights

    with postgres() as database, redis() as broker, object_store() as store:
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name in ("PATH", "HOME", "LANG", "TMPDIR")
            },
            "TRUTHLENS_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
            "SECRET_KEY": "the-same-long-key-for-every-process-of-this-one-site",
            "DATABASE_URL": database,
            "REDIS_URL": broker,
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": store,
            "S3_ACCESS_KEY_ID": KEYS["access_key"],
            "S3_SECRET_ACCESS_KEY": KEYS["secret_key"],
            "MODEL_PATH": str(write_tiny_weights(folder / "weights")),
            "FACE_FINDER": "haar",
            "DEVICE": "cpu",
            "GPU_ANALYSES": "stability",
            "QUOTA_USER": "analyses=unlimited,running=unlimited,minutes=unlimited,storage=unlimited",
            "API_RATE_UPLOAD": "100000/minute",
            "OMP_NUM_THREADS": "1",
        }
        yield environment, bucket_at(store)


@contextmanager
def running_site(folder: Path, environment: Mapping[str, str]) -> Iterator[Site]:
    site = Site(folder, environment)
    site.manage("migrate", "--verbosity", "0")
    site.token = site.manage("shell", "--no-imports", "-c", SETUP)
    with ExitStack() as stack:
        for number in range(WEBS):
            port = free_port()
            site.webs.append(f"http://127.0.0.1:{port}")
            options = ["--bind", f"127.0.0.1:{port}", "--threads", "8", "--no-control-socket"]
            command = [sys.executable, "-m", "gunicorn", *options, "truthlens_site.wsgi"]
            site.start(stack, f"web-{number}", command)
        for number, queues in enumerate(QUEUES):
            command = [sys.executable, "manage.py", "worker"]
            site.start(stack, f"worker-{number}", command, WORKER_QUEUES=queues)
        site.start(stack, "housekeeping", [sys.executable, "manage.py", "housekeeping"])
        wait_until(lambda: all(map(ready, site.webs)), 60)
        yield site


def ready(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/readyz", timeout=5, trust_env=False).json()["ready"])
    except httpx.TransportError:
        return False


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.2)
    return False


def drive(site: Site, clips: int) -> Sender:
    """Hand all clips in, kill two processes on the way, and wait for the end of all analyses."""
    from detector.tests.clips import face_clip

    film = face_clip(site.folder / "clip.mp4", seconds=1, size=(320, 240)).read_bytes()
    sender = Sender(site)

    def paced(number: int) -> None:
        sender.send(number, film + number.to_bytes(8, "big"))
        time.sleep(PAUSE_S)

    with ThreadPoolExecutor(CLIENTS) as pool:
        sent = [pool.submit(paced, number) for number in range(clips)]
        wait_until(lambda: finished(site) >= clips * KILL_AFTER and busy(site, "worker-1"), 60)
        site.kill("worker-1")
        site.kill("web-1")
        for future in sent:
            future.result()
    wait_until(lambda: finished(site) >= clips, END_WITHIN_S)
    return sender


def busy(site: Site, worker: str) -> bool:
    pid = site.processes[worker].pid
    query = "SELECT 1 FROM analyses_analysis WHERE state = 'running' AND claimed_by LIKE %s"
    return bool(rows(site, query, f"%:{pid}:%"))


def faults(site: Site, bucket: Any, clips: int) -> Iterator[str]:
    """What is not as it must be."""
    ends = Counter(state for (state,) in rows(site, "SELECT state FROM analyses_analysis"))
    if ends != {"done": clips}:
        yield f"analyses ended as {dict(ends)}, not all {clips} with a result"
    twice = rows(site, "SELECT count(*) - count(DISTINCT sha256) FROM analyses_video")[0][0]
    if twice:
        yield f"{twice} clips were taken in twice"
    there = {entry.key for entry in bucket.objects.all()}
    if orphans := there - named(site):
        yield f"{len(orphans)} objects belong to no row, such as {min(orphans)}"
    if lost := named(site) - there:
        yield f"{len(lost)} objects are missing, such as {min(lost)}"
    if left := [path for path in site.folder.glob("*/scratch/*/*") if "worker-1" not in path.parts]:
        yield f"{len(left)} files were left in scratch folders"


def named(site: Site) -> set[str]:
    """The objects that rows name."""
    names = {name for pair in rows(site, "SELECT file, proxy FROM analyses_video") for name in pair if name}
    names |= {f"evidence/{uuid}/{name}" for uuid, name in rows(site, IMAGES)}
    small = rows(site, "SELECT uuid, thumbnail FROM analyses_analysis WHERE thumbnail <> ''")
    return names | {f"evidence/{uuid}/{name}" for uuid, name in small}


def figures(site: Site, sender: Sender, strays: int) -> dict[str, float]:
    times = rows(
        site,
        """SELECT extract(epoch FROM started_at - created_at), extract(epoch FROM finished_at - started_at),
        extract(epoch FROM finished_at - created_at), losses, claimed_by FROM analyses_analysis""",
    )
    span = rows(site, SPAN)
    waits, runs, wholes = ([float(row[place]) for row in times] for place in range(3))
    share = Counter(row[4] for row in times)
    return {
        "clips": len(times),
        "web_servers": WEBS,
        "workers": len(QUEUES),
        "seconds": float(span[0][0]),
        "clips_per_minute": 60 * len(times) / float(span[0][0]),
        "wait_median_s": statistics.median(waits),
        "run_median_s": statistics.median(runs),
        "whole_p95_s": sorted(wholes)[int(0.95 * len(wholes))],
        "whole_longest_s": max(wholes),
        "workers_lost_in_an_analysis": sum(row[3] for row in times),
        "fewest_clips_of_a_worker": min(share.values()),
        "uploads_sent_again": sender.retried,
        "strays_removed": strays,
    }


def write(path: Path, found: Mapping[str, float]) -> None:
    from detector.evaluation.machine import machine_facts

    facts = {"date": datetime.now(UTC).date().isoformat(), **machine_facts()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["figure", "value", *facts])
        for name, value in found.items():
            table.writerow([name, f"{value:.3f}", *facts.values()])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.topology")
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tl-topology-") as name:
        folder = Path(name)
        with services(folder) as (environment, bucket), running_site(folder, environment) as site:
            sender = drive(site, options.clips)
            strays = int(site.manage("shell", "--no-imports", "-c", STRAYS).splitlines()[-1])
            found, wrong = figures(site, sender, strays), list(faults(site, bucket, options.clips))
    for figure, value in found.items():
        print(f"{figure:30} {value:10.2f}")
    if options.out:
        write(options.out, found)
    print("\n".join(wrong) or "Every clip has one result, and the store holds what rows name.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
