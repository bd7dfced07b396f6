"""Plain passwords in CSV files: slow to compute on purpose, and nobody waits for them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from configurator import options
from configurator.models import Operator
from schemas import passwords

ROWS = b"username,full-name,password\nanna,Anna Verdi,geheim\n"


def upload(client: Client, data: bytes, store: str = "no"):
    file = SimpleUploadedFile("operators.csv", data)
    return client.post("/publish/import/", {"what": "operators", "file": file, "store": store}).context[
        "result"
    ]


def test_others_can_write_while_passwords_are_computed(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.make_stored_password

    def make(plain: str) -> str:
        for path in (options.current_options().configuration_file, options.current_options().manager_file):
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
        return real(plain)

    monkeypatch.setattr(passwords, "make_stored_password", make)
    assert upload(admin, ROWS, "yes")["stored"]
    assert Operator.objects.get().password.startswith("scrypt:")


def test_looking_at_a_file_computes_no_new_password(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "make_stored_password", lambda plain: pytest.fail("computed"))
    assert upload(admin, ROWS)["new"] == 1


def test_a_password_that_an_operator_has_already_is_no_change(admin: Client) -> None:
    upload(admin, ROWS, "yes")
    before = Operator.objects.get()
    again = upload(admin, ROWS, "yes")
    assert (again["same"], again["changed"]) == (1, 0)
    assert Operator.objects.get().password == before.password
    assert upload(admin, ROWS.replace(b"geheim", b"other"), "yes")["changed"] == 1
    assert Operator.objects.get().password != before.password


def test_a_password_with_a_line_break_is_a_bad_row(admin: Client) -> None:
    (bad,) = upload(admin, ROWS.replace(b"geheim", b'"ge\nheim"'), "yes")["run"].bad
    assert "line break" in bad.message
