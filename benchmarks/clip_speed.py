"""Seconds and memory that one clip costs, beside the floor under them.

    python -m benchmarks.clip_speed [--rounds 3] [--repeats 3] [--out FILE] [--without-web]

The clip is made here: 60 s, 1920x1080, 30 frames a second, H.264, one face. The floor is what no detector
that looks at these frames can go below: decoding them, and one forward pass over the same crops, each alone.
Every part runs in a process of its own, so that its peak memory is its own, and the parts take turns, so
that a busy minute of the machine falls on all of them.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import cv2
import numpy as np

SECONDS, RATE, WIDTH, HEIGHT, FACE_PX = 60, 30, 1920, 1080, 420


def make_clip(path: Path) -> None:
    """One head that drifts over a textured wall."""
    from skimage.data import astronaut

    head = cv2.resize(astronaut()[20:230, 120:330], (2 * FACE_PX, 2 * FACE_PX), interpolation=cv2.INTER_CUBIC)
    noise = (
        np.random.default_rng(0).normal(120, 12, (HEIGHT // 8, WIDTH // 8, 3)).clip(0, 255).astype(np.uint8)
    )
    wall = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(SECONDS * RATE):
            out.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture(wall, head, number / RATE), format="rgb24"))
            )
        out.mux(stream.encode())


def picture(wall: Any, head: Any, time_s: float) -> Any:
    side = head.shape[0]
    left = int(500 + 200 * np.sin(time_s / 2))
    top = int(120 + 60 * np.sin(time_s / 3))
    frame = wall.copy()
    frame[top : top + side, left : left + side] = head
    return frame


def peak_mb() -> float:
    """Of this program alone: getrusage's figure would start at the size of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_analysis(clip: Path, repeats: int) -> dict[str, float]:
    """Median seconds of each stage over warm analyses, and peak memory of the process with the model."""
    import detector

    config = detector.DetectorConfig(device="auto")
    began = perf_counter()
    detector.warm(config)
    warm_s = perf_counter() - began
    runs = [detector.analyze(clip, config=config).timing for _ in range(repeats)]
    stages = ("probe_s", "decode_s", "faces_s", "model_s", "explain_s", "total_s")
    typical = medians([{stage: getattr(run, stage) for stage in stages} for run in runs])
    fastest = min(run.total_s for run in runs)
    return {"warm_up_s": warm_s, **typical, "total_s_min": fastest, "peak_mb": peak_mb()}


def measure_decoding(clip: Path, repeats: int) -> dict[str, float]:
    """Median seconds to decode the sampled windows to RGB in this process, with a seek to each."""
    from detector import DetectorConfig
    from detector.reading import open_clip

    config = DetectorConfig()
    with open_clip(
        clip, windows=config.windows, window_length=config.sequence_length, limits=config.limits
    ) as reader:
        times = [frame.time_s for frame in reader.frames()]
    return {"decode_s": median_of(lambda: decode(clip, times), repeats), "frames": len(times)}


def decode(clip: Path, times: list[float]) -> None:
    wanted = {round(time_s * RATE) for time_s in times}
    starts = sorted(number for number in wanted if number - 1 not in wanted)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        base = float(stream.time_base or 1)
        for start in starts:
            container.seek(int(start / RATE / base), stream=stream)
            for frame in container.decode(stream):
                number = round(float(frame.time or 0) * RATE)
                if number in wanted:
                    frame.to_ndarray(format="rgb24")
                if number >= start and number + 1 not in wanted:
                    break


def measure_forward(clip: Path, repeats: int) -> dict[str, float]:
    """Median seconds of one forward pass over as many crops as an analysis scores, in its batches."""
    import torch

    from detector import DetectorConfig
    from detector.engine import engine_for

    config = DetectorConfig(device="auto")
    engine = engine_for(config)
    crops = engine.prepared(np.zeros((config.windows * config.sequence_length, 224, 224, 3), np.uint8))

    @torch.inference_mode()
    def forward() -> None:
        for batch in crops.split(config.batch_size):
            engine.model.features(batch)
        if crops.is_cuda:
            torch.cuda.synchronize()

    forward()
    return {"forward_s": median_of(forward, repeats), "crops": len(crops)}


def measure_web(_: Path, repeats: int) -> dict[str, float]:
    """Peak memory of a process that holds the web application and has answered a request."""
    import os

    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"], check=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truthlens_site.settings")
    from django.test import Client

    import truthlens_site.wsgi  # noqa: F401

    Client(headers={"host": "localhost"}).get("/accounts/login/")
    return {"web_peak_mb": peak_mb(), "web_imports_torch": float("torch" in sys.modules)}


def median_of(work: Callable[[], None], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        began = perf_counter()
        work()
        seconds.append(perf_counter() - began)
    return statistics.median(seconds)


PARTS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "analysis": measure_analysis,
    "decoding": measure_decoding,
    "forward": measure_forward,
    "web": measure_web,
}


def in_own_process(part: str, clip: Path, repeats: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.clip_speed", "--part", part, "--clip", str(clip)]
    run = subprocess.run(
        [*command, "--repeats", str(repeats)], stdout=subprocess.PIPE, text=True, check=True, timeout=900
    )
    values: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return values


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}


def write(path: Path, results: dict[str, dict[str, float]]) -> None:
    from detector.evaluation.machine import machine_facts

    floor = results["decoding"]["decode_s"] + results["forward"]["forward_s"]
    results["floor"] = {"total_s": floor, "analysis_over_floor": results["analysis"]["total_s"] / floor}
    facts = {"date": datetime.now(UTC).date().isoformat(), **machine_facts()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["part", "figure", "value", *facts])
        for part, figures in results.items():
            for name, value in figures.items():
                rows.writerow([part, name, f"{value:.3f}", *facts.values()])
                print(f"{part:10} {name:22} {value:10.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clip_speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/clip_speed.csv"))
    parser.add_argument("--clip", type=Path, help="use this 30 frames/s clip in place of the one made here")
    parser.add_argument("--without-web", action="store_true", help="where Django is not installed")
    parser.add_argument("--part", choices=sorted(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.clip, options.repeats)))
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = options.clip or Path(folder) / "one_face_1080p.mp4"
        if options.clip is None:
            make_clip(clip)
        parts = [part for part in PARTS if part != "web" or not options.without_web]
        rounds = [
            {part: in_own_process(part, clip, options.repeats) for part in parts}
            for _ in range(options.rounds)
        ]
        write(options.out, {part: medians([figures[part] for figures in rounds]) for part in parts})


if __name__ == "__main__":
    main()
