import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from analyses.detection import AnalysisError, DetectorConfig, NoWeights, check_weights, config_for
from analyses.inference import analyze_in_child, playable_copy
from analyses.supervision import Supervisor
from detector.tests.clips import make_audio_only, make_empty


@pytest.mark.usefixtures("installed_weights")
def test_the_card_of_the_installed_weights_is_found() -> None:
    assert check_weights().name == "tiny_lstm"


def test_weights_that_are_missing_are_told(settings: Settings, tmp_path: Path) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "nothing.safetensors")
    with pytest.raises(NoWeights):
        check_weights()


def test_the_door_to_the_detector_does_not_load_torch() -> None:
    code = "import analyses.inference, sys; print(sorted({'torch', 'av', 'cv2'} & set(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert output.stdout.strip() == "[]"


def analyze(path: Path) -> None:
    analyze_in_child(
        path,
        config=config_for(),
        on_progress=lambda stage, done, total: None,
        should_stop=lambda: False,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("child")
def test_the_detector_s_errors_cross_the_process_with_their_code(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError) as empty:
        analyze(make_empty(tmp_path / "empty.mp4"))
    with pytest.raises(AnalysisError) as silent:
        analyze(make_audio_only(tmp_path / "song.m4a"))
    assert [empty.value.code, silent.value.code] == ["empty", "not_video"]


@pytest.mark.slow
def test_an_error_does_not_cost_the_warm_child(child: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError):
        analyze(make_empty(tmp_path / "first.mp4"))
    before = child.pid
    with pytest.raises(AnalysisError):
        analyze(make_empty(tmp_path / "second.mp4"))
    assert child.pid == before


@pytest.mark.slow
@pytest.mark.usefixtures("child")
def test_a_clip_that_browsers_play_has_no_copy_made(clip: Path) -> None:
    with playable_copy(clip) as copy:
        assert copy is None
