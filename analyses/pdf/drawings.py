"""The scale and the timeline as vector drawings."""

from typing import Any

from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine, Rect, String

from analyses.pdf.fonts import BOLD, REGULAR, plain
from analyses.pdf.styles import INK, LINE, MUTED, VERDICT_FILL, VERDICT_TINT, WIDTH, WINDOW
from analyses.scale import Scale
from analyses.templatetags.figures import percent
from analyses.timeline import HEIGHT as STRIP_UNITS
from analyses.timeline import WIDTH as TIME_UNITS
from analyses.timeline import Strip, Timeline

STRIP_HEIGHT, LABEL_WIDTH, AXIS_HEIGHT = 44.0, 74.0, 20.0
PLOT_WIDTH = WIDTH - LABEL_WIDTH


def scale_drawing(scale: Scale, shown: str) -> Any:
    """From 0 to 100 % with both limits; ``shown`` stands over the clip's mark."""
    drawing = Drawing(WIDTH, 58)
    parts = (("real", 0, scale.lower), ("inconclusive", scale.lower, scale.upper), ("fake", scale.upper, 100))
    for name, begin, end in parts:
        left, right = WIDTH * begin / 100, WIDTH * end / 100
        drawing.add(Rect(left, 26, right - left, 9, fillColor=VERDICT_FILL[name], strokeColor=None))
    labels: list[tuple[float, str, str]] = [(0, "0 %", "start"), (100, "100 %", "end")]
    labels += [(limit, f"{limit:g} %", "middle") for limit in (scale.lower, scale.upper)]
    for at, text, anchor in labels:
        drawing.add(_text(WIDTH * at / 100, 16, text, anchor))
    for at, text, anchor in (
        (0, "No sign found", "start"),
        (50, "Can’t tell", "middle"),
        (100, "Likely manipulated", "end"),
    ):
        drawing.add(_text(WIDTH * at / 100, 5, text, anchor, colour=INK))
    if scale.mark is not None:
        x = WIDTH * scale.mark / 100
        drawing.add(Polygon([x, 25, x - 5, 38, x + 5, 38], fillColor=INK, strokeColor=None))
        drawing.add(_text(x, 43, f"This clip: {shown}", scale.anchor, size=9, font=BOLD, colour=INK))
    return drawing


def strip_drawing(strip: Strip, timeline: Timeline, threshold: float) -> Any:
    """One face over the whole clip; its words beside it."""
    drawing = Drawing(WIDTH, STRIP_HEIGHT + 8)
    face = strip.face
    drawing.add(_text(0, STRIP_HEIGHT / 2 + 4, f"Face {face.track}", "start", size=9, font=BOLD, colour=INK))
    drawing.add(_text(0, STRIP_HEIGHT / 2 - 8, percent(face.fake_probability, threshold), "start"))
    for part in timeline.windows:
        left, width = _x(part.x), PLOT_WIDTH * part.width / TIME_UNITS
        drawing.add(Rect(left, 0, width, STRIP_HEIGHT, fillColor=WINDOW, strokeColor=None))
    for area in (area for run in strip.runs for area in run.areas):
        colour = VERDICT_TINT[area.zone]
        drawing.add(Polygon(_placed(area.path), fillColor=colour, strokeColor=None))
    for y in (timeline.upper_y, timeline.lower_y):
        drawing.add(
            Line(
                _x(0),
                _y(y),
                _x(TIME_UNITS),
                _y(y),
                strokeColor=MUTED,
                strokeWidth=0.5,
                strokeDashArray=[3, 3],
            )
        )
    for run in strip.runs:
        drawing.add(PolyLine(_placed(run.path), strokeColor=INK, strokeWidth=0.9, strokeLineCap=1))
    drawing.add(Rect(_x(0), 0, PLOT_WIDTH, STRIP_HEIGHT, fillColor=None, strokeColor=LINE, strokeWidth=0.5))
    return drawing


def axis_drawing(timeline: Timeline) -> Any:
    drawing = Drawing(WIDTH, AXIS_HEIGHT)
    drawing.add(Line(_x(0), 16, _x(TIME_UNITS), 16, strokeColor=MUTED, strokeWidth=0.5))
    for tick in timeline.ticks:
        x = _x(TIME_UNITS * tick.percent / 100)
        drawing.add(Line(x, 13, x, 19, strokeColor=MUTED, strokeWidth=0.5))
        drawing.add(_text(x, 3, tick.label, tick.anchor))
    return drawing


def _placed(path: str) -> list[float]:
    """x and y on the page, one after the other, of a path of the timeline: a line, or an area's edge."""
    pairs = (pair.split() for pair in path.removeprefix("M").removesuffix("Z").split("L"))
    return [value for x, y in pairs for value in (_x(float(x)), _y(float(y)))]


def _x(units: float) -> float:
    return LABEL_WIDTH + float(PLOT_WIDTH) * units / TIME_UNITS


def _y(units: float) -> float:
    """The timeline counts from the top, the page from the bottom."""
    return STRIP_HEIGHT * (1 - units / STRIP_UNITS)


def _text(
    x: float, y: float, text: str, anchor: str, *, size: float = 7.5, font: str = REGULAR, colour: Any = MUTED
) -> Any:
    return String(x, y, plain(text), textAnchor=anchor, fontSize=size, fontName=font, fillColor=colour)
