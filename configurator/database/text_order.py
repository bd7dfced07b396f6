"""How people look for names and order them: whatever the case and the accents, numbers by their value.

SQLite itself tells É from é in its LIKE, and puts 1000 before 999 and Zoe before anna.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import CharField, F, Lookup, TextField
from django.db.models.expressions import OrderBy
from django.db.models.functions import Collate
from django.dispatch import receiver

COLLATION = "people"
_DIGITS = re.compile(r"(\d+)", re.ASCII)


@lru_cache(maxsize=100_000)
def folded_text(text: str | None) -> str | None:
    """A text without case and accents."""
    if text is None or text.isascii():
        return text and text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


@lru_cache(maxsize=100_000)
def _key(text: str) -> list[tuple[int, int, str]]:
    parts = _DIGITS.split(folded_text(text) or "")
    return [(0, int(part), "") if at % 2 else (1, 0, part) for at, part in enumerate(parts) if part]


def compare_texts(one: str, other: str) -> int:
    """SQLite's question which of two comes first: negative, zero or positive."""
    left, right = _key(one), _key(other)
    return (left > right) - (left < right)


def ordered_by(field: str, *, descending: bool = False) -> OrderBy:
    """Order rows by a text as people do."""
    order = Collate(F(field), COLLATION)
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
        # SQLite itself folds what is ASCII alone, ten times as quickly as by calling back.
        is_ascii = f"length({left}) = length(CAST({left} AS BLOB))"
        folded = f"CASE WHEN {is_ascii} THEN lower({left}) ELSE folded({left}) END"
        return f"instr({folded}, {right}) > 0", [*values, *values, *values, *values, *searched]


@receiver(connection_created)
def _teach(connection: Any, **_: Any) -> None:
    connection.connection.create_collation(COLLATION, compare_texts)
    connection.connection.create_function("folded", 1, folded_text, deterministic=True)
