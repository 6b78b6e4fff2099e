"""Model cards: what is known of the weights, read from their card and from the files of their evaluation.

``find_model_cards`` finds them, ``sections_of`` says what one card says, and both the page and the Markdown
file show exactly that. The standard library alone is needed, so that a web process can read them.
"""

from detector.model_cards.blocks import Section
from detector.model_cards.card import ModelCard, find_model_cards
from detector.model_cards.figures import KnownClips, known_clips
from detector.model_cards.sections import plots_of, sections_of, unseen_of

__all__ = [
    "KnownClips",
    "ModelCard",
    "Section",
    "find_model_cards",
    "known_clips",
    "plots_of",
    "sections_of",
    "unseen_of",
]
