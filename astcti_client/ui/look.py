"""The window's own ttk theme: drawn pieces, sizes in dots of the screen, fonts. Main thread."""

from __future__ import annotations

import contextlib
import itertools
import sys
import tkinter as tk
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

from PIL import Image, ImageTk

from astcti_client.ui import icons
from astcti_client.ui.model import TrayState
from astcti_client.ui.palette import Palette

_FAMILIES = (
    "Segoe UI Variable Text",
    "Segoe UI",
    "SF Pro Text",
    "Inter",
    "Adwaita Sans",
    "Cantarell",
    "Ubuntu",
    "Noto Sans",
    "Open Sans",
    "DejaVu Sans",
)
_numbers = itertools.count(1)


class Look:
    """Colours, sizes, fonts and pictures that every window uses."""

    def __init__(self, root: tk.Tk, palette: Palette, scale: float) -> None:
        """`scale` as in the settings: 0 for what the screen asks."""
        self.root = root
        self.palette = palette
        self.scale = scale or screen_scale(root)
        self._pictures: dict[tuple[object, ...], ImageTk.PhotoImage] = {}
        root.tk.call("tk", "scaling", self.scale * 96 / 72)
        self._set_fonts()
        self.style = ttk.Style(root)
        self._make_theme()
        root.configure(background=palette.ground)
        self._colour_plain_widgets()

    def px(self, dots: float) -> int:
        """Dots of a 96 dpi screen in this screen's."""
        return max(1, round(dots * self.scale))

    def icon(self, name: str, size: float = 18, colour: str = "", width: float = 2.0) -> ImageTk.PhotoImage:
        """An icon; without a colour that of text."""
        key = ("icon", name, size, colour, width)
        if key not in self._pictures:
            drawn = icons.icon(name, self.px(size), colour or self.palette.text, width)
            self._pictures[key] = ImageTk.PhotoImage(drawn, master=self.root)
        return self._pictures[key]

    def disc(self, size: float, colour: str) -> ImageTk.PhotoImage:
        """A filled circle."""
        key = ("disc", size, colour)
        if key not in self._pictures:
            side = self.px(size)
            self._pictures[key] = ImageTk.PhotoImage(
                icons.rounded(side, side, side / 2, colour), master=self.root
            )
        return self._pictures[key]

    def program_icon(self, state: TrayState, size: int = 64) -> ImageTk.PhotoImage:
        """The program's icon in a state of the tray."""
        key = ("tray", state, size)
        if key not in self._pictures:
            drawn = icons.tray_icon(state, size)
            self._pictures[key] = ImageTk.PhotoImage(drawn, master=self.root)
        return self._pictures[key]

    # --- the theme ---

    def _set_fonts(self) -> None:
        known = set(tkfont.families(self.root))
        family = next((one for one in _FAMILIES if one in known), "")
        size = 10 if sys.platform != "darwin" else 13
        default = tkfont.nametofont("TkDefaultFont", root=self.root)
        family = family or str(default.actual("family"))
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont", "TkTooltipFont"):
            tkfont.nametofont(name, root=self.root).configure(family=family, size=size, weight="normal")
        self.fonts: dict[str, tkfont.Font] = {}
        for name, points, weight in (
            ("small", size - 1, "normal"),
            ("bold", size, "bold"),
            ("large", size + 2, "bold"),
            ("title", size + 6, "bold"),
            ("number", size + 2, "normal"),
        ):
            self.fonts[name] = tkfont.Font(
                root=self.root, family=family, size=points, weight="bold" if weight == "bold" else "normal"
            )

    def _piece(
        self,
        fill: str,
        border: str = "",
        radius: float = 7,
        thickness: float = 1,
        inner: tuple[int, int] = (100, 22),
    ) -> str:
        """A picture with round corners that the theme stretches; returns its name.

        Its inside, `inner`, is laid like tiles, each of which costs a look at the screen: it should be about
        as large as what it is for.
        """
        edges = 2 * self.px(radius + 2)
        width, height = self.px(inner[0]) + edges, self.px(inner[1]) + edges
        drawn = icons.rounded(
            width, height, radius * self.scale, fill, border, max(1.0, thickness * self.scale)
        )
        return self._keep(drawn)

    def _keep(self, drawn: Image.Image) -> str:
        picture = ImageTk.PhotoImage(drawn, master=self.root)
        self._pictures[("piece", next(_numbers))] = picture
        return str(picture)

    def _make_theme(self) -> None:
        style, name = self.style, f"astcti-{next(_numbers)}"
        style.theme_create(name, parent="clam")
        style.theme_use(name)
        p = self.palette
        style.configure(
            ".",
            background=p.ground,
            foreground=p.text,
            font="TkDefaultFont",
            borderwidth=0,
            focuscolor=p.accent,
            selectbackground=p.accent,
            selectforeground=p.on_accent,
            insertcolor=p.text,
            troughcolor=p.ground,
            bordercolor=p.border,
            lightcolor=p.surface,
            darkcolor=p.surface,
        )
        style.map(".", foreground=[("disabled", p.muted)])
        self._make_frames()
        self._make_labels()
        self._make_buttons()
        self._make_fields()
        self._make_switch()
        self._make_table()

    def _make_frames(self) -> None:
        p, style = self.palette, self.style
        style.configure("Surface.TFrame", background=p.surface)
        style.configure("Line.TFrame", background=p.border)
        for name, fill, border in (
            ("Card", p.surface, p.border),
            ("Ring", p.surface, p.ring),
            ("Warn", p.warn_soft, p.warn),
            ("Bad", p.bad_soft, p.bad),
            ("Chip", p.raised, ""),
        ):
            radius = 10 if name != "Chip" else 9
            inner = (400, 120) if name != "Chip" else (60, 12)
            piece = self._piece(fill, border, radius, 1.6 if name == "Ring" else 1, inner)
            edge = self.px(radius + 2)
            style.element_create(
                f"{name}.ground", "image", piece, border=edge, width=1, height=1, sticky="nsew"
            )
            style.layout(f"{name}.TFrame", [(f"{name}.ground", {"sticky": "nsew"})])
            style.configure(f"{name}.TFrame", background=p.ground)

    def _make_labels(self) -> None:
        p, style = self.palette, self.style
        grounds = {
            "": p.ground,
            "Surface": p.surface,
            "Card": p.surface,
            "Chip": p.raised,
            "Warn": p.warn_soft,
            "Bad": p.bad_soft,
        }
        kinds = {
            "": ("TkDefaultFont", p.text),
            "Muted": ("TkDefaultFont", p.muted),
            "Small": ("small", p.muted),
            "Bold": ("bold", p.text),
            "Large": ("large", p.text),
            "Title": ("title", p.text),
            "Good": ("bold", p.good),
            "Warning": ("bold", p.warn),
            "Error": ("TkDefaultFont", p.bad),
            "Ringing": ("bold", p.ring),
            "Accent": ("bold", p.accent),
        }
        for ground, colour in grounds.items():
            for kind, (font, ink) in kinds.items():
                name = ".".join(filter(None, (kind + ground, "TLabel")))
                style.configure(name, background=colour, foreground=ink, font=self.fonts.get(font, font))

    def _make_buttons(self) -> None:
        p, style = self.palette, self.style
        looks = {
            "TButton": (p.surface, p.raised, p.border, p.text, "TkDefaultFont"),
            "Accent.TButton": (p.accent, p.accent_hover, p.accent, p.on_accent, "bold"),
            "Danger.TButton": (p.bad, p.bad_hover, p.bad, "#ffffff" if not p.dark else "#1b0b0b", "bold"),
        }
        edge = self.px(9)
        for name, (fill, hover, border, ink, font) in looks.items():
            element = name.replace("TButton", "button") or "button"
            focus = p.text if border == p.accent else p.accent
            style.element_create(
                f"{element}.ground",
                "image",
                self._piece(fill, border),
                ("disabled", self._piece(p.raised, p.border)),
                ("pressed", self._piece(hover, focus)),
                ("focus", self._piece(fill, focus, thickness=2)),
                ("active", self._piece(hover, border)),
                border=edge,
                width=1,
                height=1,
                padding=self.px(1),
                sticky="nsew",
            )
            style.layout(name, _button_layout(element))
            style.configure(
                name,
                foreground=ink,
                font=self.fonts.get(font, font),
                anchor="center",
                background=p.ground,
                padding=(self.px(12), self.px(6)),
            )
            style.map(name, foreground=[("disabled", p.muted)])
        flat = Image.new("RGBA", (self.px(60), self.px(60)))
        for name, ground in (("Flat.TButton", p.ground), ("CardFlat.TButton", p.surface)):
            element = name.replace("TButton", "button")
            style.element_create(
                f"{element}.ground",
                "image",
                self._keep(flat),
                ("pressed", self._piece(p.border)),
                ("active", self._piece(p.raised)),
                ("focus", self._piece("", p.accent, thickness=2)),
                border=edge,
                width=1,
                height=1,
                padding=self.px(1),
                sticky="nsew",
            )
            style.layout(name, _button_layout(element))
            style.configure(name, background=ground, padding=self.px(6))

    def _make_fields(self) -> None:
        p, style, edge = self.palette, self.style, self.px(9)
        style.element_create(
            "Field.ground",
            "image",
            self._piece(p.surface, p.border),
            ("disabled", self._piece(p.raised, p.border)),
            ("focus", self._piece(p.surface, p.accent, thickness=2)),
            border=edge,
            width=1,
            height=1,
            padding=self.px(1),
            sticky="nsew",
        )
        whole = Image.new("RGBA", (self.px(26), self.px(16)))
        whole.alpha_composite(icons.icon("down", self.px(16), p.muted))
        arrow = self._keep(whole)
        style.element_create("Field.arrow", "image", arrow, sticky="")
        padding = (self.px(10), self.px(6))
        area = [("Entry.textarea", {"sticky": "nsew"})]
        inner: Any = [("Entry.padding", {"sticky": "nsew", "children": area})]
        style.layout("TEntry", [("Field.ground", {"sticky": "nsew", "children": inner})])
        style.configure("TEntry", padding=padding, foreground=p.text, background=p.ground)
        style.layout(
            "TCombobox",
            [
                (
                    "Field.ground",
                    {
                        "sticky": "nsew",
                        "children": [
                            ("Field.arrow", {"side": "right", "sticky": "ns"}),
                            (
                                "Combobox.padding",
                                {"sticky": "nsew", "children": [("Combobox.textarea", {"sticky": "nsew"})]},
                            ),
                        ],
                    },
                )
            ],
        )
        style.configure(
            "TCombobox",
            padding=(self.px(10), self.px(6), self.px(2), self.px(6)),
            foreground=p.text,
            background=p.ground,
            arrowsize=self.px(14),
        )
        for name in ("TEntry", "TCombobox"):
            style.map(
                name,
                foreground=[("disabled", p.muted)],
                selectbackground=[("readonly", "!focus", p.surface), ("readonly", p.surface)],
                selectforeground=[("disabled", p.muted), ("readonly", p.text)],
            )

    def _make_switch(self) -> None:
        p, style = self.palette, self.style
        states = [(p.border, False), (p.accent, True), (p.raised, False)]
        off, on, disabled = (self._keep(self._switch(colour, is_on)) for colour, is_on in states)
        style.element_create(
            "Switch.indicator",
            "image",
            off,
            ("disabled", "selected", self._keep(self._switch(p.muted, True))),
            ("disabled", disabled),
            ("selected", on),
            sticky="w",
        )
        for name, ground in (("TCheckbutton", p.ground), ("Card.TCheckbutton", p.surface)):
            style.layout(
                name,
                [
                    (
                        "Checkbutton.padding",
                        {
                            "sticky": "nsew",
                            "children": [
                                ("Switch.indicator", {"side": "left", "sticky": ""}),
                                (
                                    "Checkbutton.focus",
                                    {
                                        "side": "left",
                                        "sticky": "w",
                                        "children": [("Checkbutton.label", {"sticky": "nsew"})],
                                    },
                                ),
                            ],
                        },
                    )
                ],
            )
            style.configure(name, background=ground, foreground=p.text, padding=(0, self.px(4)))
            style.map(name, background=[("active", ground)], foreground=[("disabled", p.muted)])

    def _switch(self, colour: str, is_on: bool) -> Image.Image:
        width, height = self.px(34), self.px(20)
        drawn = Image.new("RGBA", (width + self.px(8), height))
        drawn.alpha_composite(icons.rounded(width, height, height / 2, colour))
        knob = height - 2 * self.px(3)
        left = width - knob - self.px(3) if is_on else self.px(3)
        ink = "#ffffff" if not self.palette.dark or is_on else self.palette.muted
        drawn.alpha_composite(icons.rounded(knob, knob, knob / 2, ink), (left, self.px(3)))
        return drawn

    def _make_table(self) -> None:
        p, style = self.palette, self.style
        line = tkfont.nametofont("TkDefaultFont", root=self.root).metrics("linespace")
        style.configure(
            "Treeview",
            background=p.surface,
            fieldbackground=p.surface,
            foreground=p.text,
            rowheight=line + self.px(12),
            borderwidth=0,
        )
        style.layout("Treeview", [("Treeview.treearea", {"sticky": "nsew"})])
        style.map("Treeview", background=[("selected", p.soft)], foreground=[("selected", p.text)])
        style.configure(
            "Treeview.Heading",
            background=p.surface,
            foreground=p.muted,
            font=self.fonts["small"],
            padding=(self.px(6), self.px(8)),
            relief="flat",
        )
        style.map("Treeview.Heading", background=[("active", p.raised)])
        width = self.px(10)
        for name, colour in (("", p.border),):
            thumb = self._keep(_thumb(width, colour))
            style.element_create(
                f"{name}Thin.thumb",
                "image",
                thumb,
                ("active", self._keep(_thumb(width, p.muted))),
                border=(0, width // 2),
                sticky="ns",
            )
        thumb_place: Any = [("Thin.thumb", {"expand": "1", "sticky": "ns"})]
        style.layout(
            "Vertical.TScrollbar",
            [
                (
                    "Vertical.Scrollbar.trough",
                    {"sticky": "ns", "children": thumb_place},
                )
            ],
        )
        style.configure(
            "Vertical.TScrollbar",
            troughcolor=p.ground,
            borderwidth=0,
            relief="flat",
            bordercolor=p.ground,
            lightcolor=p.ground,
            darkcolor=p.ground,
            width=width,
        )

    def _colour_plain_widgets(self) -> None:
        """What is no ttk widget: menus, and the list of a combobox."""
        p, root = self.palette, self.root
        for option, value in (
            ("*TCombobox*Listbox.background", p.surface),
            ("*TCombobox*Listbox.foreground", p.text),
            ("*TCombobox*Listbox.selectBackground", p.accent),
            ("*TCombobox*Listbox.selectForeground", p.on_accent),
            ("*TCombobox*Listbox.font", "TkDefaultFont"),
            ("*TCombobox*Listbox.borderWidth", "0"),
            ("*TCombobox*Listbox.highlightThickness", "0"),
            ("*Toplevel.background", p.ground),
            ("*Menu.background", p.surface),
            ("*Menu.foreground", p.text),
            ("*Menu.activeBackground", p.accent),
            ("*Menu.activeForeground", p.on_accent),
            ("*Menu.disabledForeground", p.muted),
            ("*Menu.relief", "flat"),
            ("*Menu.borderWidth", "1"),
            ("*Menu.activeBorderWidth", str(self.px(4))),
            ("*Menu.tearOff", "0"),
            ("*Canvas.background", p.ground),
            ("*Canvas.highlightThickness", "0"),
        ):
            root.option_add(option, value)


def _thumb(width: int, colour: str) -> Image.Image:
    drawn = Image.new("RGBA", (width, width * 8))
    inner = max(2, width - 4)
    drawn.alpha_composite(icons.rounded(inner, width * 8, inner / 2, colour), ((width - inner) // 2, 0))
    return drawn


def screen_scale(root: tk.Tk) -> float:
    """How much larger than on a 96 dpi screen things must be here."""
    dots = root.winfo_fpixels("1i")
    if root.tk.call("tk", "windowingsystem") == "x11":
        dots = _x11_dots(root) or 96.0  # what X itself says is the size of the glass, often wrong
    return min(5.0, max(0.75, round(dots / 96 * 8) / 8))


def _x11_dots(root: tk.Tk) -> float:
    """The dots per inch that the desktop asks for; 0 if it does not say."""
    with contextlib.suppress(Exception):  # no python-xlib, or an X server that is no more
        from Xlib.display import Display

        display = Display(root.winfo_screen())
        try:
            atom = display.intern_atom("RESOURCE_MANAGER")
            found = display.screen(0).root.get_full_property(atom, 0)
            text = found.value.decode("latin-1") if found else ""
            for line in text.splitlines():
                key, _, value = line.partition(":")
                if key.strip() == "Xft.dpi":
                    return float(value)
        finally:
            display.close()
    return 0.0


def be_sharp() -> None:
    """Tell Windows that this program draws in real dots. Before the first window."""
    if sys.platform == "win32":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)  # type: ignore[attr-defined,unused-ignore]


def _button_layout(element: str) -> Any:
    """A button's picture as its ground, its label in the middle; of the type that ttk keeps to itself."""
    label = ("Button.label", {"sticky": ""})
    padding = ("Button.padding", {"sticky": "nsew", "children": [label]})
    return [(f"{element}.ground", {"sticky": "nsew", "children": [padding]})]
