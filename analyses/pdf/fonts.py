"""The embedded fonts, and text in whichever of them has its letters."""

from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent.parent / "fonts"
REGULAR, BOLD, FALLBACK = "DejaVuSans", "DejaVuSans-Bold", "DroidSansFallback"


@cache
def register_fonts() -> None:
    """Make the fonts known to reportlab, once a process."""
    for name in (REGULAR, BOLD, FALLBACK):
        pdfmetrics.registerFont(TTFont(name, FOLDER / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def letters(text: str) -> str:
    """Text as markup for a paragraph. A sign that no font has becomes its number, like [U+1F680]."""
    register_fonts()
    return "".join(_run(font, "".join(signs)) for font, signs in groupby(text, _font_of))


def plain(text: str) -> str:
    """Text for a drawing, where there is one font: what it lacks becomes its number."""
    register_fonts()
    return "".join(sign if _has(REGULAR, sign) else _number(sign) for sign in text)


def _run(font: str, text: str) -> str:
    if font == REGULAR:
        return escape(text)
    if font == FALLBACK:
        return f'<font name="{FALLBACK}">{escape(text)}</font>'
    return "".join(map(_number, text))


def _font_of(sign: str) -> str:
    return next((font for font in (REGULAR, FALLBACK) if _has(font, sign)), "")


def _has(font: str, sign: str) -> bool:
    return sign == "\n" or ord(sign) in pdfmetrics.getFont(font).face.charToGlyph


def _number(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"
