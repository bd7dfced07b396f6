"""Reads and compiles translations: `python -m tests.client.ui.tools.catalogue` writes each .mo."""

from __future__ import annotations

import ast
import struct
from pathlib import Path

from astcti_client.ui import i18n

Text = str | tuple[str, ...]


def _entries(file: Path) -> dict[Text, Text]:
    """Every entry, the header included. Plural forms are tuples."""
    found: dict[Text, Text] = {}
    parts: dict[str, str] = {}
    current = ""

    def finish() -> None:
        if "msgid" in parts:
            plural = sorted(name for name in parts if name.startswith("msgstr["))
            context = f"{parts['msgctxt']}\4" if "msgctxt" in parts else ""
            key: Text = (
                (context + parts["msgid"], parts["msgid_plural"]) if plural else context + parts["msgid"]
            )
            found[key] = tuple(parts[name] for name in plural) if plural else parts["msgstr"]
        parts.clear()

    for line in [*file.read_text(encoding="utf-8").splitlines(), ""]:
        if not line.strip() or line.startswith("#"):
            finish()
        elif line.startswith('"'):
            parts[current] += ast.literal_eval(line)
        else:
            current, _blank, value = line.partition(" ")
            if current in ("msgctxt", "msgid") and "msgid" in parts:
                finish()
            parts[current] = ast.literal_eval(value)
    return found


def read(file: Path) -> dict[Text, Text]:
    """The translations by their texts."""
    entries = _entries(file)
    entries.pop("")
    return entries


def compiled(file: Path) -> bytes:
    """The .mo file's content, as gettext reads it."""

    def joined(text: Text) -> bytes:
        return ("\0".join(text) if isinstance(text, tuple) else text).encode()

    pairs = sorted((joined(key), joined(value)) for key, value in _entries(file).items())
    start = 7 * 4 + 16 * len(pairs)
    keys = b"".join(key + b"\0" for key, _ in pairs)
    table, offset = b"", start
    for key, _ in pairs:
        table += struct.pack("<2I", len(key), offset)
        offset += len(key) + 1
    for _, value in pairs:
        table += struct.pack("<2I", len(value), offset)
        offset += len(value) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return head + table + keys + b"".join(value + b"\0" for _, value in pairs)


def main() -> None:
    for file in i18n.FOLDER.glob("*/LC_MESSAGES/*.po"):
        file.with_suffix(".mo").write_bytes(compiled(file))


if __name__ == "__main__":
    main()
