"""Gunicorn's own lines, in the form of all others."""

import logging
import os
from typing import Any

from gunicorn.glogging import Logger

from analyses.log_context import be_part
from truthlens_site.logging import FORMATTERS, JsonFormatter, LineFormatter


class GunicornLogger(Logger):  # type: ignore[misc]
    """Read before Django's settings are, by the process that starts the others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        be_part("web")
        form = os.environ.get("LOG_FORMAT", "text")
        formatter = JsonFormatter() if form == "json" else LineFormatter(FORMATTERS["text"]["fmt"])
        for handler in logging.getLogger("gunicorn.error").handlers:
            handler.setFormatter(formatter)
