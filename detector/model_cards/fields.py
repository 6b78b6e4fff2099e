"""A JSON object of which nothing is taken for granted: weights of one's own come with cards of any kind."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Fields:
    """What is missing or of another type reads as empty, and never raises."""

    content: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.content.get(name)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def number(self, name: str) -> float | None:
        return finite(self.content.get(name))

    def numbers(self, name: str) -> tuple[float | None, ...]:
        value = self.content.get(name)
        return tuple(finite(entry) for entry in value) if isinstance(value, list) else ()

    def flag(self, name: str) -> bool | None:
        value = self.content.get(name)
        return value if isinstance(value, bool) else None

    def part(self, name: str) -> "Fields":
        value = self.content.get(name)
        return Fields(value) if isinstance(value, dict) else Fields()

    def parts(self) -> Iterator[tuple[str, "Fields"]]:
        """The objects in this one, with their names."""
        return ((name, Fields(value)) for name, value in self.content.items() if isinstance(value, dict))


def finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def read_fields(path: Path) -> Fields:
    """The object in a JSON file; empty where there is none to read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Fields()
    return Fields(content) if isinstance(content, dict) else Fields()
