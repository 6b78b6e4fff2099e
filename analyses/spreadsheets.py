"""CSV as spreadsheets read it: RFC 4180, a byte order mark, no cell that runs as a formula; line by line."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

Cell = str | float | None

BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets need it to read UTF-8."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The header, then the rows, each as it is asked for. Texts are made safe; numbers stay numbers."""
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow(header)
    yield BYTE_ORDER_MARK + line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.getvalue()


def safe_cell(text: str) -> str:
    """Text that a spreadsheet won't run as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
