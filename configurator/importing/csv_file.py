"""What a CSV file of seats or operators says, read before anything is locked and checked.

Plain passwords are turned into what is stored here: each takes as long as a login on purpose, so hundreds
with the tables locked would keep everybody waiting.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.utils.translation import gettext as _

from configurator import models
from schemas import passwords

CSV_COLUMNS = {
    "seats": ("mac", "extension", "description", "address", "queue-interface", "state-interface", "answer"),
    "operators": ("username", "full-name", "password", "scram", "seat", "begin-in-pause", "enabled"),
}
NEEDED_COLUMNS = {"seats": ("mac", "extension"), "operators": ("username", "full-name")}
MOST_CSV_ROWS = 20_000
PLACEHOLDER = passwords.StoredForms("md5:" + "0" * 32, "")
"""Stands for a new password where nothing is stored."""

UserPassword = tuple[str, str]
"""User name and plain password."""

_checker = passwords.PasswordChecker()


class BadRow(NamedTuple):
    """A row that cannot be imported."""

    line: int
    name: str
    message: str


class CsvFile(NamedTuple):
    """What a file says, not yet checked."""

    kind: str
    lines: list[tuple[int, dict[str, str]]]
    bad: tuple[BadRow, ...]
    hashed: dict[UserPassword, passwords.StoredForms]
    """What to store of each plain password."""


def read_csv(kind: str, data: bytes, *, store: bool) -> CsvFile:
    """Read a file's bytes; `kind` is seats or operators. Takes long and locks nothing: not for `writing`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return CsvFile(kind, [], (BadRow(0, "", _("The file is not in UTF-8.")),), {})
    lines, bad = _rows(kind, text)
    plain = [(values["username"], values.get("password", "")) for _, values in lines if kind == "operators"]
    hashed = _stored_forms((key for key in plain if _is_plain(key[1])), make=store and not bad)
    return CsvFile(kind, lines, tuple(bad), hashed)


def _rows(kind: str, text: str) -> tuple[list[tuple[int, dict[str, str]]], list[BadRow]]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[BadRow] = []
    try:
        heads = [head.strip().lower().replace("_", "-") for head in next(reader, [])]
        unknown = [head for head in heads if head not in CSV_COLUMNS[kind]]
        missing = [column for column in NEEDED_COLUMNS[kind] if column not in heads]
        if unknown or missing or len(set(heads)) != len(heads):
            message = _("The first line has to name the columns: %(columns)s") % {
                "columns": ", ".join(CSV_COLUMNS[kind])
            }
            return [], [BadRow(1, ", ".join(unknown or missing), message)]
        for row in reader:
            if not any(value.strip() for value in row):
                continue
            if len(row) != len(heads):
                message = _("%(found)d values stand where there are %(wanted)d columns.")
                bad.append(
                    BadRow(reader.line_num, row[0][:80], message % {"found": len(row), "wanted": len(heads)})
                )
                continue
            rows.append((reader.line_num, dict(zip(heads, (value.strip() for value in row), strict=True))))
            if len(rows) > MOST_CSV_ROWS:
                return [], [BadRow(reader.line_num, "", _("The file has too many rows."))]
    except csv.Error as error:
        bad.append(BadRow(reader.line_num, "", str(error)))
    return rows, bad


def _is_plain(text: str) -> bool:
    return bool(text) and not text.startswith(("md5:", "scrypt:")) and not {"\r", "\n"} & {*text}


def _stored_forms(keys: Iterable[UserPassword], *, make: bool) -> dict[UserPassword, passwords.StoredForms]:
    """What to store for each. A password that an operator has already stays as it is stored.

    Without `make` new ones are not computed: they are `PLACEHOLDER`.
    """
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    present = {
        username: passwords.StoredForms(password, scram)
        for username, password, scram in models.Operator.objects.values_list("username", "password", "scram")
    }

    def form(key: UserPassword) -> passwords.StoredForms:
        username, plain = key
        stored = present.get(username)
        sent = passwords.md5_of(plain)
        if stored and _checker.matches(stored.password, sent):
            if stored.scram or not make:
                return stored
            return passwords.StoredForms(stored.password, passwords.make_keys_beside(stored.password, sent))
        return passwords.make_stored_forms(plain) if make else PLACEHOLDER

    # scrypt lets other threads run, so each processor computes one.
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="csv-password") as pool:
        return dict(zip(wanted, pool.map(form, wanted), strict=True))
