"""Hostile files end with a result or a code, within the limits, and nothing else is opened.

``make fuzz`` does the same with thousands.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from detector.codes import Failure
from detector.tests import hostile
from detector.tests.fuzzing import READ, look

pytestmark = pytest.mark.slow
CODES = {READ, *map(str, Failure)} - {str(Failure.CRASHED), str(Failure.TIMED_OUT)}
EXAMPLES = 6
CALLING = ("playlist in a box", "reference movie", "data reference")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "clip.mp4"


@pytest.mark.parametrize("name", hostile.MADE)
def test_a_file_made_to_hurt_has_its_end(name: str, place: Path) -> None:
    place.write_bytes(hostile.MADE[name]())
    outcome = look(place)
    assert outcome.is_in_bounds, outcome
    assert outcome.code in CODES, outcome


@given(content=hostile.mutated())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_a_damaged_clip_has_its_end(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    outcome = look(place)
    assert outcome.is_in_bounds, outcome


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def test_a_file_that_points_elsewhere_opens_nothing_there(place: Path, listener: socket.socket) -> None:
    """Whoever opened the pipe would wait for a writer, and whoever called would be heard."""
    pipe = place.with_name("pipe.mp4")
    os.mkfifo(pipe)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/clip.mp4"
    calling = [(name, content) for name, content in hostile.elsewhere(address) if name in CALLING]
    for name, content in (*hostile.elsewhere(str(pipe)), *calling):
        place.write_bytes(content)
        outcome = look(place)
        assert outcome.code in CODES, (name, outcome)
    with pytest.raises(BlockingIOError):
        listener.accept()
