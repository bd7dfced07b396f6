"""Reads the tables of the runtime configuration's SQLite form. Standard library only, any thread."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from schemas.configuration.checks import Complaint, PartKind, PartPlaces
from schemas.configuration.defaults import address_or_text, mac_or_text, seat_interfaces
from schemas.configuration.model import (
    AnswerWay,
    Binding,
    Configuration,
    Moment,
    Operator,
    Seat,
    Service,
    ServiceType,
    Trigger,
    TriggerSystem,
    TriggerType,
)
from schemas.problems import ConfigurationError, Problem
from schemas.sentences import said

USER_VERSION = 1
"""The `user_version` of the tables' present form."""

TABLE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "services": ("id", "name", "context", "type", "is_queue", "queue_name", "enabled", "may_leave"),
    "services_variables": ("id", "service_id", "name"),
    "services_triggers": (
        "id", "service_id", "position", "type", "moment", "os", "application", "parameters", "url", "again",
    ),
    "services_operators": ("id", "service_id", "operator_id", "penalty"),
    "seats": (
        "id", "mac", "extension", "queue_interface", "state_interface", "address", "description", "answer",
    ),
    "operators": ("id", "username", "full_name", "password", "seat_id", "begin_in_pause", "enabled", "scram"),
    "pause_reasons": ("id", "name"),
}  # fmt: skip

LATER_COLUMNS: Mapping[str, frozenset[str]] = {
    "services": frozenset(("may_leave",)),
    "services_triggers": frozenset(("again",)),
    "seats": frozenset(("answer",)),
    "operators": frozenset(("scram",)),
}
"""Columns that a file published by an earlier Configurator may lack; each is then empty in every row."""

_TABLE_OF: Mapping[PartKind, str] = {
    "service": "services",
    "variable": "services_variables",
    "trigger": "services_triggers",
    "binding": "services_operators",
    "seat": "seats",
    "operator": "operators",
    "reason": "pause_reasons",
}
_DIGEST = re.compile("[0-9a-f]{64}")
_ORDER = {"services_triggers": "position, id"}


class TableReader:
    """Reads the tables row by row and notes what cannot be a value of its column."""

    def __init__(self, file: str, database: sqlite3.Connection) -> None:
        self._file = file
        self._database = database
        self._lacking: dict[str, frozenset[str]] = {}
        self.places = PartPlaces(unit="row")
        self.problems: list[Problem] = []

    def configuration(self) -> Configuration:
        """Read everything. Called once. ConfigurationError where it makes no sense to go on."""
        self._check_database()
        seats = {row["id"]: self._seat(row) for row in self._rows("seats")}
        operators = {row["id"]: self._operator(row, seats) for row in self._rows("operators")}
        return Configuration(
            services=self._services(operators),
            seats=tuple(seats.values()),
            operators=tuple(operators.values()),
            pause_reasons=tuple(self._reason(row) for row in self._rows("pause_reasons")),
        )

    def replaces(self) -> str:
        """Read which file this one is meant to replace: its SHA-256, or an empty string. Notes problems."""
        table = "publication"
        columns = {row["name"] for row in self._database.execute(f"PRAGMA table_info({table})")}
        # A view might have rows without an end. SQLite finds a table whatever the case of its name.
        kinds = "SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE"
        found = [row["type"] for row in self._database.execute(kinds, (table,))]
        if "replaces" not in columns or found != ["table"]:
            return ""
        rows = self._database.execute(f"SELECT rowid AS id, replaces FROM {table} LIMIT 2").fetchall()
        digests = [_string(row, "replaces").lower() for row in rows]
        if len(rows) > 1:
            self._complain(table, rows[1], said("it has one row at most: the file that this one replaces"))
        elif digests and digests[0] and not _DIGEST.fullmatch(digests[0]):
            message = said("replaces has to be 64 hexadecimal digits, not {value!r}", value=digests[0][:80])
            self._complain(table, rows[0], message)
        return digests[0] if digests else ""

    def problems_of(self, complaints: Iterable[Complaint]) -> list[Problem]:
        """Turn complaints into problems that name the table."""
        return [
            Problem(self._file, complaint.place, _of_table(_TABLE_OF[complaint.kind], complaint.message))
            for complaint in complaints
        ]

    def _check_database(self) -> None:
        result = self._database.execute("PRAGMA quick_check").fetchone()[0]
        if result != "ok":
            self._refuse(said("the database is damaged (is it still being copied?): {reason}", reason=result))
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version != USER_VERSION:
            self._refuse(
                said(
                    "its user_version is {found}, this server reads {wanted}: publish it again",
                    found=version,
                    wanted=USER_VERSION,
                )
            )
        problems = []
        for table, columns in TABLE_COLUMNS.items():
            found = list(self._database.execute(f"PRAGMA table_info({table})"))
            present = {row["name"] for row in found}
            if not present:
                problems.append(Problem(self._file, 0, said("table {table} is missing", table=table)))
            elif lacking := [column for column in columns if column not in present | self._may_lack(table)]:
                missing = ", ".join(lacking)
                message = said("table {table} lacks {names}", table=table, names=missing)
                problems.append(Problem(self._file, 0, message))
            elif [(row["name"], row["type"].upper()) for row in found if row["pk"]] != [("id", "INTEGER")]:
                message = said("id of table {table} is no INTEGER PRIMARY KEY", table=table)
                problems.append(Problem(self._file, 0, message))
            self._lacking[table] = self._may_lack(table) - present
        if problems:
            raise ConfigurationError(problems)

    def _refuse(self, message: str) -> None:
        raise ConfigurationError([Problem(self._file, 0, message)])

    @staticmethod
    def _may_lack(table: str) -> frozenset[str]:
        return LATER_COLUMNS.get(table, frozenset())

    def _rows(self, table: str) -> Iterable[sqlite3.Row]:
        lacking = self._lacking[table]
        columns = (f"NULL AS {name}" if name in lacking else name for name in TABLE_COLUMNS[table])
        order = _ORDER.get(table, "id")
        return self._database.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}")

    def _seat(self, row: sqlite3.Row) -> Seat:
        self.places.seats.append(row["id"])
        extension = _string(row, "extension")
        queue_interface, state_interface = seat_interfaces(
            extension, _string(row, "queue_interface"), _string(row, "state_interface")
        )
        return Seat(
            mac=mac_or_text(_string(row, "mac")),
            extension=extension,
            queue_interface=queue_interface,
            state_interface=state_interface,
            address=address_or_text(_string(row, "address")),
            description=_string(row, "description"),
            answer=self._choice("seats", row, "answer", get_args(AnswerWay), "none"),
        )

    def _operator(self, row: sqlite3.Row, seats: Mapping[int, Seat]) -> Operator:
        self.places.operators.append(row["id"])
        seat = seats.get(row["seat_id"])
        if seat is None and row["seat_id"] is not None:
            self._complain("operators", row, _no_row("seat_id", row, "seats"))
        return Operator(
            username=_string(row, "username"),
            full_name=_string(row, "full_name"),
            password=_string(row, "password"),
            seat=seat.mac if seat else "",
            begin_in_pause=self._boolean("operators", row, "begin_in_pause"),
            enabled=self._boolean("operators", row, "enabled"),
            scram=_string(row, "scram"),
        )

    def _services(self, operators: Mapping[int, Operator]) -> tuple[Service, ...]:
        rows = list(self._rows("services"))
        ids = {row["id"] for row in rows}
        variables = self._children("services_variables", ids)
        triggers = self._children("services_triggers", ids)
        bindings = self._children("services_operators", ids)
        return tuple(
            self._service(row, variables[row["id"]], triggers[row["id"]], bindings[row["id"]], operators)
            for row in rows
        )

    def _children(self, table: str, services: set[int]) -> dict[int, list[sqlite3.Row]]:
        found: dict[int, list[sqlite3.Row]] = {service: [] for service in services}
        for row in self._rows(table):
            if row["service_id"] in services:
                found[row["service_id"]].append(row)
            else:
                self._complain(table, row, _no_row("service_id", row, "services"))
        return found

    def _service(
        self,
        row: sqlite3.Row,
        variables: list[sqlite3.Row],
        triggers: list[sqlite3.Row],
        bindings: list[sqlite3.Row],
        operators: Mapping[int, Operator],
    ) -> Service:
        bindings = [binding for binding in bindings if self._is_bound(binding, operators)]
        self.places.services.append(row["id"])
        self.places.variables.append([variable["id"] for variable in variables])
        self.places.triggers.append([trigger["id"] for trigger in triggers])
        self.places.bindings.append([binding["id"] for binding in bindings])
        return Service(
            name=_string(row, "name"),
            context=_string(row, "context"),
            type=self._choice("services", row, "type", get_args(ServiceType)),
            is_queue=self._boolean("services", row, "is_queue"),
            queue_name=_string(row, "queue_name"),
            enabled=self._boolean("services", row, "enabled"),
            variables=tuple(_string(variable, "name") for variable in variables),
            triggers=tuple(self._trigger(trigger) for trigger in triggers),
            operators=tuple(
                Binding(operators[binding["operator_id"]].username, self._penalty(binding))
                for binding in bindings
            ),
            may_leave=self._boolean("services", row, "may_leave"),
        )

    def _is_bound(self, row: sqlite3.Row, operators: Mapping[int, Operator]) -> bool:
        if row["operator_id"] in operators:
            return True
        self._complain("services_operators", row, _no_row("operator_id", row, "operators"))
        return False

    def _trigger(self, row: sqlite3.Row) -> Trigger:
        table = "services_triggers"
        return Trigger(
            type=self._choice(table, row, "type", get_args(TriggerType)),
            on=self._choice(table, row, "moment", get_args(Moment), "answer"),
            os=self._choice(table, row, "os", get_args(TriggerSystem), "any"),
            application=_string(row, "application"),
            parameters=_string(row, "parameters"),
            url=_string(row, "url"),
            again=self._boolean(table, row, "again"),
        )

    def _reason(self, row: sqlite3.Row) -> str:
        self.places.reasons.append(row["id"])
        return _string(row, "name")

    def _penalty(self, row: sqlite3.Row) -> int:
        value = row["penalty"]
        if value is None:
            return 0
        if not isinstance(value, int) or not 0 <= value <= 2147483647:
            message = said(
                "penalty has to be a whole number from 0 to 2147483647, not {value!r}", value=str(value)[:80]
            )
            self._complain("services_operators", row, message)
            return 0
        return value

    def _boolean(self, table: str, row: sqlite3.Row, column: str) -> bool:
        value = row[column]
        if value is None:
            return column == "enabled"
        if value not in (0, 1):
            message = said("{column} has to be 0 or 1, not {value!r}", column=column, value=str(value)[:80])
            self._complain(table, row, message)
        return bool(value)

    def _choice(
        self, table: str, row: sqlite3.Row, column: str, words: tuple[str, ...], default: str = ""
    ) -> Any:
        value = _string(row, column) or default
        if value not in words:
            message = said(
                "{column} has to be one of {words}, not {value!r}",
                column=column,
                words=", ".join(words),
                value=value[:80],
            )
            self._complain(table, row, message)
            return words[0]
        return value

    def _complain(self, table: str, row: sqlite3.Row, message: str) -> None:
        self.problems.append(Problem(self._file, row["id"], _of_table(table, message)))


def _of_table(table: str, message: str) -> str:
    return said("table {table}: {wrong}", table=table, wrong=message)


def _no_row(column: str, row: sqlite3.Row, table: str) -> str:
    return said("{column} {value} is no row of table {table}", column=column, value=row[column], table=table)


def _string(row: sqlite3.Row, column: str) -> str:
    value = row[column]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return "" if value is None else str(value).strip()
