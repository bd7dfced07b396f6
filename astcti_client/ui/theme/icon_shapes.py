"""The shape of every icon, drawn with a pen on its grid; no borrowed files."""

from __future__ import annotations

import math
from collections.abc import Callable

from astcti_client.ui.theme.pen import Pen, Point


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


def _people(pen: Pen) -> None:
    pen.circle(9, 8, 3.4)
    pen.arc(9, 20, 6.4, 180, 360)
    pen.arc(16, 8.4, 3.0, -110, 110)
    pen.arc(15.5, 20, 5.6, -75, 0)


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


def _hollow(pen: Pen) -> None:
    pen.circle(12, 12, 6)


def _full(pen: Pen) -> None:
    pen.circle(12, 12, 7, filled=True)


SHAPES: dict[str, Callable[[Pen], None]] = {
    "phone": _phone,
    "hang-up": _handset,
    "pause": _pause,
    "play": _play,
    "transfer": _transfer,
    "page": _page,
    "history": _history,
    "people": _people,
    "menu": _menu,
    "search": _search,
    "copy": _copy,
    "close": _close,
    "lock": _lock,
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
    "hollow": _hollow,
    "full": _full,
}
