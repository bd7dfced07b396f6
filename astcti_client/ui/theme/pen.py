"""A round pen that draws in the units of a small grid. Pillow only, so any thread may draw."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

FINER = 4  # drawn so much larger and then made smaller: smooth edges
GRID = 24  # units of an icon's side
Point = tuple[float, float]


class Pen:
    """Draws in grid units with a round pen."""

    def __init__(self, size: int, colour: str, width: float = 2.0) -> None:
        self._unit = size * FINER / GRID
        self.image = Image.new("RGBA", (size * FINER, size * FINER))
        self._draw = ImageDraw.Draw(self.image)
        self._colour = colour
        self._width = max(1, round(width * self._unit))

    def line(self, *points: Point) -> None:
        """A line through the points."""
        ends = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.line(ends, fill=self._colour, width=self._width, joint="curve")
        half = self._width / 2
        for x, y in ends:
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=self._colour)

    def circle(self, x: float, y: float, radius: float, *, filled: bool = False) -> None:
        """A circle around a point."""
        box = [value * self._unit for value in (x - radius, y - radius, x + radius, y + radius)]
        if filled:
            self._draw.ellipse(box, fill=self._colour)
            return
        half = self._width / 2
        grown = (box[0] - half, box[1] - half, box[2] + half, box[3] + half)
        self._draw.ellipse(grown, outline=self._colour, width=self._width)

    def arc(self, x: float, y: float, radius: float, start: float, end: float) -> None:
        """Part of a circle, in degrees clockwise from three o'clock."""
        steps = max(6, int(abs(end - start) / 6))
        angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
        self.line(*((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles))

    def shape(self, *points: Point) -> None:
        """A filled shape."""
        self._draw.polygon([(x * self._unit, y * self._unit) for x, y in points], fill=self._colour)

    def box(self, left: float, top: float, right: float, bottom: float, radius: float = 2) -> None:
        """A rectangle's outline with round corners."""
        self._draw.rounded_rectangle(
            [value * self._unit for value in (left, top, right, bottom)],
            radius * self._unit,
            outline=self._colour,
            width=self._width,
        )
