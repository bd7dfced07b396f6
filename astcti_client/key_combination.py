"""Reads combinations of keys as people write them: `Ctrl+Alt+D`."""

from __future__ import annotations

from schemas.sentences import said

_MODIFIERS = {
    "ctrl": "control",
    "control": "control",
    "alt": "alt",
    "shift": "shift",
    "win": "super",
    "super": "super",
}


def parse_combination(text: str) -> tuple[frozenset[str], str]:
    """Modifiers (`control`, `alt`, `shift`, `super`) and key: a small letter, a digit, or `F1` to `F12`.

    Raises ValueError for anything else, and for what people type all the time.
    """
    *modifiers, key = [name.strip() for name in text.split("+")]
    found = frozenset(_MODIFIERS.get(name.lower(), "") for name in modifiers)
    functional = key[:1] in ("F", "f") and key[1:].isdecimal() and 1 <= int(key[1:]) <= 12
    if not functional and not (len(key) == 1 and key.isalnum() and key.isascii()):
        raise ValueError(said("{keys}: the key must be a letter, a digit or F1 to F12", keys=text))
    if "" in found or (not functional and not found - {"shift"}):
        raise ValueError(
            said("{keys}: write it as Ctrl+Alt+D, with at least one of Ctrl, Alt, Win", keys=text)
        )
    return found, key.upper() if functional else key.lower()
