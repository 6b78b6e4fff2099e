"""The clips that tests are made with."""

import os
from pathlib import Path

from detector.tests.clips import Scene, write_clip


def test_encoding_av1_leaves_the_scheduling_as_it_was(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    scene = Scene()
    write_clip(tmp_path / "clip.mp4", (scene.picture(n) for n in range(3)), codec="libsvtav1")
    assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) == before
