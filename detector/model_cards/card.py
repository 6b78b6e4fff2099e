"""Which weights there are to tell of, and what their cards say of how they were made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.config import DetectorConfig
from detector.errors import NoWeights
from detector.model_cards.fields import Fields, read_fields
from detector.weights import WEIGHTS_FOLDER, WeightsCard, find_weights, read_card

FAKE_SOURCE = re.compile(r"FF\+\+-(?!original)([^-]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one origin that training was given, and their terms."""

    name: str
    files: int
    terms: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Weights with everything on their card.

    slug: their name in addresses, no two alike. results: the folder of their evaluation, which need not be
    there. shipped: they came with TruthLens. in_use: this site judges with them.
    """

    weights: WeightsCard
    slug: str
    fields: Fields
    results: Path
    shipped: bool
    in_use: bool

    @property
    def size_bytes(self) -> int:
        return self.weights.path.stat().st_size

    @property
    def training(self) -> Fields:
        return self.fields.part("training")

    def sources(self, kind: str) -> tuple[Source, ...]:
        """Of ``clips`` or of ``stills``."""
        # Some terms were cut off at a rule of equals signs.
        return tuple(
            Source(name, int(entry.number("files") or 0), entry.text("terms").rstrip(" =") or "not stated")
            for name, entry in self.training.part(kind).parts()
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The manipulations that FaceForensics++ clips of its training were made with."""
        found = (method_of(source.name) for source in self.sources("clips"))
        return tuple(sorted({method for method in found if method}))


def method_of(source: str) -> str | None:
    """Of a source named like FF++-Deepfakes-c23; None for others and for its reals."""
    match = FAKE_SOURCE.match(source)
    return match[1] if match else None


def find_model_cards(config: DetectorConfig, results: Path) -> tuple[ModelCard, ...]:
    """The shipped weights and, where ``config`` names others, those; the weights in use come first.

    results: the folder that evaluations write to, one folder a model in it. Weights whose card can't be read
    are left out.
    """
    used = _used(config)
    own = [] if used is None or used.path.parent == WEIGHTS_FOLDER else [used]
    shipped = list(_shipped())
    known = {weights.sha256 for weights in shipped}
    chosen = [*shipped, *(weights for weights in own if weights.sha256 not in known)]
    cards: list[ModelCard] = []
    for weights in chosen:
        taken = {card.slug for card in cards}
        in_use = used is not None and used.sha256 == weights.sha256
        cards.append(_card(weights, results, taken, in_use))
    return tuple(sorted(cards, key=lambda card: not card.in_use))


def _used(config: DetectorConfig) -> WeightsCard | None:
    try:
        return find_weights(config)
    except NoWeights:
        return None


def _shipped() -> Iterator[WeightsCard]:
    for path in sorted(WEIGHTS_FOLDER.glob("*.safetensors")):
        try:
            yield read_card(path)
        except NoWeights:
            continue


def _card(weights: WeightsCard, results: Path, taken: set[str], in_use: bool) -> ModelCard:
    shipped = weights.path.parent == WEIGHTS_FOLDER
    stem = weights.path.stem
    slug = re.sub(r"[^\w.-]+", "-", weights.name).strip(".-") or "model"
    return ModelCard(
        weights=weights,
        slug=f"{slug}-{weights.sha256[:12]}" if slug in taken else slug,
        fields=read_fields(weights.path.with_suffix(".json")),
        # The evaluation names its folder by the backbone, or by the file where it was given one.
        results=results / (stem.removesuffix("_lstm") if shipped else stem),
        shipped=shipped,
        in_use=in_use,
    )
