"""The bytes of a CSV file as rows, whatever spreadsheet wrote them.

Excel writes the code page of the machine and the separator of its language, or UTF-16 with tabs; LibreOffice
asks. Some put a line `sep=;` first.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from django.utils.translation import gettext as _

SEPARATORS = ",;\t|"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""What .xlsx and .ods, and old .xls files begin with."""
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1252": "Windows-1252",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1257": "Windows-1257",
    "mac_roman": "Mac Roman",
    "cp850": "IBM 850",
}
"""What can be said of a file without a mark: which code page wrote it cannot be told from its bytes."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t")
"""A spreadsheet takes a cell that begins so for a formula. One that was written here has a quote before."""


def decode_csv(data: bytes, encoding: str = "") -> str:
    """The text of a file; one of `ENCODINGS`, where it is said, counts if there is no mark.

    ValueError, with a sentence, if it is no text.
    """
    if data.startswith(_SPREADSHEETS):
        raise ValueError(_("This is a spreadsheet's own file: save it as CSV there, and import that."))
    for mark, marked in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decoded(data, marked)
    if b"\0" in data:
        return _without_mark(data)
    if encoding in ENCODINGS:
        return _decoded(data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(data, "cp1252")  # what Excel writes in western Europe


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(_("The file is in no encoding that is known here: save it in UTF-8.")) from None


def _without_mark(data: bytes) -> str:
    """UTF-16 that lost its mark: names of columns have a zero in every second byte."""
    for zeros, others, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        if not any(data[zeros:40:2]) and all(data[others:40:2]):
            return _decoded(data, encoding)
    raise ValueError(_("The file is no text."))


class CsvText(NamedTuple):
    """The text from the line on that names the columns."""

    text: str
    separator: str
    skipped: int
    """Lines before that."""


_LINE_END = re.compile(r"\r\n|\r|\n")
_TOLD = re.compile(r'"?sep=([^"\w\r\n ])"?', re.IGNORECASE | re.ASCII)
_EMPTY_CELLS = f'{SEPARATORS}" '


def find_columns(text: str) -> CsvText:
    """Where the columns are named, behind empty lines, and what stands between them."""
    told, at, skipped = "", 0, 0
    while at < len(text):
        end = _LINE_END.search(text, at)
        line, after = (text[at : end.start()], end.end()) if end else (text[at:], len(text))
        if not skipped and (found := _TOLD.fullmatch(line.strip(" "))):
            told = found[1]
        elif line.strip(_EMPTY_CELLS):
            break
        skipped, at = skipped + 1, after
    counts = {separator: _LINE_END.split(text[at:], 1)[0].count(separator) for separator in SEPARATORS}
    return CsvText(text[at:], told or max(SEPARATORS, key=lambda separator: counts[separator]), skipped)


def column_name(head: str) -> str:
    """A column's name as it is known here: `Full Name`, `full_name` and `full-name` are one."""
    return re.sub(r"[\s_]+", "-", head.strip().lower())


def read_cell(text: str) -> str:
    """A cell as it is meant: without blanks around it, and without the quote before a formula's sign."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_STARTS else text


def write_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
