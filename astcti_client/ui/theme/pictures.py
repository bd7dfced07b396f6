"""Drawn pictures as Tk shows them, each made once for one palette and one size. Main thread."""

from __future__ import annotations

import itertools
import tkinter as tk

from PIL import Image, ImageTk

from astcti_client.ui.state.seat_state import TrayState
from astcti_client.ui.theme import icons
from astcti_client.ui.theme.palette import Palette

_numbers = itertools.count(1)


def with_gap(drawn: Image.Image, gap: int) -> Image.Image:
    """The picture with so many empty dots at its right: a blank would shift the first line alone."""
    if not gap:
        return drawn
    wider = Image.new("RGBA", (drawn.width + gap, drawn.height))
    wider.paste(drawn)
    return wider


def on_ground(drawn: Image.Image, ground: str) -> Image.Image:
    """The picture on a ground of one colour, without anything to see through; as it is where that is empty.

    Of what can be seen through Tk first asks the X server what is below, piece by piece, and waits each time:
    some three hundred times for a ring with its notice and its card.
    """
    if not ground:
        return drawn
    whole = Image.new("RGBA", drawn.size, ground)
    whole.alpha_composite(drawn)
    return whole.convert("RGB")


class Pictures:
    """Keeps what it made: Tk forgets a picture that Python no longer holds."""

    def __init__(self, root: tk.Tk, palette: Palette, scale: float) -> None:
        """`scale`: 1.0 on a screen of 96 dots to the inch."""
        self.palette, self.scale = palette, scale
        self._root = root
        self._made: dict[tuple[object, ...], ImageTk.PhotoImage] = {}

    def px(self, dots: float) -> int:
        """Dots of a 96 dpi screen in this screen's."""
        return max(1, round(dots * self.scale))

    def icon(
        self, name: str, size: float = 18, colour: str = "", width: float = 2.0, gap: float = 0
    ) -> ImageTk.PhotoImage:
        """An icon; without a colour that of text. `gap` as of `disc`."""
        key = ("icon", name, size, colour, width, gap)
        if key not in self._made:
            drawn = icons.icon(name, self.px(size), colour or self.palette.text, width)
            drawn = with_gap(drawn, self.px(gap) if gap else 0)
            self._made[key] = ImageTk.PhotoImage(drawn, master=self._root)
        return self._made[key]

    def disc(self, size: float, colour: str, gap: float = 0, ground: str = "") -> ImageTk.PhotoImage:
        """A filled circle; `gap`: dots before the words beside it, however many lines they are.

        `ground` as of `on_ground`.
        """
        key = ("disc", size, colour, gap, ground)
        if key not in self._made:
            side = self.px(size)
            drawn = with_gap(icons.rounded(side, side, side / 2, colour), self.px(gap) if gap else 0)
            self._made[key] = ImageTk.PhotoImage(on_ground(drawn, ground), master=self._root)
        return self._made[key]

    def program_icon(self, state: TrayState, size: int = 64) -> ImageTk.PhotoImage:
        """The program's icon in a state of the tray, `size` real dots wide."""
        key = ("tray", state, size)
        if key not in self._made:
            self._made[key] = ImageTk.PhotoImage(icons.tray_icon(state, size), master=self._root)
        return self._made[key]

    def piece(
        self,
        fill: str,
        border: str = "",
        radius: float = 7,
        thickness: float = 1,
        inner: tuple[int, int] = (100, 22),
        *,
        ground: str,
    ) -> str:
        """A picture with round corners on `ground` that the theme stretches; returns its name.

        Its inside, `inner`, is laid like tiles: it should be about as large as what it is for.
        """
        edges = 2 * self.px(radius + 2)
        width, height = self.px(inner[0]) + edges, self.px(inner[1]) + edges
        drawn = icons.rounded(
            width, height, radius * self.scale, fill, border, max(1.0, thickness * self.scale)
        )
        return self.keep(on_ground(drawn, ground))

    def switch(self, colour: str, is_on: bool, ring: str = "", *, ground: str, gap: int = 6) -> str:
        """A switch on `ground`, with its knob at one end; returns its name.

        `ring`: the colour of the ring around it while it has the keyboard's focus; `gap`: dots before the
        words beside it.
        """
        edge, width, height = self.px(3), self.px(34), self.px(20)
        drawn = Image.new("RGBA", (width + 2 * edge + (self.px(gap) if gap else 0), height + 2 * edge))
        if ring:
            outer = height + 2 * edge
            drawn.alpha_composite(
                icons.rounded(width + 2 * edge, outer, outer / 2, "", ring, max(1.5, 2 * self.scale))
            )
        drawn.alpha_composite(icons.rounded(width, height, height / 2, colour), (edge, edge))
        knob = height - 2 * self.px(3)
        left = width - knob - self.px(3) if is_on else self.px(3)
        ink = "#ffffff" if not self.palette.dark or is_on else self.palette.muted
        drawn.alpha_composite(icons.rounded(knob, knob, knob / 2, ink), (edge + left, edge + self.px(3)))
        return self.keep(on_ground(drawn, ground))

    def thumb(self, width: int, colour: str, ground: str) -> str:
        """A scroll bar's thumb on `ground`, to be stretched; returns its name."""
        drawn = Image.new("RGBA", (width, width * 8))
        inner = max(2, width - 4)
        drawn.alpha_composite(icons.rounded(inner, width * 8, inner / 2, colour), ((width - inner) // 2, 0))
        return self.keep(on_ground(drawn, ground))

    def arrow(self) -> str:
        """The arrow of a field with a list; returns its name."""
        whole = Image.new("RGBA", (self.px(26), self.px(16)))
        whole.alpha_composite(icons.icon("down", self.px(16), self.palette.muted))
        return self.keep(whole)

    def nothing(self, side: float) -> str:
        """A square that lets everything through; returns its name."""
        return self.keep(Image.new("RGBA", (self.px(side), self.px(side))))

    def keep(self, drawn: Image.Image) -> str:
        """Hand a picture to Tk; returns its name."""
        picture = ImageTk.PhotoImage(drawn, master=self._root)
        self._made[("piece", next(_numbers))] = picture
        return str(picture)
