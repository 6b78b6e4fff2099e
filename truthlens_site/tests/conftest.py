"""What the tests of the site share."""

from pathlib import Path

import pytest
from pytest_django import Settings

from analyses.detection import check_weights
from detector.config import DetectorConfig
from detector.tests.tiny import write_tiny_weights


@pytest.fixture
def weights(settings: Settings, tmp_path: Path) -> str:
    """A tiny model is installed. Its SHA-256."""
    settings.DETECTOR = DetectorConfig(model_path=write_tiny_weights(tmp_path / "weights"))
    return check_weights().sha256
