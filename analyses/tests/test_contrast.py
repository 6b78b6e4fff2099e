"""Colours that people must be able to tell apart, by the formula of WCAG 2.2."""

import re

import pytest
from django.conf import settings

TEXT, GRAPHIC = 4.5, 3.0
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "muted") for ground in ("ground", "surface", "sunken")),
    ("button-ink", "button", TEXT),
    ("ground", "danger", TEXT),
    ("danger", "surface", TEXT),
    ("danger", "ground", TEXT),
    *((kind, f"{kind}-ground", TEXT) for kind in ("fake", "real", "unsure")),
    *((kind, "surface", TEXT) for kind in ("fake", "real", "unsure")),
    ("ink", "window", TEXT),
    *((f"{kind}-fill", "surface", GRAPHIC) for kind in ("fake", "real", "unsure")),
    *((line, ground, GRAPHIC) for line in ("focus", "line-strong") for ground in ("ground", "surface")),
]


def palette(scheme: str) -> dict[str, str]:
    light, dark = (settings.BASE_DIR / "static/css/tokens.css").read_text().split("@media")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", light))
    return colours if scheme == "light" else colours | dict(re.findall(r"--([\w-]+): (#\w{6});", dark))


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("one", "other", "least"), PAIRS)
def test_colours_stand_out_enough(scheme: str, one: str, other: str, least: float) -> None:
    colours = palette(scheme)
    low, high = sorted((luminance(colours[one]), luminance(colours[other])))
    assert (high + 0.05) / (low + 0.05) >= least
