"""Settings that an X desktop publishes for all programs. No Tk, any thread.

Source: "XSETTINGS - cross toolkit configuration proposal" of freedesktop.org, version 0.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_INTEGER, _STRING, _COLOUR = 0, 1, 2


def read_xsettings() -> dict[str, str]:
    """The settings that are texts; none where nobody publishes them. Raises what python-xlib raises."""
    from Xlib.display import Display

    display = Display()
    try:
        name = f"_XSETTINGS_S{display.get_default_screen()}"
        owner = display.get_selection_owner(display.intern_atom(name))
        if not owner:
            return {}
        atom = display.intern_atom("_XSETTINGS_SETTINGS")
        found = owner.get_full_property(atom, atom)
        return dict(parse_xsettings(bytes(found.value))) if found else {}
    finally:
        display.close()


def parse_xsettings(data: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of each setting that is a text. Ends where the data make no sense."""
    order = ">" if data[:1] == b"\x01" else "<"  # the byte order of the program that published them
    place = 12  # after byte order, padding, serial number and count
    while place + 4 <= len(data):
        kind, length = struct.unpack_from(f"{order}BxH", data, place)
        name = data[place + 4 : place + 4 + length]
        place += 4 + _padded(length) + 4  # the serial number of its last change
        if kind == _STRING and place + 4 <= len(data):
            (size,) = struct.unpack_from(f"{order}I", data, place)
            yield name.decode("latin-1"), data[place + 4 : place + 4 + size].decode("utf-8", "replace")
            place += 4 + _padded(size)
        elif kind in (_INTEGER, _COLOUR):
            place += 4 if kind == _INTEGER else 8
        else:
            return


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
