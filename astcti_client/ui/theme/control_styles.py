"""The ttk theme's buttons, fields, switches, tables and scroll bars. Main thread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

from astcti_client.ui.theme.pictures import Pictures

Fonts = Mapping[str, tkfont.Font]
"""`small`, `bold`, `large`, `title` and `number`; any other name is that of one of Tk's own fonts."""


def make_control_styles(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    """Make them all in the theme that is in force."""
    _make_buttons(style, pictures, fonts)
    _make_flat_buttons(style, pictures)
    _make_entry(style, pictures)
    _make_combobox(style, pictures)
    _make_switch(style, pictures)
    _make_table(style, pictures, fonts)
    _make_scrollbar(style, pictures)


def _ground(
    style: ttk.Style, pictures: Pictures, element: str, piece: str, *states: tuple[*tuple[str, ...], str]
) -> None:
    """An element that is a stretched picture, another one in each of the states; the first that fits."""
    options: dict[str, Any] = {
        "border": pictures.px(9),
        "width": 1,
        "height": 1,
        "padding": pictures.px(1),
        "sticky": "nsew",
    }
    style.element_create(f"{element}.ground", "image", piece, *states, **options)


def _button_layout(element: str) -> Any:
    """A button's picture as its ground, its label in the middle; of the type that ttk keeps to itself."""
    label = ("Button.label", {"sticky": ""})
    padding = ("Button.padding", {"sticky": "nsew", "children": [label]})
    return [(f"{element}.ground", {"sticky": "nsew", "children": [padding]})]


def _make_buttons(style: ttk.Style, pictures: Pictures, fonts: Fonts) -> None:
    p, piece = pictures.palette, pictures.piece
    looks = {
        "TButton": (p.surface, p.raised, p.border, p.text, "TkDefaultFont"),
        "Accent.TButton": (p.accent, p.accent_hover, p.accent, p.on_accent, "bold"),
        "Danger.TButton": (p.bad, p.bad_hover, p.bad, "#ffffff" if not p.dark else "#1b0b0b", "bold"),
    }
    for name, (fill, hover, border, ink, font) in looks.items():
        element = name.replace("TButton", "button")
        focus = p.text if border in (p.accent, p.bad) else p.accent  # a ring has to be seen on it
        _ground(
            style,
            pictures,
            element,
            piece(fill, border),
            ("disabled", piece(p.raised, p.border)),
            ("alternate", "focus", piece(p.raised, focus, thickness=2)),  # inert: see `press_guard`
            ("alternate", piece(p.raised, p.border)),
            ("pressed", piece(hover, focus)),
            ("focus", piece(fill, focus, thickness=2)),
            ("active", piece(hover, border)),
        )
        style.layout(name, _button_layout(element))
        style.configure(
            name,
            foreground=ink,
            font=fonts.get(font, font),
            anchor="center",
            background=p.ground,
            padding=(pictures.px(12), pictures.px(6)),
        )
        style.map(name, foreground=[("disabled", p.muted), ("alternate", p.muted)])


def _make_flat_buttons(style: ttk.Style, pictures: Pictures) -> None:
    p, piece = pictures.palette, pictures.piece
    flat = pictures.nothing(60)
    for name, ground in (("Flat.TButton", p.ground), ("CardFlat.TButton", p.surface)):
        element = name.replace("TButton", "button")
        _ground(
            style,
            pictures,
            element,
            flat,
            ("alternate", "!focus", flat),
            # The ring stays while the mouse is over it: who works with both sees where the keys go.
            ("pressed", "focus", piece(p.border, p.accent, thickness=2)),
            ("pressed", piece(p.border)),
            ("active", "focus", piece(p.raised, p.accent, thickness=2)),
            ("active", piece(p.raised)),
            ("focus", piece("", p.accent, thickness=2)),
        )
        style.layout(name, _button_layout(element))
        style.configure(name, background=ground, padding=pictures.px(6))
    style.configure("Alert.Flat.TButton", foreground=p.bad)


def _make_entry(style: ttk.Style, pictures: Pictures) -> None:
    p, piece = pictures.palette, pictures.piece
    _ground(
        style,
        pictures,
        "Field",
        piece(p.surface, p.border),
        ("disabled", piece(p.raised, p.border)),
        ("focus", piece(p.surface, p.accent, thickness=2)),
    )
    area = [("Entry.textarea", {"sticky": "nsew"})]
    inner: Any = [("Entry.padding", {"sticky": "nsew", "children": area})]
    style.layout("TEntry", [("Field.ground", {"sticky": "nsew", "children": inner})])
    padding = (pictures.px(10), pictures.px(6))
    style.configure("TEntry", padding=padding, foreground=p.text, background=p.ground)
    _colour_field(style, pictures, "TEntry")


def _make_combobox(style: ttk.Style, pictures: Pictures) -> None:
    p = pictures.palette
    style.element_create("Field.arrow", "image", pictures.arrow(), sticky="")
    area = [("Combobox.textarea", {"sticky": "nsew"})]
    inner: Any = [
        ("Field.arrow", {"side": "right", "sticky": "ns"}),
        ("Combobox.padding", {"sticky": "nsew", "children": area}),
    ]
    style.layout("TCombobox", [("Field.ground", {"sticky": "nsew", "children": inner})])
    style.configure(
        "TCombobox",
        padding=(pictures.px(10), pictures.px(6), pictures.px(2), pictures.px(6)),
        foreground=p.text,
        background=p.ground,
        arrowsize=pictures.px(14),
    )
    _colour_field(style, pictures, "TCombobox")


def _colour_field(style: ttk.Style, pictures: Pictures, name: str) -> None:
    p = pictures.palette
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
        switch = partial(pictures.switch, gap=gap)
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
        pictures.thumb(width, p.border),
        ("active", pictures.thumb(width, p.muted)),
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
