"""What a model card is made of: plain values that a page and a Markdown file can both show."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    kind: ClassVar[str] = "points"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value; ``code`` where the value is one to compare letter by letter."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    kind: ClassVar[str] = "facts"
    rows: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Each row is as long as ``head``; its first cell names it. ``words``: cells are words, not figures."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: bool = False

    @property
    def has_many_columns(self) -> bool:
        return len(self.head) > 5


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of the evaluation of one split; ``alt`` says what it shows. ``wide``: drawn twice as wide."""

    kind: ClassVar[str] = "plot"
    title: str
    alt: str
    split: str
    path: Path
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Says plainly that something is not known."""

    kind: ClassVar[str] = "missing"
    text: str


Block = Text | Points | Facts | Table | Plot | Missing


@dataclass(frozen=True, slots=True)
class Section:
    """``key`` is its anchor."""

    key: str
    title: str
    blocks: tuple[Block, ...]


def section(key: str, title: str, blocks: Iterable[Block]) -> Section:
    return Section(key, title, tuple(blocks))
