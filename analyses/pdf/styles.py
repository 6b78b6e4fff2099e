"""Sizes, colours and paragraph styles of the report. Colours are those of the pages in their light scheme."""

from functools import cache
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph

from analyses.pdf.fonts import BOLD, REGULAR, letters, register_fonts

MARGIN = 18 * mm
WIDTH = 210 * mm - 2 * MARGIN
INK, MUTED, LINE, WINDOW = (HexColor(colour) for colour in ("#1b1d21", "#5a5f67", "#b9b6ae", "#e6e3da"))
VERDICT_INK = {"fake": HexColor("#a1360f"), "real": HexColor("#1a5a94"), "inconclusive": HexColor("#4c5159")}
VERDICT_FILL = {"fake": HexColor("#d95f2b"), "real": HexColor("#3d86c6"), "inconclusive": HexColor("#8f918f")}
VERDICT_TINT = {"fake": HexColor("#e3a383"), "real": HexColor("#93b9dc"), "inconclusive": HexColor("#bcbdbb")}


@cache
def style(name: str) -> Any:
    """One of: text, point, small, title, heading, name, strong."""
    register_fonts()
    kinds: dict[str, dict[str, Any]] = {
        "text": {"fontSize": 9.5, "leading": 13.5, "spaceAfter": 3},
        "point": {
            "fontSize": 9.5, "leading": 13.5, "spaceAfter": 3, "leftIndent": 11, "bulletFontName": REGULAR,
        },
        "small": {"fontSize": 8, "leading": 11, "textColor": MUTED},
        "title": {"fontName": BOLD, "fontSize": 15, "leading": 19, "spaceAfter": 4},
        "heading": {
            "fontName": BOLD, "fontSize": 11.5, "leading": 15, "spaceBefore": 12, "spaceAfter": 4,
            "keepWithNext": 1,
        },
        "name": {"fontName": BOLD, "fontSize": 9.5, "leading": 13.5, "spaceAfter": 2},
        "strong": {"fontName": BOLD, "fontSize": 9.5, "leading": 13.5, "spaceAfter": 3},
    }  # fmt: skip
    return ParagraphStyle(name, **{"fontName": REGULAR, "textColor": INK, **kinds[name]})


def paragraph(text: str, name: str = "text") -> Any:
    """Any text at all; nothing in it is taken for markup."""
    return Paragraph(letters(text), style(name))


def point(text: str) -> Any:
    """An entry of a list."""
    return Paragraph(letters(text), style("point"), bulletText="–")
