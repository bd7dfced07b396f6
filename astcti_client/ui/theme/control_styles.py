"""The ttk theme's buttons, fields, switches, tables and scroll bars. Main thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

from astcti_client.ui.theme.pictures import Pictures

Fonts = Mapping[str, tkfont.Font]
"""`small`, `bold`, `large`, `title` and `number`; any other name is that of one of Tk's own fonts."""


def make_control_styles(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    """Make them all in the theme that is in force."""
    p = pictures.palette
    for kind in _PIECES:
        put_on_ground(style, pictures, kind, p.surface if kind == "CardFlat.TButton" else p.ground)
    _make_buttons(style, pictures, fonts)
    _make_fields(style, pictures)
    _make_switch(style, pictures)
    _make_table(style, pictures, fonts)
    _make_scrollbar(style, pictures)


def put_on_ground(style: ttk.Style, pictures: Pictures, kind: str, ground: str, name: str = "") -> None:
    """Have the style `name` draw what `kind` draws, with its round corners on a ground of this colour.

    `name` ends with a dot and `kind`, and is new; without one it is `kind`.
    """
    name = name or kind
    piece, *states = _PIECES[kind](pictures, ground)
    options: dict[str, Any] = {
        "border": pictures.px(9),
        "width": 1,
        "height": 1,
        "padding": pictures.px(1),
        "sticky": "nsew",
    }
    style.element_create(f"{name}.ground", "image", piece, *states, **options)
    style.layout(name, [(f"{name}.ground", {"sticky": "nsew", "children": _inside(kind, style, pictures)})])
    style.configure(name, background=ground)


def _inside(kind: str, style: ttk.Style, pictures: Pictures) -> Any:
    """The layout within a control's picture; of the type that ttk keeps to itself."""
    if kind == "TEntry":
        return [("Entry.padding", {"sticky": "nsew", "children": [("Entry.textarea", {"sticky": "nsew"})]})]
    if kind == "TCombobox":
        if "Field.arrow" not in style.element_names():
            style.element_create("Field.arrow", "image", pictures.arrow(), sticky="")
        area = [("Combobox.textarea", {"sticky": "nsew"})]
        return [
            ("Field.arrow", {"side": "right", "sticky": "ns"}),
            ("Combobox.padding", {"sticky": "nsew", "children": area}),
        ]
    return [("Button.padding", {"sticky": "nsew", "children": [("Button.label", {"sticky": ""})]})]


States = tuple[Any, ...]
"""A picture, and tuples of states with another one: the first that fits. ttk has no name for the type."""


def _button(fill: str, hover: str, border: str, pictures: Pictures, ground: str) -> States:
    """The colours are named as in the palette."""
    p, piece = pictures.palette, partial(pictures.piece, ground=ground)
    inside, over, edge = getattr(p, fill), getattr(p, hover), getattr(p, border)
    focus = p.text if edge in (p.accent, p.bad) else p.accent  # a ring has to be seen on it
    return (
        piece(inside, edge),
        ("disabled", piece(p.raised, p.border)),
        ("alternate", "focus", piece(p.raised, focus, thickness=2)),  # inert: see `press_guard`
        ("alternate", piece(p.raised, p.border)),
        ("pressed", piece(over, focus)),
        ("focus", piece(inside, focus, thickness=2)),
        ("active", piece(over, edge)),
    )


def _flat_button(pictures: Pictures, ground: str) -> States:
    p, piece = pictures.palette, partial(pictures.piece, ground=ground)
    flat = pictures.nothing(60)
    return (
        flat,
        ("alternate", "!focus", flat),
        # The ring stays while the mouse is over it: who works with both sees where the keys go.
        ("pressed", "focus", piece(p.border, p.accent, thickness=2)),
        ("pressed", piece(p.border)),
        ("active", "focus", piece(p.raised, p.accent, thickness=2)),
        ("active", piece(p.raised)),
        ("focus", piece("", p.accent, thickness=2)),
    )


def _field(pictures: Pictures, ground: str) -> States:
    p, piece = pictures.palette, partial(pictures.piece, ground=ground)
    return (
        piece(p.surface, p.border),
        ("disabled", piece(p.raised, p.border)),
        ("focus", piece(p.surface, p.accent, thickness=2)),
    )


_PIECES: Mapping[str, Callable[[Pictures, str], States]] = {
    "TButton": partial(_button, "surface", "raised", "border"),
    "Accent.TButton": partial(_button, "accent", "accent_hover", "accent"),
    "Danger.TButton": partial(_button, "bad", "bad_hover", "bad"),
    "Flat.TButton": _flat_button,
    "CardFlat.TButton": _flat_button,
    "TEntry": _field,
    "TCombobox": _field,
}
"""What is drawn on a ground, by its style."""


def _make_buttons(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    p = pictures.palette
    on_bad = "#ffffff" if not p.dark else "#1b0b0b"
    for name, ink, font in (
        ("TButton", p.text, "TkDefaultFont"),
        ("Accent.TButton", p.on_accent, "bold"),
        ("Danger.TButton", on_bad, "bold"),
    ):
        style.configure(
            name,
            foreground=ink,
            font=fonts.get(font, font),
            anchor="center",
            padding=(pictures.px(12), pictures.px(6)),
        )
        style.map(name, foreground=[("disabled", p.muted), ("alternate", p.muted)])
    for name in ("Flat.TButton", "CardFlat.TButton"):
        style.configure(name, padding=pictures.px(6))
    style.configure("Alert.Flat.TButton", foreground=p.bad)


def _make_fields(style: ttk.Style, pictures: Pictures) -> None:
    p, px = pictures.palette, pictures.px
    style.configure("TEntry", padding=(px(10), px(6)), foreground=p.text)
    style.configure("TCombobox", padding=(px(10), px(6), px(2), px(6)), foreground=p.text, arrowsize=px(14))
    for name in ("TEntry", "TCombobox"):
        style.map(
            name,
            foreground=[("disabled", p.muted)],
            selectbackground=[("readonly", "!focus", p.surface), ("readonly", p.surface)],
            selectforeground=[("disabled", p.muted), ("readonly", p.text)],
        )


def _make_switch(style: ttk.Style, pictures: Pictures) -> None:
    p = pictures.palette
    for name, ground, gap in (("TCheckbutton", p.ground, 6), ("Bare.TCheckbutton", p.surface, 0)):
        element = name.replace("TCheckbutton", "indicator")
        switch = partial(pictures.switch, ground=ground, gap=gap)
        style.element_create(
            f"Switch.{element}",
            "image",
            switch(p.border, False),
            ("disabled", "selected", switch(p.muted, True)),
            ("disabled", switch(p.raised, False)),
            ("focus", "selected", switch(p.accent, True, p.text)),
            ("focus", switch(p.border, False, p.accent)),
            ("selected", switch(p.accent, True)),
            sticky="w",
        )
        label = [("Checkbutton.label", {"sticky": "nsew"})]
        inner: Any = [(f"Switch.{element}", {"side": "left", "sticky": ""})]
        if gap:
            inner.append(("Checkbutton.border", {"side": "left", "sticky": "w", "children": label}))
        style.layout(name, [("Checkbutton.padding", {"sticky": "nsew", "children": inner})])
        style.configure(name, background=ground, foreground=p.text, padding=(0, pictures.px(4)))
        style.map(name, background=[("active", ground)], foreground=[("disabled", p.muted)])


def _make_table(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    p = pictures.palette
    line = tkfont.nametofont("TkDefaultFont", root=style.master).metrics("linespace")
    style.configure(
        "Treeview",
        background=p.surface,
        fieldbackground=p.surface,
        foreground=p.text,
        rowheight=line + pictures.px(12),
        borderwidth=0,
    )
    style.layout("Treeview", [("Treeview.treearea", {"sticky": "nsew"})])
    style.map("Treeview", background=[("selected", p.soft)], foreground=[("selected", p.text)])
    style.configure(
        "Treeview.Heading",
        background=p.surface,
        foreground=p.muted,
        font=fonts["small"],
        padding=(pictures.px(4), pictures.px(8)),
        relief="flat",
    )
    style.map("Treeview.Heading", background=[("active", p.raised)])


def _make_scrollbar(style: ttk.Style, pictures: Pictures) -> None:
    p, width = pictures.palette, pictures.px(10)
    style.element_create(
        "Thin.thumb",
        "image",
        pictures.thumb(width, p.border, p.ground),
        ("active", pictures.thumb(width, p.muted, p.ground)),
        border=(0, width // 2),
        sticky="ns",
    )
    thumb: Any = [("Thin.thumb", {"expand": "1", "sticky": "ns"})]
    style.layout("Vertical.TScrollbar", [("Vertical.Scrollbar.trough", {"sticky": "ns", "children": thumb})])
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
