"""How people look for names and order them: whatever the case and the accents, numbers by their value.

SQLite itself tells É from é in its LIKE, and puts 1000 before 999 and Zoe before anna.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import CharField, F, Func, Lookup, TextField
from django.db.models.expressions import OrderBy
from django.dispatch import receiver

_LIKE_SIGNS = re.compile(r"[\\%_]")
_DIGITS = re.compile(r"0*(\d+)", re.ASCII)
_KNOWN = 32_768
"""Folded texts that are remembered, of some hundred bytes each: the names of the largest configuration."""


@lru_cache(maxsize=_KNOWN)
def folded_text(text: str | None) -> str | None:
    """A text without case and accents."""
    if text is None or text.isascii():
        return text and text.lower()
    # Taken apart first: letters in circles, in bold type and the like have no case of their own.
    return _without_accents(unicodedata.normalize("NFKD", text))


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


@lru_cache(maxsize=1024)
def order_key(text: str | None) -> str | None:
    """Another text: comparing two of them byte by byte tells how people order what they were made of.

    Whoever changes what comes out raises `order_indexes.VERSION`.
    """
    if not text:
        return text
    return _DIGITS.sub(_number, text.lower() if text.isascii() else _without_accents(text))


def _number(digits: re.Match[str]) -> str:
    """Before all letters, and among numbers the one with fewer digits first."""
    return f"\x01{chr(min(len(digits[1]), 0xD7FF))}{digits[1]}"


def ordered_by(field: str, *, descending: bool = False) -> OrderBy:
    """Order rows by a text as people do."""
    order = Func(F(field), function="order_key", output_field=TextField())
    return order.desc() if descending else order.asc()


@CharField.register_lookup
@TextField.register_lookup
class Resembles(Lookup):
    """`field__resembles=text`: contains the text, whatever the case and the accents."""

    lookup_name = "resembles"

    def get_prep_lookup(self) -> str:
        return folded_text(str(self.rhs)) or ""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, values = self.process_lhs(compiler, connection)
        right, searched = self.process_rhs(compiler, connection)
        folded = f"instr(folded({left}), {right}) > 0"
        if any("\0" in text for text in searched):  # where LIKE would stop reading
            return folded, [*values, *searched]
        # LIKE finds nothing that is not in the folded text, and where all is ASCII all of that: several
        # times as quickly as by calling back.
        like = f"{left} LIKE '%%' || {right} || '%%' ESCAPE '\\'"
        is_ascii = f"length({left}) = length(CAST({left} AS BLOB))"
        escaped = [_LIKE_SIGNS.sub(r"\\\g<0>", text) for text in searched]
        return f"({like} OR (NOT {is_ascii} AND {folded}))", [*values, *escaped, *values * 3, *searched]


@receiver(connection_created)
def _teach(connection: Any, **_: Any) -> None:
    connection.connection.create_function("order_key", 1, order_key, deterministic=True)
    connection.connection.create_function("folded", 1, folded_text, deterministic=True)
