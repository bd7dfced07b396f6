"""Icons in any size and colour, round corners, the tray's icon. Pillow only, so any thread may draw."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from astcti_client.ui.state.seat_state import TrayState
from astcti_client.ui.theme.icon_shapes import SHAPES
from astcti_client.ui.theme.pen import FINER, Pen

TRAY_COLOURS: dict[TrayState, str] = {
    "offline": "#7c8694",
    "pbx-down": "#c2410c",
    "no-queue": "#c2410c",
    "available": "#16a34a",
    "paused": "#d97706",
    "ringing": "#7c3aed",
    "talking": "#2563eb",
}

MISSED_COLOUR = "#dc2626"


@lru_cache(maxsize=512)
def icon(name: str, size: int, colour: str, width: float = 2.0) -> Image.Image:
    """An icon of `size` pixels on a transparent ground."""
    pen = Pen(size, colour, width)
    SHAPES[name](pen)
    return pen.image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(maxsize=256)
def rounded(
    width: int, height: int, radius: float, fill: str, border: str = "", thickness: float = 1.0
) -> Image.Image:
    """A rectangle with round corners on a transparent ground; a radius of half the height makes a pill."""
    big = Image.new("RGBA", (width * FINER, height * FINER))
    ImageDraw.Draw(big).rounded_rectangle(
        (0, 0, width * FINER - 1, height * FINER - 1),
        radius * FINER,
        fill=fill or None,
        outline=border or None,
        width=round(thickness * FINER) if border else 0,
    )
    return big.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=64)
def tray_icon(state: TrayState, size: int = 64, *, missed: bool = False) -> Image.Image:
    """The tray's icon: a colour and a sign for each state, so that colour alone never tells.

    `missed`: with a mark, for calls were missed that nobody looked at yet.
    """
    ground = rounded(size, size, size * 0.26, TRAY_COLOURS[state])
    signs: dict[TrayState, str] = {
        "paused": "pause",
        "offline": "close",
        "pbx-down": "warning",
        "no-queue": "warning",
    }
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
    if missed:
        # In the corner that no sign needs, with a rim that shows on any ground.
        mark = Pen(size, "#ffffff")
        mark.circle(18.2, 18.2, 5.4, filled=True)
        picture.alpha_composite(mark.image.resize((size, size), Image.Resampling.LANCZOS))
        mark = Pen(size, MISSED_COLOUR)
        mark.circle(18.2, 18.2, 4.2, filled=True)
        picture.alpha_composite(mark.image.resize((size, size), Image.Resampling.LANCZOS))
    return picture
