"""Where settings come from, which one wins, and what is said about bad ones."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from astcti_client.password import Password
from astcti_client.settings import LoadedSettings, Settings, SettingsError, load_settings

MD5_OF_TEST = "098f6bcd4621d373cade4e832627b4f6"


class Files:
    """A user's and a system's file in a directory of the test."""

    def __init__(self, place: Path) -> None:
        self.user, self.system = place / "user.toml", place / "system.toml"
        self.place = place

    def load(
        self,
        options: dict[str, Any] | None = None,
        environ: dict[str, str] | None = None,
        *,
        user: str = "",
        system: str = "",
    ) -> LoadedSettings:
        self.user.write_text(user, encoding="utf-8")
        self.system.write_text(system, encoding="utf-8")
        return load_settings(options or {}, environ or {}, self.user, self.system)

    def problems(self, *arguments: Any, **texts: Any) -> str:
        with pytest.raises(SettingsError) as raised:
            self.load(*arguments, **texts)
        return "\n".join(raised.value.problems)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings({}, {}, None, tmp_path / "none.toml").settings
    assert (settings.host, settings.port, settings.tls, settings.verify, settings.triggers) == (
        "127.0.0.1",
        5000,
        False,
        True,
        True,
    )


def test_each_source_outranks_the_next(files: Files) -> None:
    texts = {
        "user": 'host = "user"\nport = 1',
        "system": 'host = "system"\nport = 2\nmac = "00:11:22:33:44:55"',
    }
    environ = {"ASTCTI_CLIENT_HOST": "environment", "ASTCTI_CLIENT_USER": "mario"}
    assert files.load({"host": "option"}, environ, **texts).settings.host == "option"
    assert files.load({"host": None}, environ, **texts).settings.host == "environment"
    settings = files.load({}, {}, **texts).settings
    assert (settings.host, settings.port, settings.mac) == ("user", 1, "00:11:22:33:44:55")


def test_a_locked_value_outranks_everything_and_this_is_said(files: Files) -> None:
    loaded = files.load(
        {"host": "mine"},
        {"ASTCTI_CLIENT_TLS": "no"},
        user='host = "user"',
        system='[locked]\nhost = "cti"\ntls = true',
    )
    assert (loaded.settings.host, loaded.settings.tls) == ("cti", True)
    assert "option --host is ignored" in loaded.remarks[0]
    assert "ASTCTI_CLIENT_TLS is ignored" in loaded.remarks[1]


def test_the_users_file_cannot_lock(files: Files) -> None:
    assert "locked: only the system's file" in files.problems(user='[locked]\nhost = "mine"')


def test_all_problems_are_told_with_their_places(files: Files) -> None:
    text = files.problems(
        {"port": "70000"},
        {"ASTCTI_CLIENT_TLS": "maybe", "ASTCTI_CLIENT_HOTS": "x"},
        user='mac = "no"\ntrigers = true',
    )
    assert "option --port: '70000' is not a port" in text
    assert "environment variable ASTCTI_CLIENT_TLS: 'maybe' is neither yes nor no" in text
    assert "ASTCTI_CLIENT_HOTS: there is no setting 'hots'; did you mean host?" in text
    assert f"{files.user}:1: mac: a MAC address is" in text
    assert f"{files.user}:2: trigers: there is no such setting; did you mean triggers?" in text


def test_a_file_that_is_not_toml_is_named_with_the_line(files: Files) -> None:
    text = files.problems(user="host = cti.example")
    assert f"{files.user}: not valid TOML" in text
    assert "line 1" in text


@pytest.mark.parametrize(
    "line",
    [
        "port = 0",
        "port = true",
        'port = "x"',
        'port = "٣"',
        'host = ""',
        'host = "cti:5000/x"',
        'user = "a b"',
        "host = 5",
        "tls = 2",
        "keep-alive = 0.2",
        "keep-alive = nan",
        "keep-alive = true",
        "keep-alive = 99999",
        'password = ""',
        "password = 5",
        'ca-file = "no-such-file"',
        "allowed-programs = 5",
        'mac = "0:1:2:3:4:5"',
        'user = "a\\u0007b"',
    ],
)
def test_a_bad_value_is_refused(files: Files, line: str) -> None:
    assert str(files.user) in files.problems(user=line)


def test_a_password_is_kept_as_its_hash_and_never_shown(files: Files) -> None:
    plain = files.load(user='password = "test"').settings
    hashed = files.load(user=f'password = "md5:{MD5_OF_TEST.upper()}"').settings
    assert plain.password == hashed.password == Password(MD5_OF_TEST)
    assert MD5_OF_TEST not in repr(plain)
    assert "test" not in repr(plain)


def test_a_password_in_utf_8_is_hashed_as_such() -> None:
    assert Password.from_text("ä").md5 == "8419b71c87a225a2c70b50486fbee545"


def test_a_password_file_gives_its_first_line_relative_to_the_file_that_names_it(files: Files) -> None:
    (files.place / "secret").write_text("test\r\nsomething else\n")
    assert files.load(user='password-file = "secret"').settings.password == Password(MD5_OF_TEST)


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\xff", "UTF-8"), (b"x" * 5000, "too long")]
)
def test_a_password_file_that_cannot_be_one_is_refused(files: Files, content: bytes, words: str) -> None:
    (files.place / "secret").write_bytes(content)
    text = files.problems(user='password-file = "secret"')
    assert words in text
    assert "xxx" not in text


def test_a_missing_password_file_is_named(files: Files) -> None:
    assert "cannot read /nowhere/secret: No such file" in files.problems({"password-file": "/nowhere/secret"})


def test_a_file_that_cannot_be_looked_at_is_named(files: Files) -> None:
    place = "/" + 300 * "x"
    assert f"cannot read {place}: File name too long" in files.problems({"ca-file": place})


def test_two_passwords_in_one_place_are_refused_but_an_option_replaces_the_files(files: Files) -> None:
    (files.place / "secret").write_text("test")
    assert "password-file too" in files.problems(user='password = "a"\npassword-file = "secret"')
    options = {"password-file": str(files.place / "secret")}
    assert files.load(options, user='password = "other"').settings.password == Password(MD5_OF_TEST)


def test_switching_verification_off_is_warned_about(files: Files) -> None:
    assert "not checked" in files.load(user="tls = true\nverify = false").remarks[0]


def test_allowed_programs_come_as_a_list_or_as_a_search_path(files: Files) -> None:
    assert files.load(user='allowed-programs = ["crm", "/opt/crm"]').settings.allowed_programs == (
        "crm",
        "/opt/crm",
    )
    environ = {"ASTCTI_CLIENT_ALLOWED_PROGRAMS": "crm:/opt/crm"}
    assert files.load({}, environ).settings.allowed_programs == ("crm", "/opt/crm")
    assert files.load(user="allowed-programs = []").settings.allowed_programs == ()
    assert files.load().settings.allowed_programs is None


def test_an_empty_environment_variable_counts_as_not_set(files: Files) -> None:
    assert files.load({}, {"ASTCTI_CLIENT_HOST": ""}, user='host = "cti"').settings.host == "cti"


def test_an_ipv6_address_may_stand_in_brackets(files: Files) -> None:
    assert files.load({"host": "[::1]"}).settings.host == "::1"


def test_the_folder_for_cookies_is_no_setting(tmp_path: Path) -> None:
    loaded = load_settings({}, {"ASTCTI_CLIENT_PAGES": "/tmp/pages"}, None, tmp_path / "none.toml")
    assert loaded.settings == Settings()


LONG = "1" * 5000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            f"port = {LONG}",
            ":3: port: a number of thousands of digits is not a port; write a number from 1 to 65535",
        ),
        (f"history-days = -{LONG}", ":3: history-days: a number of thousands of digits is neither 0 nor"),
        (f"no-such = {LONG}", ":3: a number of thousands of digits is the value of no setting"),
        (f"keep-alive = [\n{LONG}]", ":4: a number of thousands of digits is"),
        (f"keep-alive = -{LONG}", ":3: keep-alive: a number of thousands of digits is not"),
        (f'mac = """\n{LONG}"""\nport = {LONG}', ":5: port: a number of thousands of digits is"),
        (
            f"port = 0x{'f' * 9000}",
            ":3: port: a number of thousands of digits is not a port; write a number from 1 to 65535",
        ),
        (f"port = {LONG[:300]}", "… is not a port"),
        (f'port = "{LONG}"', "is not a port"),
        (f"keep-alive = {LONG[:400]}", "is not a number of seconds"),
        (f"scale = {LONG[:400]}", "is neither 0 nor a number from 0.5 to 5"),
        (f"notice-time = 0x{'f' * 9000}", "is neither 0 nor a number from 1 to 3600"),
        (f"history-days = {LONG[:400]}", "is neither 0 nor a number from 1 to 3650"),
        (f"tls = 0x{'f' * 9000}", "is neither yes nor no"),
        (f"theme = [0x{'f' * 9000}]", "is not a text"),
        ("port = 1979-05-27", "is not a port"),
        ("scale = nan", "is neither 0 nor"),
        ("plain = 5", "is neither yes nor no"),
        (f"port = {'[' * 5000}", "lists within lists too deep"),
        (f"# {'x' * 70000}", "is longer than 65536 bytes"),
    ],
)
def test_whatever_a_number_is_the_file_is_named_and_no_line_is_endless(
    files: Files, line: str, words: str
) -> None:
    text = files.problems(user=f"# mine\ntriggers = true\n{line}")
    assert str(files.user) in text
    assert words in text
    assert len(text) < 400


def test_a_number_of_the_environment_or_an_option_is_bounded_too(files: Files) -> None:
    text = files.problems({"port": LONG}, {"ASTCTI_CLIENT_KEEP_ALIVE": LONG, "ASTCTI_CLIENT_SCALE": LONG})
    assert "option --port: " in text
    assert "environment variable ASTCTI_CLIENT_KEEP_ALIVE: " in text
    assert "environment variable ASTCTI_CLIENT_SCALE: " in text
    assert len(text) < 600


def test_a_locked_value_is_named_with_its_line_and_table(files: Files) -> None:
    text = files.problems(system='host = "cti"\n\n[locked]\n"port" = 0')
    assert f"{files.system}:4: [locked] port: 0 is not a port" in text


def test_a_path_with_braces_is_told_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "{odd}"
    place.mkdir()
    assert f"{place}/user.toml:1: port: " in Files(place).problems(user="port = 0")


def test_what_is_no_file_is_not_waited_for(files: Files) -> None:
    os.mkfifo(files.user)
    with pytest.raises(SettingsError, match=re.escape(f"{files.user}: cannot be read: is not a file")):
        load_settings({}, {}, files.user, files.system)
