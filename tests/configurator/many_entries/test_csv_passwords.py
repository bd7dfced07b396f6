"""Plain passwords in CSV files: slow to compute on purpose, and nobody waits for them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from django.test import Client

from configurator import options
from configurator.models import ManagerUser, Operator
from schemas import passwords
from tests.configurator.conftest import post_import

ROWS = b"username,full-name,password\nanna,Anna Verdi,geheim\n"


def upload(client: Client, data: bytes, store: str = "no"):
    return post_import(client, "operators", data, store).context["result"]


def test_others_can_write_while_passwords_are_computed(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.make_stored_forms

    def make(plain: str) -> passwords.StoredForms:
        for path in (options.current_options().configuration_file, options.current_options().manager_file):
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
        return real(plain)

    monkeypatch.setattr(passwords, "make_stored_forms", make)
    assert upload(admin, ROWS, "agreed")["stored"]
    stored = Operator.objects.get()
    assert stored.password.startswith("scrypt:")
    assert passwords.belong_together(stored.password, stored.scram) and stored.scram


def test_looking_at_a_file_computes_no_new_password(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "make_stored_forms", lambda plain: pytest.fail("computed"))
    assert upload(admin, ROWS)["new"] == 1


def test_a_password_that_an_operator_has_already_is_no_change(admin: Client) -> None:
    upload(admin, ROWS, "agreed")
    before = Operator.objects.get()
    again = upload(admin, ROWS, "agreed")
    assert (again["same"], again["changed"]) == (1, 0)
    assert Operator.objects.get().password == before.password
    assert upload(admin, ROWS.replace(b"geheim", b"other"), "agreed")["changed"] == 1
    assert Operator.objects.get().password != before.password


def test_a_password_with_a_line_break_is_a_bad_row(admin: Client) -> None:
    (bad,) = upload(admin, ROWS.replace(b"geheim", b'"ge\nheim"'), "agreed")["run"].bad
    assert "line break" in bad.message


def test_stored_passwords_bring_their_keys_or_lose_those_of_the_old_one(admin: Client) -> None:
    upload(admin, ROWS, "agreed")
    first, other = Operator.objects.get(), passwords.make_stored_forms("other")
    kept = f"username,full-name,password\nanna,Anna Verdi,{first.password}\n"
    assert upload(admin, kept.encode(), "agreed")["same"] == 1
    both = f"username,full-name,password,scram\nanna,Anna Verdi,{other.password},{other.scram}\n"
    assert upload(admin, both.encode(), "agreed")["changed"] == 1
    assert (Operator.objects.get().password, Operator.objects.get().scram) == other
    alone = f"username,full-name,password\nanna,Anna Verdi,{first.password}\n"
    assert upload(admin, alone.encode(), "agreed")["changed"] == 1
    assert (Operator.objects.get().password, Operator.objects.get().scram) == (first.password, "")


@pytest.mark.parametrize(
    ("password", "scram", "words"),
    [("geheim", "200000:a:b:c", "stored already"), ("md5:" + "0" * 32, "200000:a:b:c", "base64")],
)
def test_keys_that_cannot_be_used_are_a_bad_row(admin: Client, password: str, scram: str, words: str) -> None:
    rows = f"username,full-name,password,scram\nanna,Anna Verdi,{password},{scram}\n"
    (bad,) = upload(admin, rows.encode(), "agreed")["run"].bad
    assert words in bad.message


@pytest.mark.parametrize(
    ("password", "scram", "words"),
    [
        ("scrypt:1", "", "Password: dopo scrypt: la forma è"),
        ("md5:" + "0" * 32, "x", "Scram: la forma è iterazioni:sale"),
        ("md5:" + "0" * 32, "1:a:b:c", "Scram: le iterazioni vanno da"),
    ],
)
def test_what_is_wrong_with_stored_passwords_is_said_in_italian(
    admin: Client, password: str, scram: str, words: str
) -> None:
    ManagerUser.objects.update(language="it")
    rows = f"username,full-name,password,scram\nanna,Anna Verdi,{password},{scram}\n"
    (bad,) = upload(admin, rows.encode(), "agreed")["run"].bad
    assert bad.message.startswith(words)


def test_the_password_that_an_operator_has_already_brings_the_keys_that_were_missing(admin: Client) -> None:
    upload(admin, ROWS, "agreed")
    Operator.objects.update(scram="")
    password = Operator.objects.get().password
    assert upload(admin, ROWS, "agreed")["changed"] == 1
    stored = Operator.objects.get()
    assert stored.password == password
    assert stored.scram and passwords.belong_together(stored.password, stored.scram)
