"""The results of several files as one table and as one JSON file."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("file", "state", "verdict", "fake_probability", "threshold", "reasons", "failure", "model", "url")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one file. ``failure`` is a code and ``message`` its sentence where there is no result."""

    file: Path
    state: str
    url: str = ""
    failure: str = ""
    message: str = ""
    result: dict[str, Any] | None = None


def write_csv(path: Path, outcomes: Sequence[Outcome]) -> None:
    """With the byte order mark that spreadsheets need to read UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(outcome) for outcome in outcomes)


def write_json(path: Path, outcomes: Sequence[Outcome]) -> None:
    documents = [_document(outcome) for outcome in outcomes]
    path.write_text(json.dumps(documents, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _row(outcome: Outcome) -> list[object]:
    found = outcome.result or {}
    model = found.get("model", {})
    return [
        _safe(str(outcome.file)),
        outcome.state,
        found.get("verdict", ""),
        found.get("fake_probability", ""),
        found.get("threshold", ""),
        " ".join(found.get("reasons", [])),
        outcome.failure,
        f"{model['name']} {model['version']}" if model else "",
        outcome.url,
    ]


def _document(outcome: Outcome) -> dict[str, object]:
    error = {"code": outcome.failure, "message": outcome.message} if outcome.failure else None
    return {
        "file": str(outcome.file),
        "state": outcome.state,
        "url": outcome.url,
        "error": error,
        "result": outcome.result,
    }


def _safe(text: str) -> str:
    """Text that a spreadsheet won't run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
