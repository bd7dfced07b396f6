"""Stored passwords: making, judging and comparing them."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from schemas import passwords
from schemas.passwords import (
    PasswordChecker,
    check_stored_password,
    make_stored_password,
    parse_stored_password,
)

TEST_MD5 = "098f6bcd4621d373cade4e832627b4f6"


def quick_scrypt(md5_hex: str) -> str:
    """A scrypt password cheap enough for tests."""
    salt = b"saltsalt"
    digest = hashlib.scrypt(md5_hex.encode(), salt=salt, n=1024, r=1, p=1, dklen=16)
    encode = base64.b64encode
    return f"scrypt:10:1:1:{encode(salt).decode()}:{encode(digest).decode()}"


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets an entry for each scrypt that is computed from now on."""
    computed: list[int] = []
    real = hashlib.scrypt

    def scrypt(*args: Any, **kwargs: Any) -> bytes:
        computed.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    return computed


@pytest.mark.parametrize("scheme", ["md5", "scrypt"])
def test_a_password_that_was_made_matches_and_no_other_does(scheme) -> None:
    stored = make_stored_password("tèst", scheme)
    assert check_stored_password(stored) == ""
    checker = PasswordChecker()
    assert checker.matches(stored, hashlib.md5("tèst".encode()).hexdigest().upper())
    assert not checker.matches(stored, TEST_MD5)


def test_the_md5_form_is_what_the_specification_sends() -> None:
    assert make_stored_password("test", "md5") == f"md5:{TEST_MD5}"


@pytest.mark.parametrize("plain", ["", "a\nb", "a\r"])
def test_no_empty_password_and_none_with_a_line_break_is_made(plain: str) -> None:
    with pytest.raises(ValueError, match="empty or has a line break"):
        make_stored_password(plain)


@pytest.mark.parametrize(
    "stored",
    [
        "secret",
        "",
        "md5:",
        "md5:xyz",
        f"md5:{TEST_MD5}0",
        "scrypt:",
        "scrypt:14:8:1:c2FsdHNhbHQ=",
        "scrypt:14:8:1:c2FsdHNhbHQ=:no-base64!",
        "scrypt:9:8:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:18:8:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:17:32:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:14:0:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:14:8:17:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:-4:8:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:14:8:1:c2FsdA==:MDEyMzQ1Njc4OTAxMjM0NQ==",
        "scrypt:14:8:1:c2FsdHNhbHQ=:MDEy",
    ],
)
def test_an_unusable_stored_password_is_refused_without_showing_it(stored: str) -> None:
    message = check_stored_password(stored)
    assert message
    assert stored == "" or stored.rpartition(":")[2] == "" or stored.rpartition(":")[2] not in message
    assert not PasswordChecker().matches(stored, TEST_MD5)


@pytest.mark.parametrize("sent", ["", "098f", "é" * 32, TEST_MD5 + "\n", "\ud800" * 32])
def test_what_is_no_hex_never_matches_and_never_raises(sent: str) -> None:
    checker = PasswordChecker()
    for stored in (f"md5:{TEST_MD5}", quick_scrypt(TEST_MD5), ""):
        assert not checker.matches(stored, sent)


def test_an_unknown_user_never_matches_and_costs_what_others_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = PasswordChecker()
    assert not checker.matches("", TEST_MD5)
    assert checker.matches(quick_scrypt(TEST_MD5), TEST_MD5)
    computed = counted(monkeypatch)
    assert not checker.matches("", TEST_MD5)
    assert computed == [1]


def test_a_success_is_computed_once_and_a_failure_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    checker, stored = PasswordChecker(), quick_scrypt(TEST_MD5)
    computed = counted(monkeypatch)
    for _ in range(3):
        assert checker.matches(stored, TEST_MD5)
    assert len(computed) == 1
    for _ in range(2):
        assert not checker.matches(stored, "0" * 32)
    assert len(computed) == 3


def test_a_remembered_success_does_not_outlive_a_changed_password() -> None:
    checker = PasswordChecker()
    assert checker.matches(quick_scrypt(TEST_MD5), TEST_MD5)
    assert not checker.matches(quick_scrypt("0" * 32), TEST_MD5)


def test_what_is_remembered_is_neither_password_nor_hash() -> None:
    checker, stored = PasswordChecker(), quick_scrypt(TEST_MD5)
    assert checker.matches(stored, TEST_MD5)
    other = PasswordChecker()
    assert other.matches(stored, TEST_MD5)
    (mark,), (others_mark,) = remembered_by(checker), remembered_by(other)
    assert TEST_MD5.encode() not in mark and stored.encode() not in mark
    assert mark != others_mark


def remembered_by(checker: PasswordChecker) -> list[bytes]:
    return [mark for part in vars(checker).values() if isinstance(part, Mapping) for mark in part]


def test_what_takes_no_computing_is_known_at_once_and_the_rest_says_that_it_is_not() -> None:
    checker, stored = PasswordChecker(), quick_scrypt(TEST_MD5)
    assert checker.matches_at_once(f"md5:{TEST_MD5}", TEST_MD5) is True
    assert checker.matches_at_once(f"md5:{TEST_MD5}", "0" * 32) is False
    assert checker.matches_at_once("", TEST_MD5) is False  # nobody has a scrypt password yet
    assert checker.matches_at_once(stored, TEST_MD5) is None
    assert checker.matches_at_once("", TEST_MD5) is None
    assert checker.matches_at_once(stored, "no hex") is False
    assert checker.matches(stored, TEST_MD5)
    assert checker.matches_at_once(stored, TEST_MD5) is True
    assert checker.matches_at_once(stored, "0" * 32) is None


def test_the_parts_of_a_scrypt_password_are_read() -> None:
    form = parse_stored_password(quick_scrypt(TEST_MD5))
    assert isinstance(form, passwords.Scrypt)
    assert (form.cost, form.block, form.lanes, form.salt) == (10, 1, 1, b"saltsalt")
