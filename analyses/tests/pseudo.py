"""A language that nobody speaks: every sentence in brackets and 40 % longer, numbers as in German.

What stands on a page outside of the brackets was never handed to the translators; what bursts its place would
do so in many languages.
"""

import gettext
import re
from html.parser import HTMLParser

from django.utils.translation import trans_real

CODE = "de"
"""It borrows the rules of a real one, such as the comma before decimals."""
OPEN, CLOSE = "⟦", "⟧"
FILLING = "länger "
NOT_FOR_TRANSLATORS = {"script", "style", "code", "kbd"}
WORDY = ("aria-label", "alt", "title", "placeholder")
WORD = re.compile(r"[^\W\d_]{2,}")


class PseudoTranslations(gettext.NullTranslations):
    """In place of Django's catalogue of ``CODE``."""

    def gettext(self, message: str) -> str:
        words = message.rsplit(trans_real.CONTEXT_SEPARATOR, 1)[-1]
        length = round(0.4 * len(words))
        return f"{OPEN}{words} {(FILLING * length)[:length].strip()}{CLOSE}" if words.strip() else words

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def language(self) -> str:
        return CODE

    def to_language(self) -> str:
        return CODE


class Escapes(HTMLParser):
    """Gathers words of a page that stand outside of the brackets, and numbers with a comma in a drawing."""

    def __init__(self, known: re.Pattern[str]) -> None:
        super().__init__()
        self._known = known
        self._depth = 0
        self._skipped: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        foreign = values.get("translate") == "no" or (tag != "html" and "lang" in values)
        if self._skipped or tag in NOT_FOR_TRANSLATORS or foreign:
            self._skipped.append(tag)
        for name, value in attrs:
            is_sentence = name in WORDY or (name.startswith("data-") and values.get("id") == "words")
            if is_sentence and not self._skipped and value:
                self._look(value, 0)
            if tag in ("rect", "line", "circle", "text", "path") and value and re.search(r"\d,\d", value):
                self.found.append(f"{name}={value[:40]!r}")

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and tag in self._skipped:
            while self._skipped.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._depth = self._look(data, self._depth)

    def _look(self, text: str, depth: int) -> int:
        outside = ""
        for character in text:
            depth += (character == OPEN) - (character == CLOSE)
            if depth == 0 and character != CLOSE:
                outside += character
        if WORD.search(self._known.sub(" ", outside)):
            self.found.append(" ".join(outside.split()))
        return depth


def escapes(page: str, known: re.Pattern[str]) -> list[str]:
    """``known`` matches what may stand there as it is: names, units, what people wrote."""
    parser = Escapes(known)
    parser.feed(page)
    parser.close()
    return parser.found
