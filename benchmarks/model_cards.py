"""The model cards in docs/model-cards, written from the cards of the shipped weights and their evaluation.

    python -m benchmarks.model_cards [--check]

writes one file for each of the shipped weights; with --check it only says whether the files are up to date.
"""

import argparse
import sys
from pathlib import Path

from detector.config import DetectorConfig
from detector.model_cards import find_model_cards
from detector.model_cards.markdown import markdown_of

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "model-cards"


def files() -> dict[Path, str]:
    """What should stand in which file."""
    cards = find_model_cards(DetectorConfig(), ROOT / "benchmarks" / "results")
    return {FOLDER / f"{card.slug}.md": markdown_of(card, FOLDER) for card in cards}


def outdated() -> list[Path]:
    """Files that are missing, differ or belong to no weights."""
    wanted = files()
    there = set(FOLDER.glob("*.md"))
    changed = {
        path for path, text in wanted.items() if not (path in there and path.read_text("utf-8") == text)
    }
    return sorted(changed | (there - wanted.keys()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_cards", description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = outdated()
    if options.check:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"Not up to date: {names}. Run python -m benchmarks.model_cards." if stale else 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.unlink(missing_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
