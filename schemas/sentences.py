"""Sentences about what is wrong, that can be put into other languages. Standard library only.

A sentence is a string, in English, and knows what it was made of: a fixed template and the values in it. Who
speaks another language looks the template up and fills it again (see `retold`); everybody else prints it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Final

LONGEST_VALUE: Final = 400
"""Characters of a value that are shown: whoever writes a file may put a megabyte where a name belongs."""
_KEPT_END: Final = 60


def shortened(value: object) -> object:
    """The value as a sentence shows it: of a long text the beginning and the end. Sentences stay whole."""
    if not isinstance(value, str) or isinstance(value, Sentence) or len(value) <= LONGEST_VALUE:
        return value
    return f"{value[: LONGEST_VALUE - _KEPT_END - 3]}...{value[-_KEPT_END:]}"


class Sentence(str):
    """A template with its values filled in, as `str.format` does. A value may be a sentence itself.

    Values are bounded by `shortened`.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Sentence:
        """Fill the template."""
        values = {name: shortened(value) for name, value in values.items()}
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """By pickle it stays a sentence."""
        return Sentence, (self.template, dict(self.values))


def said(template: str, **values: object) -> Sentence:
    """Make a sentence. A brace of its own is doubled in the template."""
    return Sentence(template, values)


def verbatim(text: str) -> Sentence:
    """Make a sentence of a text without values; braces in it are its own."""
    return Sentence(text.replace("{", "{{").replace("}", "}}"), {})


@functools.cache  # templates are few, and written in the programs
def template_pattern(template: str) -> re.Pattern[str]:
    """What finds the values in a text that was made of a template. They contain no blanks."""
    parts = Formatter().parse(template)
    return re.compile(
        "".join(re.escape(fixed) + (f"(?P<{name}>\\S+)" if name else "") for fixed, name, _, _ in parts)
    )


def retold(text: str, translate: Callable[[str], str]) -> str:
    """Say a sentence, and those within it, by the templates that `translate` returns for its own."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: retold(value, translate) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return translate(text.template).format(**values)
