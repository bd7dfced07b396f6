"""Every icon, drawn: no borrowed files. Pillow only, so any thread may draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from astcti_client.ui.model import TrayState

_FINER = 4  # drawn so much larger and then made smaller: smooth edges
_GRID = 24  # units of an icon's side in the functions below
Point = tuple[float, float]
TRAY_COLOURS: dict[TrayState, str] = {
    "offline": "#7c8694",
    "pbx-down": "#c2410c",
    "available": "#16a34a",
    "paused": "#d97706",
    "ringing": "#7c3aed",
    "talking": "#2563eb",
}


class Pen:
    """Draws in grid units with a round pen."""

    def __init__(self, size: int, colour: str, width: float = 2.0) -> None:
        self._unit = size * _FINER / _GRID
        self.image = Image.new("RGBA", (size * _FINER, size * _FINER))
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


def _handset(pen: Pen) -> None:
    # A receiver seen from the side, lying on the diagonal: two ends and the grip between them.
    pen.shape(*_receiver(0.0))


def _receiver(turn: float) -> list[Point]:
    """The outline of a receiver, turned by so many degrees around the middle."""
    outline: list[Point] = []
    for step in range(0, 181, 6):  # the back of the grip
        a = math.radians(180 + step)
        outline.append((12 + 9.4 * math.cos(a), 16.2 + 8.4 * math.sin(a)))
    outline += [(21.4, 18.6), (20.8, 19.4), (16.6, 18.4), (16.0, 17.7), (15.9, 14.6)]
    for step in range(0, 181, 12):
        a = math.radians(-step)
        outline.append((12 + 4.1 * math.cos(a), 15.0 + 2.0 * math.sin(a)))
    outline += [(8.0, 17.7), (7.4, 18.4), (3.2, 19.4), (2.6, 18.6)]
    a = math.radians(turn)
    return [
        (
            12 + (x - 12) * math.cos(a) - (y - 13.5) * math.sin(a),
            13.5 - 1.5 + (x - 12) * math.sin(a) + (y - 13.5) * math.cos(a),
        )
        for x, y in outline
    ]


def _phone(pen: Pen) -> None:
    pen.shape(*_receiver(-135.0))


def _pause(pen: Pen) -> None:
    pen.line((8.5, 6), (8.5, 18))
    pen.line((15.5, 6), (15.5, 18))


def _play(pen: Pen) -> None:
    pen.shape((8, 5), (19, 12), (8, 19))
    pen.line((8, 5), (19, 12), (8, 19), (8, 5))


def _transfer(pen: Pen) -> None:
    pen.line((4, 12), (19, 12))
    pen.line((13, 6), (19, 12), (13, 18))


def _page(pen: Pen) -> None:
    pen.circle(12, 12, 8)
    pen.line((4, 12), (20, 12))
    pen.arc(4.5, 12, 11, -46, 46)
    pen.arc(19.5, 12, 11, 134, 226)


def _history(pen: Pen) -> None:
    pen.arc(12.5, 12, 8, -165, 140)
    pen.line((3.0, 6.2), (4.7, 10.4), (9.0, 9.2))
    pen.line((12.5, 7.5), (12.5, 12.2), (15.8, 14.0))


def _settings(pen: Pen) -> None:
    for y, x in ((6.5, 15.5), (12, 8.5), (17.5, 14)):
        pen.line((4, y), (x - 2.4, y))
        pen.line((x + 2.4, y), (20, y))
        pen.circle(x, y, 2.2)


def _menu(pen: Pen) -> None:
    for y in (5, 12, 19):
        pen.circle(12, y, 1.7, filled=True)


def _search(pen: Pen) -> None:
    pen.circle(10.5, 10.5, 6)
    pen.line((15, 15), (20, 20))


def _copy(pen: Pen) -> None:
    pen.box(8.5, 8.5, 20, 20)
    pen.line((4.5, 15.5), (4.2, 4.2), (15.5, 4.5))


def _close(pen: Pen) -> None:
    pen.line((6, 6), (18, 18))
    pen.line((18, 6), (6, 18))


def _lock(pen: Pen) -> None:
    pen.box(5, 11, 19, 20.5)
    pen.arc(12, 8.6, 4.2, 180, 360)
    pen.line((7.8, 8.6), (7.8, 11))
    pen.line((16.2, 8.6), (16.2, 11))


def _info(pen: Pen) -> None:
    pen.circle(12, 12, 8.5)
    pen.line((12, 11.5), (12, 16.5))
    pen.circle(12, 7.8, 1.2, filled=True)


def _warning(pen: Pen) -> None:
    pen.line((12, 4), (21, 19.5), (3, 19.5), (12, 4))
    pen.line((12, 10), (12, 13.6))
    pen.circle(12, 16.6, 1.1, filled=True)


def _check(pen: Pen) -> None:
    pen.line((5, 12.5), (10, 17.5), (19, 7))


def _incoming(pen: Pen) -> None:
    pen.line((19, 5), (6, 18))
    pen.line((6, 9), (6, 18), (15, 18))


def _outgoing(pen: Pen) -> None:
    pen.line((5, 19), (18, 6))
    pen.line((9, 6), (18, 6), (18, 15))


def _missed(pen: Pen) -> None:
    pen.line((3, 7), (11.5, 15.5), (21, 6))
    pen.line((3, 13.5), (3, 7), (9.5, 7))


def _elsewhere(pen: Pen) -> None:
    pen.line((4, 18), (4, 12), (18, 12))
    pen.line((13, 7), (18.5, 12), (13, 17))


def _back(pen: Pen) -> None:
    pen.line((20, 12), (5, 12))
    pen.line((11, 6), (5, 12), (11, 18))


def _down(pen: Pen) -> None:
    pen.line((6, 9.5), (12, 15.5), (18, 9.5))


def _export(pen: Pen) -> None:
    pen.line((12, 4), (12, 15))
    pen.line((7, 10.5), (12, 15.5), (17, 10.5))
    pen.line((4.5, 16), (4.5, 20), (19.5, 20), (19.5, 16))


def _bin(pen: Pen) -> None:
    pen.line((4.5, 7), (19.5, 7))
    pen.line((9.5, 6.5), (9.5, 4.2), (14.5, 4.2), (14.5, 6.5))
    pen.line((6.5, 7.5), (7.4, 20), (16.6, 20), (17.5, 7.5))


def _person(pen: Pen) -> None:
    pen.circle(12, 8, 3.8)
    pen.arc(12, 20.5, 7.5, 188, 352)


def _hollow(pen: Pen) -> None:
    pen.circle(12, 12, 6)


def _full(pen: Pen) -> None:
    pen.circle(12, 12, 7, filled=True)


ICONS: dict[str, Callable[[Pen], None]] = {
    "phone": _phone,
    "hang-up": _handset,
    "pause": _pause,
    "play": _play,
    "transfer": _transfer,
    "page": _page,
    "history": _history,
    "settings": _settings,
    "menu": _menu,
    "search": _search,
    "copy": _copy,
    "close": _close,
    "lock": _lock,
    "info": _info,
    "warning": _warning,
    "check": _check,
    "incoming": _incoming,
    "outgoing": _outgoing,
    "missed": _missed,
    "elsewhere": _elsewhere,
    "back": _back,
    "down": _down,
    "export": _export,
    "bin": _bin,
    "person": _person,
    "hollow": _hollow,
    "full": _full,
}


@lru_cache(maxsize=512)
def icon(name: str, size: int, colour: str, width: float = 2.0) -> Image.Image:
    """An icon of `size` pixels on a transparent ground."""
    pen = Pen(size, colour, width)
    ICONS[name](pen)
    return pen.image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(maxsize=256)
def rounded(
    width: int, height: int, radius: float, fill: str, border: str = "", thickness: float = 1.0
) -> Image.Image:
    """A rectangle with round corners on a transparent ground; a radius of half the height makes a pill."""
    big = Image.new("RGBA", (width * _FINER, height * _FINER))
    ImageDraw.Draw(big).rounded_rectangle(
        (0, 0, width * _FINER - 1, height * _FINER - 1),
        radius * _FINER,
        fill=fill or None,
        outline=border or None,
        width=round(thickness * _FINER) if border else 0,
    )
    return big.resize((width, height), Image.Resampling.LANCZOS)


def on_ground(picture: Image.Image, ground: str) -> Image.Image:
    """The picture on an opaque ground."""
    whole = Image.new("RGBA", picture.size, ground)
    whole.alpha_composite(picture)
    return whole


@lru_cache(maxsize=64)
def tray_icon(state: TrayState, size: int = 64) -> Image.Image:
    """The tray's icon: a colour and a sign for each state, so that colour alone never tells."""
    ground = rounded(size, size, size * 0.26, TRAY_COLOURS[state])
    signs: dict[TrayState, str] = {"paused": "pause", "offline": "close", "pbx-down": "warning"}
    inner = round(size * (0.62 if state in signs else 0.74))
    sign = icon(signs.get(state, "phone"), inner, "#ffffff", 2.8)
    picture = ground.copy()
    place = (size - inner) // 2
    picture.alpha_composite(sign, (place, place))
    if state == "ringing":
        waves = Pen(size, "#ffffff", 1.6)
        waves.arc(12.5, 11.5, 4.2, -75, -5)
        waves.arc(12.5, 11.5, 7.4, -75, -5)
        picture.alpha_composite(waves.image.resize((size, size), Image.Resampling.LANCZOS))
    if state == "talking":
        dot = Pen(size, "#ffffff")
        dot.circle(17.6, 6.4, 2.3, filled=True)
        picture.alpha_composite(dot.image.resize((size, size), Image.Resampling.LANCZOS))
    return picture


def icon_sheet(names: Sequence[str], size: int, colour: str, ground: str) -> Image.Image:
    """Icons beside one another, to look at them."""
    sheet = Image.new("RGBA", (len(names) * (size + 8) + 8, size + 16), ground)
    for place, name in enumerate(names):
        sheet.alpha_composite(icon(name, size, colour), (8 + place * (size + 8), 8))
    return sheet
