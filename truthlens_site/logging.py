"""What is logged, and how a line looks: for people, or as JSON for machines.

No line keeps a secret address, an e-mail address or the name of a video. That nothing of the kind is handed
to the log is the first defence; what the formatters strike out is the second, for texts that others wrote.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from analyses.log_context import current, part

SECRET_ADDRESS = re.compile(r"(/shared/|/join/|/confirm-email/|/password/reset/key/)[^/\s?#\"']+")
"""Who has the address of a shared result, an invitation or a letter may use it, so no log keeps one."""
EMAIL = re.compile(r"[^\s@<>\"'(),;:=/]+@[^\s@<>\"'(),;:/]+")
FILE_NAME = re.compile(
    r"(?<![\w.-])(?![0-9a-f]{32}\.)[^\s/\"'<>|]+\.(?:mp4|m4v|mov|avi|mkv|webm)\b", re.IGNORECASE
)
"""What people call their videos. Stored files have random names, which stay: they are needed."""


def scrubbed(text: str) -> str:
    """The text without what no log may keep."""
    text = SECRET_ADDRESS.sub(r"\1[hidden]", text)
    return FILE_NAME.sub("[file]", EMAIL.sub("[address]", text))


class LineFormatter(logging.Formatter):
    """One line for people, which ends with what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        about = "".join(f" {name}={value}" for name, value in current().items())
        line, newline, rest = scrubbed(super().format(record)).partition("\n")
        return f"{line}{about}{newline}{rest}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, part, process, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
            "part": part(),
            "process": record.process,
            **current(),
            **getattr(record, "figures", {}),
        }
        if record.exc_info:
            entry["exception"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


TALKATIVE = ("django.template", "django.db.backends", "botocore", "boto3", "s3transfer", "urllib3")
"""Below a warning these tell the values that pages are made of, or every connection."""
FORMATTERS: dict[str, dict[str, Any]] = {
    "text": {"()": LineFormatter, "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    "json": {"()": JsonFormatter},
}


def log_settings(level: str, form: str = "text") -> dict[str, Any]:
    """One line an event on the standard error stream, which ``up`` passes on. ``form``: of FORMATTERS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": FORMATTERS[form]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail or repeat what the root logger prints already.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # RQ tells of every subscription; our own lines say what happens to a job.
            "rq.worker": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            # People read events; machines count requests too.
            "truthlens_site.requests": {"level": level if form == "json" else "WARNING"},
            **{name: {"level": "WARNING"} for name in TALKATIVE},
        },
    }
