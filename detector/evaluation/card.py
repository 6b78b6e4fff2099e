"""The figures on the card of the weights that they were measured with."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.evaluation.measures import Measured
from detector.evaluation.outcomes import Subset
from detector.evaluation.tables import Figures

ON_CARD = ("all", "set", "method", "compression")
"""Subsets on the card; figures by source are in the CSV file alone."""
FLAT_LIST = re.compile(r"\[\s+([^\[\]{}]+?)\s+\]")


def write_card(path: Path, split: str, metrics: Mapping[str, Any]) -> None:
    """Put the figures on the card, in place of older ones of the same split.

    Other fields stay, and so does what calibration found on the tune split.
    """
    card = json.loads(path.read_text(encoding="utf-8"))
    there = card.setdefault("metrics", {})
    kept = {name: entry for name, entry in there.get(split, {}).items() if is_of_calibration(entry)}
    there[split] = {**kept, **metrics}
    text = json.dumps(card, indent=2, ensure_ascii=False)
    path.write_text(FLAT_LIST.sub(one_line, text) + "\n", encoding="utf-8")


def is_of_calibration(entry: object) -> bool:
    return isinstance(entry, dict) and "auc_of_mean" in entry


def one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r",\s+", ", ", found[1]) + "]"


def metrics_of(
    parts: Sequence[tuple[Subset, Figures]], degraded: Mapping[str, Figures], date: str
) -> dict[str, Any]:
    """Value and 95 % interval of each measure, by subset; and of AUC and its drop, by degradation."""
    metrics: dict[str, Any] = {"date": date}
    for part, figures in parts:
        if part.by in ON_CARD and "auc" in figures:
            head = {"clips": len(part.outcomes), "fakes": part.fakes}
            metrics[part.name] = {**head, **{name: entry(figure) for name, figure in figures.items()}}
    if degraded:
        metrics["degraded"] = {
            name: {key: entry(figures[key]) for key in ("auc", "auc_drop") if key in figures}
            for name, figures in degraded.items()
        }
    return metrics


def entry(figure: Measured) -> list[float | None]:
    return [None if v != v else round(v, 4) for v in (figure.value, figure.low, figure.high)]
