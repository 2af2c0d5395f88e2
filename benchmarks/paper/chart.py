"""A quiet chart of dots and intervals: measurements, what they have to beat, what was printed.

Knows panels and colours; nothing of what was measured. Everything is drawn four times larger and
brought down to twice the size, so that lines are smooth and letters sharp.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

from PIL import Image, ImageDraw, ImageFont

from benchmarks.paper.plotting import Axis, Kind, Line, Panel, axis

PAPER, INK, QUIET, HAIR = (255, 254, 251), (44, 42, 48), (118, 114, 122), (228, 225, 219)
Colour: TypeAlias = tuple[int, int, int]
COLOURS: dict[Kind, Colour] = {
    "ours": (45, 105, 160),
    "strict": (186, 88, 40),
    "null": (158, 153, 148),
    "strict null": (222, 183, 160),
    "people": (86, 128, 76),
}
FINE, KEPT = 4, 2
"""How much larger is drawn, and how much of that is kept."""
BORDER, GAP = 28, 44
PANEL, ALONE = 330, 500
"""How wide a panel is, beside others and alone."""
LANE, AROUND = 15, 13
"""Between two lines of a row; above and below them."""
TITLE, HEADING, LETTER, SMALL = 19, 14, 13, 11
DOT, RING = 4.0, 5.6
HEAD, LEGEND, AXIS = TITLE + 20, 22, 34

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Pen:
    """Draws in the units of the finished picture."""

    def __init__(self, width: float, height: float) -> None:
        self._image = Image.new("RGB", (round(width * FINE), round(height * FINE)), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self, x: float, y: float, words: str, size: int, colour: Colour = INK, anchor: str = "lm"
    ) -> None:
        """Words beside a point."""
        self._draw.text((x * FINE, y * FINE), words, colour, _font(size), anchor=anchor)

    def line(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, width: float
    ) -> None:
        """From one point to another."""
        ends = (x0 * FINE, y0 * FINE, x1 * FINE, y1 * FINE)
        self._draw.line(ends, colour, round(width * FINE))

    def dot(self, x: float, y: float, colour: Colour, *, hollow: bool) -> None:
        """A dot, or a ring that leaves a dot in its middle to be seen."""
        radius = (RING if hollow else DOT) * FINE
        box = (x * FINE - radius, y * FINE - radius, x * FINE + radius, y * FINE + radius)
        if hollow:
            self._draw.ellipse(box, None, colour, round(1.4 * FINE))
        else:
            self._draw.ellipse(box, colour)

    def finished(self) -> Image.Image:
        """The picture."""
        width, height = self._image.size
        size = (width * KEPT // FINE, height * KEPT // FINE)
        return self._image.resize(size, Image.Resampling.LANCZOS)


class Band(NamedTuple):
    """Panels side by side, since their rows are the same."""

    panels: tuple[Panel, ...]

    @property
    def wide(self) -> float:
        """How wide each panel is."""
        return PANEL if len(self.panels) > 1 else ALONE

    @property
    def width(self) -> float:
        """Of all panels."""
        return len(self.panels) * (self.wide + GAP) - GAP

    @property
    def row(self) -> float:
        """How high a row is."""
        lanes = max(max(panel.lanes, default=0) for panel in self.panels)
        return lanes * LANE + 2 * AROUND

    @property
    def height(self) -> float:
        """Of heading, rows and axis."""
        return HEADING + 16 + self.row * len(self.panels[0].rows) + AXIS


class Box(NamedTuple):
    """Where a panel's rows are."""

    left: float
    top: float
    wide: float
    row: float


class Entry(NamedTuple):
    """One mark of the legend, and where it is."""

    line: Line
    left: float
    row: int


def drawn(title: str, panels: Sequence[Panel]) -> Image.Image:
    """All panels; those with the same rows side by side."""
    bands = [Band(tuple(some)) for _, some in groupby(panels, lambda panel: panel.rows)]
    names = 16 + max(_width(row, LETTER) for panel in panels for row in panel.rows)
    across = max(names + max(band.width for band in bands), _width(title, TITLE))
    legend = _legend(panels, across)
    below = BORDER + HEAD + (legend[-1].row + 1 if legend else 0) * LEGEND + 10
    pen = Pen(2 * BORDER + across, below + BORDER + sum(band.height for band in bands))
    pen.text(BORDER, BORDER + TITLE / 2, title, TITLE)
    for entry in legend:
        _draw_entry(pen, entry)
    for band in bands:
        _draw_band(pen, band, names, below)
        below += band.height
    return pen.finished()


def _legend(panels: Sequence[Panel], across: float) -> list[Entry]:
    """Each series that has something to show, in as many rows as they need."""
    shown = {line[:3]: line for panel in panels for line in panel.lines if any(line.spots)}
    entries: list[Entry] = []
    left, row = 0.0, 0
    for line in shown.values():
        width = _width(line.name, LETTER) + 44
        if left and left + width - 20 > across:
            left, row = 0.0, row + 1
        entries.append(Entry(line, BORDER + DOT + left, row))
        left += width
    return entries


def _draw_entry(pen: Pen, entry: Entry) -> None:
    (name, kind, hollow, _), left, row = entry
    y = BORDER + HEAD + row * LEGEND
    if not hollow:
        pen.line(left - 4, y, left + 12, y, COLOURS[kind], 1.5)
    pen.dot(left + 4, y, COLOURS[kind], hollow=hollow)
    pen.text(left + 19, y, name, LETTER, QUIET)


def _draw_band(pen: Pen, band: Band, names: float, top: float) -> None:
    first = top + HEADING + 16
    for place, panel in enumerate(band.panels):
        left = BORDER + names + place * (band.wide + GAP)
        pen.text(left, top + HEADING / 2, panel.title, HEADING)
        _draw_panel(pen, panel, Box(left, first, band.wide, band.row))
    for place, name in enumerate(band.panels[0].rows):
        pen.text(BORDER, first + (place + 0.5) * band.row, name, LETTER)


def _draw_panel(pen: Pen, panel: Panel, box: Box) -> None:
    along, count = axis(panel.lines), len(panel.rows)
    for tick in along.ticks:
        x = box.left + along.at(tick) * box.wide
        pen.line(x, box.top, x, box.top + count * box.row, HAIR, 1)
        pen.text(x, box.top + count * box.row + 12, along.told(tick), SMALL, QUIET, "mm")
    for place in range(count + 1):
        y = box.top + place * box.row
        pen.line(box.left, y, box.left + box.wide, y, HAIR, 0.5)
    lanes = panel.lanes
    first = box.top + (box.row - max(lanes, default=0) * LANE) / 2
    # What was printed comes last, as a ring around what may lie there.
    for line, lane in sorted(zip(panel.lines, lanes, strict=True), key=lambda one: one[0].hollow):
        _draw_line(pen, line, along, box._replace(top=first + lane * LANE))


def _draw_line(pen: Pen, line: Line, along: Axis, box: Box) -> None:
    colour = COLOURS[line.kind]
    for place, spot in enumerate(line.spots):
        if spot is None:
            continue
        y = box.top + place * box.row
        x, low, high = (box.left + along.at(value) * box.wide for value in spot)
        if not line.hollow or high - low > 2 * RING:  # it would be a speck within the ring
            pen.line(low, y, high, y, colour, 1.5)
        pen.dot(x, y, colour, hollow=line.hollow)


def _font(size: int) -> Font:
    return ImageFont.load_default(size * FINE)


def _width(words: str, size: int) -> float:
    return _font(size).getlength(words) / FINE
