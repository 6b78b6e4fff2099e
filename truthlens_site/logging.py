"""What is logged, and how a line looks."""

import logging
import re
from typing import Any

SECRET_ADDRESS = re.compile(r"(/shared/)[^/\s?#\"']+")
"""Who has the address of a shared result may see it, so no log keeps one."""


class LineFormatter(logging.Formatter):
    """Without the tokens of shared results."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET_ADDRESS.sub(r"\1[hidden]", super().format(record))


def log_settings(level: str) -> dict[str, Any]:
    """One line an event on the standard error stream, which ``up`` passes on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": LineFormatter, "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail or repeat what the root logger prints already.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # RQ tells of every subscription; our own lines say what happens to a job.
            "rq.worker": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
        },
    }
