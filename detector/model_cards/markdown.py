"""A model card as a Markdown file."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from detector.model_cards.blocks import Block, Facts, Missing, Plot, Points, Section, Table, Text
from detector.model_cards.card import ModelCard
from detector.model_cards.sections import sections_of

SPECIAL = re.compile(r"([\\`*<>|\[\]])")


def markdown_of(card: ModelCard, folder: Path) -> str:
    """The text of the file in ``folder``, from which links to plots start."""
    lines = [
        f"# {escaped(card.weights.name)}, version {escaped(card.weights.version)}",
        "",
        "<!-- Written by `python -m benchmarks.model_cards`. Edit nothing here. -->",
        "",
    ]
    for section in sections_of(card):
        lines += _section(section, folder)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, folder: Path) -> Iterator[str]:
    yield from (f"## {escaped(section.title)}", "")
    for block in section.blocks:
        yield from (*_block(block, folder), "")


def _block(block: Block, folder: Path) -> Iterator[str]:
    match block:
        case Text(text):
            yield escaped(text)
        case Missing(text):
            yield f"*{escaped(text)}*"
        case Points(items):
            yield from (f"- {escaped(item)}" for item in items)
        case Facts(rows):
            yield from ("| | |", "|---|---|")
            yield from (f"| {escaped(row.name)} | {_value(row.value, row.code)} |" for row in rows)
        case Table():
            yield from _table(block)
        case Plot(title, alt, path=path):
            yield f"**{escaped(title)}**\n\n![{escaped(alt)}]({_link(path, folder)})"


def _table(table: Table) -> Iterator[str]:
    yield from (f"**{escaped(table.caption)}**", "")
    yield _row(table.head)
    yield "|---" * len(table.head) + "|"
    yield from (_row(row) for row in table.rows)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def _value(value: str, code: bool) -> str:
    return f"`{value.replace('`', '')}`" if code else escaped(value)


def _link(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def escaped(text: str) -> str:
    """On one line, with nothing in it that Markdown or HTML would take for its own."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split(" "))).replace("\n", " ").replace("\r", " ")
