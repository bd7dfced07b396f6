"""The ttk theme: grounds, words, and what is no ttk widget. Fields and buttons are in `control_styles`."""

from __future__ import annotations

import itertools
import tkinter as tk
from tkinter import ttk

from astcti_client.ui.theme.control_styles import Fonts, make_control_styles
from astcti_client.ui.theme.pictures import Pictures

_numbers = itertools.count(1)


def make_theme(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> str:
    """Make a theme of these pictures and fonts; returns its name. Main thread.

    ttk never forgets a theme, so each should be made once.
    """
    name, p = f"astcti-{next(_numbers)}", pictures.palette
    # The native themes of Windows and macOS draw their own colours; this one draws those that it is told.
    style.theme_create(name, parent="clam")
    style.theme_use(name)
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
    _make_frames(style, pictures)
    _make_labels(style, pictures, fonts)
    make_control_styles(style, pictures, fonts)
    return name


def _make_frames(style: ttk.Style, pictures: Pictures) -> None:
    """Each frame's style says as `inside` what its content stands on."""
    p = pictures.palette
    style.configure("TFrame", inside=p.ground)
    for name, ground in (("Surface", p.surface), ("WarnPlain", p.warn_soft), ("BadPlain", p.bad_soft)):
        style.configure(f"{name}.TFrame", background=ground, inside=ground)
    for name, fill, border in (
        ("Card", p.surface, p.border),
        ("Ring", p.surface, p.ring),
        ("Focus", p.surface, p.accent),
        ("Warn", p.warn_soft, p.warn),
        ("Bad", p.bad_soft, p.bad),
        ("Chip", p.raised, ""),
    ):
        radius = 10 if name != "Chip" else 9
        inner = (400, 120) if name != "Chip" else (60, 12)
        thickness = 1.6 if name in ("Ring", "Focus") else 1
        piece = pictures.piece(fill, border, radius, thickness, inner, ground=p.ground)
        edge = pictures.px(radius + 2)
        style.element_create(f"{name}.ground", "image", piece, border=edge, width=1, height=1, sticky="nsew")
        style.layout(f"{name}.TFrame", [(f"{name}.ground", {"sticky": "nsew"})])
        style.configure(f"{name}.TFrame", background=p.ground, inside=fill)


def _make_labels(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    p = pictures.palette
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
            style.configure(name, background=colour, foreground=ink, font=fonts.get(font, font))
    style.configure("ValueCard.TLabel", background=p.surface, foreground=p.text, font="TkDefaultFont")
    style.map(
        "ValueCard.TLabel",
        background=[("focus", p.soft)],
        foreground=[("active", p.good), ("focus", p.accent)],
    )
    style.map("Chip.TLabel", background=[("focus", p.soft)], foreground=[("focus", p.accent)])
    for ground, colour in (("Card", p.surface), ("", p.ground)):
        name = f"Initials{ground}.TLabel"
        style.configure(name, background=colour, foreground=p.accent, font=fonts["bold"])


def colour_plain_widgets(root: tk.Tk, pictures: Pictures) -> None:
    """What is no ttk widget: menus, canvases, and the list of a combobox.

    They have no styles, only Tk's database of options, which is asked when a widget is made.
    """
    p = pictures.palette
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
        ("*Menu.activeBorderWidth", str(pictures.px(4))),
        ("*Menu.tearOff", "0"),
        ("*Canvas.background", p.ground),
        ("*Canvas.highlightThickness", "0"),
    ):
        root.option_add(option, value)
