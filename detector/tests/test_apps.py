"""The detector as a Django app."""

import subprocess
import sys
from pathlib import Path

from django.apps import apps
from django.core.checks import Warning, run_checks
from pytest_django import Settings

from detector.apps import DetectorApp
from detector.codes import FAILURE_SENTENCES, Failure
from detector.config import DetectorConfig
from detector.tests.tiny import write_tiny_weights

ROOT = Path(__file__).parent.parent.parent


def test_the_detector_is_an_installed_app() -> None:
    assert isinstance(apps.get_app_config("detector"), DetectorApp)


def warnings() -> list[str]:
    found = [message for message in run_checks() if message.id == "detector.W001"]
    assert all(isinstance(message, Warning) for message in found)
    return [message.msg for message in found]


def test_missing_weights_are_a_warning(settings: Settings, tmp_path: Path) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "none.safetensors")
    assert warnings() == [FAILURE_SENTENCES[Failure.NO_WEIGHTS]]


def test_weights_that_are_there_are_none(settings: Settings, tmp_path: Path) -> None:
    settings.DETECTOR = DetectorConfig(model_path=write_tiny_weights(tmp_path))
    assert warnings() == []


def test_the_check_loads_no_torch() -> None:
    code = "import sys, detector.apps; print({'torch', 'cv2', 'av', 'numpy'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
