"""The detector as a Django app: the one file here that knows Django."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from detector.config import DetectorConfig
from detector.errors import NoWeights
from detector.weights import find_weights


class DetectorApp(AppConfig):
    name = "detector"

    def import_models(self) -> None:
        """There are no tables: ``detector.models`` holds the networks, and importing it would load torch."""
        self.models = {}

    def ready(self) -> None:
        checks.register(check_weights)


def check_weights(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[checks.CheckMessage]:
    """Warn where the weights of ``settings.DETECTOR`` are missing; loading them checks their content."""
    config: DetectorConfig = getattr(settings, "DETECTOR", DetectorConfig())
    try:
        find_weights(config)
    except NoWeights as error:
        hint = f"Set MODEL_PATH to a weights file with its card, or put them back: {error.detail}."
        return [checks.Warning(error.sentence, hint=hint, id="detector.W001")]
    return []
