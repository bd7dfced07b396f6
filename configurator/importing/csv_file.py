"""What a CSV file of seats or operators says, read before anything is locked and checked.

Plain passwords are turned into what is stored here: each takes as long as a login on purpose, so hundreds
with the tables locked would keep everybody waiting.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from configurator import models
from configurator.importing.csv_text import column_name, decode_csv, find_columns, read_cell
from schemas import passwords

CSV_COLUMNS = {
    "seats": ("mac", "extension", "description", "address", "queue-interface", "state-interface", "answer"),
    "operators": (
        "username",
        "full-name",
        "password",
        "scram",
        "seat",
        "begin-in-pause",
        "enabled",
        "services",
    ),
}
OTHER_NAMES = {
    "mac-address": "mac",
    "ip-address": "address",
    "user-name": "username",
    "name": "full-name",
    "user": "username",
    "begins-in-pause": "begin-in-pause",
    "answer-in-the-window": "answer",
    "service": "services",
}
_LABELS = (
    (gettext_lazy("MAC address"), "mac"),
    (gettext_lazy("Extension"), "extension"),
    (gettext_lazy("Description"), "description"),
    (gettext_lazy("IP address"), "address"),
    (gettext_lazy("Queue interface"), "queue-interface"),
    (gettext_lazy("State interface"), "state-interface"),
    (gettext_lazy("User name"), "username"),
    (gettext_lazy("Full name"), "full-name"),
    (gettext_lazy("Seat"), "seat"),
    (gettext_lazy("Begins in pause"), "begin-in-pause"),
    (gettext_lazy("Enabled"), "enabled"),
    (gettext_lazy("Services"), "services"),
)
"""Columns as the lists call them, in the page's language."""
NEEDED_COLUMNS = {"seats": ("mac", "extension"), "operators": ("username", "full-name")}
MOST_CSV_ROWS = 20_000
MOST_COLUMNS = 100
"""Values of one row that are looked at; a file has a dozen columns at most."""
LONGEST_NAME = 80
"""Characters of a name in what is said of a row."""
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
    """What to store of each plain password, once that is computed."""


def read_csv(kind: str, data: bytes, encoding: str = "") -> CsvFile:
    """Read a file's bytes, but for its passwords; `kind` is seats or operators.

    `encoding` is as for `decode_csv`.
    """
    try:
        text = decode_csv(data, encoding)
    except ValueError as error:
        return CsvFile(kind, [], (BadRow(0, "", str(error)),), {})
    lines, bad = _rows(kind, text)
    return CsvFile(kind, lines, tuple(bad), {})


def with_passwords(
    file: CsvFile, *, store: bool, progress: Callable[[int, int], None] = lambda done, of: None
) -> CsvFile:
    """The file with what is to be stored of its passwords. Takes long: not for `writing`.

    `progress` is told of how many of how many passwords there is something to store; any thread.
    """
    wanted = plain_passwords(file.kind, file.lines)
    return file._replace(hashed=_stored_forms(wanted, make=store and not file.bad, progress=progress))


def plain_passwords(kind: str, lines: Iterable[tuple[int, dict[str, str]]]) -> list[UserPassword]:
    """The passwords that are not stored forms already, each pair once."""
    if kind != "operators":
        return []
    pairs = ((values["username"], values.get("password", "")) for _, values in lines)
    return list(dict.fromkeys(pair for pair in pairs if _is_plain(pair[1])))


def slow_passwords(file: CsvFile, *, store: bool) -> int:
    """How many passwords of a file cost a computation each: those that are not known to be stored already.

    To be looked at, those of new operators cost none.
    """
    pairs = plain_passwords(file.kind, file.lines)
    present = _present(pairs)

    def is_slow(username: str, plain: str) -> bool:
        stored = present.get(username)
        if stored is None:
            return store
        return not (stored.scram and _checker.matches_at_once(stored.password, passwords.md5_of(plain)))

    return sum(is_slow(*pair) for pair in pairs)


_END = "\ue000 the end of the file"
"""A last row of our own: a quotation mark that nobody closed would take it in."""


def _rows(kind: str, text: str) -> tuple[list[tuple[int, dict[str, str]]], list[BadRow]]:
    found = find_columns(text)
    before = found.skipped
    reader = csv.reader(io.StringIO(f"{found.text}\n{_END}\n", newline=""), delimiter=found.separator)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[BadRow] = []
    line = 1 + before
    try:
        # A line of a million separators is no spreadsheet's.
        heads = _heads(kind, next(reader)[: MOST_COLUMNS + 1])
        if isinstance(heads, BadRow):
            return [], [heads._replace(line=line)]
        while True:
            line = reader.line_num + before + 1  # where it begins: a quoted cell may have line breaks
            row = next(reader)
            if row == [_END]:
                return rows, bad
            if row and row[-1].endswith(f"\n{_END}\n"):
                return rows, [*bad, BadRow(line, row[0][:LONGEST_NAME], _("A quotation mark is not closed."))]
            if len(row) <= MOST_COLUMNS and not any(map(read_cell, row)):
                continue
            if len(row) > MOST_COLUMNS or any(map(read_cell, row[len(heads) :])):
                message = _("%(found)d values stand where there are %(wanted)d columns.")
                bad.append(
                    BadRow(line, row[0][:LONGEST_NAME], message % {"found": len(row), "wanted": len(heads)})
                )
                continue
            row += [""] * (len(heads) - len(row))  # Excel leaves out empty cells at the end
            rows.append((line, dict(zip(heads, map(read_cell, row), strict=False))))
            if len(rows) > MOST_CSV_ROWS:
                return [], [BadRow(line, "", _("The file has too many rows."))]
    except csv.Error as error:
        message = _("This is no CSV: %(reason)s") % {"reason": error}
        if "field limit" in str(error):
            message = _("A value is too long: are its quotes closed?")
        return rows, [*bad, BadRow(line, "", message)]


def _heads(kind: str, row: list[str]) -> list[str] | BadRow:
    """The names of the columns as they are known here, without empty ones at the end."""
    heads = [_known_name(column_name(head), kind) for head in row if row != [_END]]
    while heads and not heads[-1]:
        heads.pop()
    unknown = [head for head in heads if head not in CSV_COLUMNS[kind]]
    missing = [column for column in NEEDED_COLUMNS[kind] if column not in heads]
    if not unknown and not missing and len(set(heads)) == len(heads):
        return heads
    message = _("The first line has to name the columns: %(columns)s") % {
        "columns": ", ".join(CSV_COLUMNS[kind])
    }
    return BadRow(0, ", ".join(unknown or missing)[:LONGEST_NAME], message)


def _known_name(column: str, kind: str) -> str:
    known = CSV_COLUMNS[kind]
    if column in known:
        return column
    labels = {column_name(str(label)): name for label, name in _LABELS}
    return OTHER_NAMES.get(column) or labels.get(column, column)


def _is_plain(text: str) -> bool:
    return bool(text) and not text.startswith(("md5:", "scrypt:")) and not {"\r", "\n"} & {*text}


def _present(pairs: list[UserPassword]) -> dict[str, passwords.StoredForms]:
    """What operators have now, if a file has passwords at all."""
    if not pairs:
        return {}
    stored = models.Operator.objects.values_list("username", "password", "scram")
    return {username: passwords.StoredForms(password, scram) for username, password, scram in stored}


def _stored_forms(
    wanted: list[UserPassword], *, make: bool, progress: Callable[[int, int], None]
) -> dict[UserPassword, passwords.StoredForms]:
    """What to store for each. A password that an operator has already stays as it is stored.

    Without `make` new ones are not computed: they are `PLACEHOLDER`.
    """
    if not wanted:
        return {}
    present = _present(wanted)

    def form(key: UserPassword) -> passwords.StoredForms:
        username, plain = key
        stored = present.get(username)
        sent = passwords.md5_of(plain)
        if stored and _checker.matches(stored.password, sent):
            if stored.scram or not make:
                return stored
            return passwords.StoredForms(stored.password, passwords.make_keys_beside(stored.password, sent))
        if not make:
            return PLACEHOLDER
        made = passwords.make_stored_forms(plain)
        _checker.remember_match(made.password, sent)  # the same file again costs nothing
        return made

    found = {}
    # scrypt lets other threads run, so each processor computes one.
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="csv-password") as pool:
        for number, (key, made) in enumerate(zip(wanted, pool.map(form, wanted), strict=True), 1):
            found[key] = made
            progress(number, len(wanted))
    return found
