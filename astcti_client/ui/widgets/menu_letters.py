"""Which letter of each entry of a menu chooses it. No widget, any thread."""

from __future__ import annotations

from collections.abc import Sequence


def menu_letters(labels: Sequence[str]) -> list[int]:
    """The place of each entry's letter, for Tk's `underline`: no two entries have the same.

    The first letter of a word goes before any other; -1 where every letter is taken. The first of two entries
    has the better letter, so one keeps its own when entries are added behind it.
    """
    taken: set[str] = set()
    return [_letter(label, taken) for label in labels]


def _letter(label: str, taken: set[str]) -> int:
    places = [place for place, letter in enumerate(label) if letter.isalnum()]
    first = [place for place in places if place == 0 or not label[place - 1].isalnum()]
    for place in (*first, *places):
        if (letter := label[place].casefold()) not in taken:
            taken.add(letter)
            return place
    return -1
