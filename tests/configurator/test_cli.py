"""The command line as scripts use it, each command in a process of its own."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from configurator import mail_settings, options
from configurator.commands.serving import host_names
from schemas.configuration import sqlite_form, xml_form
from tests.configurator.conftest import first_group
from tests.fake.patience import PATIENCE

SAMPLE = Path(__file__).resolve().parents[2] / "astcti_server" / "etc" / "sample" / "configuration.xml"
USER = {"ASTCTI_CONFIGURATOR_USER": "root", "ASTCTI_CONFIGURATOR_PASSWORD": "correct-horse-9"}


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    (tmp_path / "etc").mkdir()
    return ["--data", str(tmp_path / "data"), "--publish", str(tmp_path / "etc")]


def run(
    places: list[str], *words: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "configurator", *places, *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_help_of_a_command_and_a_wrong_line_touch_nothing(places: list[str], tmp_path: Path) -> None:
    assert "--comment" in run(places, "publish", "--help").stdout
    assert run(places, "publish", "--nonsense").returncode == 2
    assert not (tmp_path / "data").exists()


def test_check_warns_of_the_applications_files_that_every_user_can_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = ["--data", str(folder / "data"), "--publish", name]
        assert run(places, "import", str(SAMPLE)).returncode == 0
        folder.chmod(0o755)
        assert {path.stat().st_mode & 0o777 for path in (folder / "data").glob("*.sqlite")} == {0o600}
        assert "every user" not in run(places, "check").stdout
        (folder / "data").chmod(0o755)
        (folder / "data" / "configuration.sqlite").chmod(0o644)
        checked = run(places, "check")
        assert (checked.returncode, checked.stdout.count("every user of this machine can read")) == (0, 1)
        assert "configuration.sqlite" in checked.stdout


def test_scripts_import_check_publish_and_export(places: list[str], tmp_path: Path) -> None:
    looked = run(places, "import", "--dry-run", str(SAMPLE))
    assert "service Demo: added" in looked.stdout
    assert run(places, "import", str(SAMPLE)).returncode == 0
    assert run(places, "check").returncode == 0
    published = run(places, "publish", "--comment", "by a script")
    path = Path(published.stdout.strip())
    assert path.parent == tmp_path / "etc"
    assert xml_form.load_xml(path) == xml_form.load_xml(SAMPLE)
    assert run(places, "export", str(tmp_path / "out.xml")).returncode == 0
    assert (tmp_path / "out.xml").stat().st_mode & 0o777 == 0o600
    exported = run(places, "export", "-")
    assert xml_form.parse_xml(exported.stdout.encode(), "-").configuration == xml_form.load_xml(SAMPLE)
    assert run(places, "export", str(tmp_path / "out.sqlite")).returncode == 0


@pytest.mark.parametrize(
    "words", [("publish",), ("export", "-"), ("check",), ("import", "--dry-run", str(SAMPLE))]
)
def test_a_command_on_a_new_data_directory_begins_with_what_is_in_force(
    places: list[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    in_force = tmp_path / "etc" / "by-hand.xml"
    in_force.write_bytes(SAMPLE.read_bytes())
    done = run(places, *words)
    assert (done.returncode, "began with by-hand.xml" in done.stderr) == (0, True)
    if words[0] == "publish":
        assert xml_form.load_xml(Path(done.stdout.strip())) == xml_form.load_xml(in_force)
    if words[0] == "import":
        assert "Demo" not in done.stdout


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_check_says_that_all_is_well_and_what_the_server_would_warn_of(
    places: list[str], tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"one.{form}"
    text = (
        "<configuration><services><service name='Demo' context='a' type='inbound'><variable name='x'/>"
        "<trigger type='browser'><url>http://crm.example/?x={X}</url></trigger></service></services>"
        "</configuration>"
    )
    if form == "sqlite":
        sqlite_form.dump_sqlite(xml_form.parse_xml(text.encode(), "x").configuration, file)
    else:
        file.write_text(text)
    said = "services 1, seats 0, operators 0, pause reasons 0"
    looked = run(places, "check", str(file))
    assert looked.returncode == 0
    warning, last = looked.stdout.splitlines()
    assert warning.startswith(f"{file}:1: ") and warning.endswith("(warning)")
    assert last == f"{file} is valid: {said}"
    assert run(places, "import", str(file)).returncode == 0
    assert run(places, "check").stdout.splitlines()[-1] == f"What was entered is valid: {said}"


def test_nothing_is_published_over_something_only_by_force(places: list[str], tmp_path: Path) -> None:
    (tmp_path / "etc" / "by-hand.xml").write_bytes(SAMPLE.read_bytes())
    empty = tmp_path / "empty.xml"
    empty.write_text("<configuration/>")
    assert run(places, "import", str(empty)).returncode == 0
    refused = run(places, "publish")
    assert (refused.returncode, "--force" in refused.stderr, refused.stdout) == (1, True, "")
    assert [path.name for path in (tmp_path / "etc").iterdir()] == ["by-hand.xml"]
    assert run(places, "publish", "--force").returncode == 0
    assert run(places, "publish").returncode == 0  # over an empty one nothing is lost


def test_a_database_of_a_newer_release_is_said_to_be_that_and_left_alone(
    places: list[str], tmp_path: Path
) -> None:
    assert run(places, "import", str(SAMPLE)).returncode == 0
    file = tmp_path / "data" / "configuration.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO django_migrations(app, name, applied)"
            " VALUES ('configurator', '0999_later', '2030-01-01')"
        )
    refused = run(places, "check")
    assert (refused.returncode, "upgraded by a newer release (0999_later)" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data" / "copies").exists()


def test_an_export_is_written_through_no_link_and_for_its_user_alone(
    places: list[str], tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("out.xml", "out.sqlite"):
        if name == "out.xml":
            (tmp_path / name).symlink_to(precious)
        done = run(places, "export", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).lstat().st_mode & 0o777 == 0o600
    assert precious.read_text() == "precious"


def test_a_bad_file_is_refused_with_every_error_and_78(places: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text("<configuration><seats><seat mac='x' extension='y'/></seats></configuration>")
    for command in ("import", "check"):
        refused = run(places, command, str(bad))
        assert (refused.returncode, refused.stderr.count("bad.xml:1:") >= 2) == (78, True)
    csv = tmp_path / "seats.csv"
    csv.write_text("mac,extension\nx,PJSIP/1\n")
    refused = run(places, "import", "--csv", "seats", str(csv))
    assert (refused.returncode, f"{csv}:2: x:" in refused.stdout) == (78, True)


def test_rows_are_read_in_the_encoding_that_is_named(places: list[str], tmp_path: Path) -> None:
    csv, out = tmp_path / "seats.csv", tmp_path / "out.xml"
    csv.write_bytes("mac;extension;description\n02:00:00:00:00:01;PJSIP/1;Łódź\n".encode("cp1250"))
    assert run(places, "import", "--csv", "seats", "--encoding", "cp1250", str(csv)).returncode == 0
    assert run(places, "export", str(out)).returncode == 0
    assert 'description="Łódź"' in out.read_text(encoding="utf-8")
    refused = run(places, "import", "--encoding", "cp1250", str(out))
    assert (refused.returncode, "--encoding is for CSV" in refused.stderr) == (2, True)


def test_the_web_application_starts_with_its_first_user_and_stops_in_order(places: list[str]) -> None:
    command = [sys.executable, "-m", "configurator", *places, "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **USER})
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().rpartition(" ")[2].strip()
        with urllib.request.urlopen(f"{address}login/", timeout=PATIENCE) as answer:
            page = answer.read().decode()
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert "Log in" in page


def test_without_a_first_user_nothing_is_served(places: list[str]) -> None:
    refused = run(places)
    assert (refused.returncode, "ASTCTI_CONFIGURATOR_USER" in refused.stderr) == (2, True)


def test_the_first_user_is_made_before_anything_is_served(places: list[str]) -> None:
    assert run(places, "first-user").returncode == 2
    made = run(places, "first-user", **USER)
    assert (made.returncode, "root may log in as administrator" in made.stderr) == (0, True)
    again = run(places, "first-user", **USER)
    assert (again.returncode, "may log in" in again.stderr) == (0, False)


def test_a_lost_password_is_reset_on_the_machine(places: list[str], tmp_path: Path) -> None:
    assert run(places, "reset-password", "root", typed="x\n").returncode == 1
    with closing(sqlite3.connect(tmp_path / "data" / "managers.sqlite")) as database, database:
        database.execute(
            "INSERT INTO configurator_manageruser(userid, full_name, password, email, role, enabled, "
            "created, language, theme, revision) VALUES ('root', 'R', '!', '', 'viewer', 0, "
            "'2026-01-01', '', '', 1)"
        )
    assert run(places, "reset-password", "root", typed="short\n").returncode == 1
    assert run(places, "reset-password", "root", typed="battery-staple-7\n").returncode == 0
    with closing(sqlite3.connect(tmp_path / "data" / "managers.sqlite")) as database:
        row = database.execute("SELECT password, enabled FROM configurator_manageruser").fetchone()
    assert row[0].startswith("pbkdf2_sha256$") and row[1] == 1


def test_an_older_database_is_put_aside_and_then_upgraded(places: list[str], tmp_path: Path) -> None:
    run(places, "check")
    data = tmp_path / "data"
    with closing(sqlite3.connect(data / "managers.sqlite")) as database, database:
        database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        database.execute("DROP TABLE django_session")
    assert not list(data.glob("copies/*"))
    assert "managers.sqlite is upgraded" in run(places, "check").stderr
    (copy,) = data.glob("copies/managers-*.sqlite")
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'django_session'"
        ).fetchone() == (0,)
    with closing(sqlite3.connect(data / "managers.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM django_session").fetchone() == (0,)


def test_the_two_files_hold_different_tables(places: list[str], tmp_path: Path) -> None:
    run(places, "check")
    tables = {}
    for name in ("managers", "configuration"):
        with closing(sqlite3.connect(tmp_path / "data" / f"{name}.sqlite")) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            tables[name] = {row[0] for row in rows if row[0].startswith("configurator_")}
    assert (
        "configurator_manageruser" in tables["managers"] and "configurator_auditentry" in tables["managers"]
    )
    assert "configurator_operator" in tables["configuration"]
    assert not tables["managers"] & tables["configuration"]


def _loopback() -> str:
    """The newer of the two where there is one: a proxy comes from ::1 as well as from 127.0.0.1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "[::1]"
    except OSError:
        return "127.0.0.1"


@pytest.mark.parametrize(
    "host, names", [("fd00::5", ["[fd00::5]"]), ("192.0.2.5", ["192.0.2.5"]), ("::", []), ("0.0.0.0", [])]
)
def test_an_address_that_is_listened_on_is_a_name_of_the_application(host: str, names: list[str]) -> None:
    assert host_names(host) == names


def test_behind_a_proxy_cookies_need_tls_and_addresses_are_the_browsers(
    places: list[str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "configurator", *places, "--listen", f"{_loopback()}:0", "--https"]
    command += ["--host", "cti.example.com"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **USER})
    assert process.stdout is not None
    with process:
        port = int(process.stdout.readline().rpartition(":")[2].strip(" /\n"))
        sent = {"Host": "cti.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        with closing(http.client.HTTPConnection(_loopback().strip("[]"), port, timeout=PATIENCE)) as proxy:
            proxy.request("GET", "/login/", headers=sent)
            answer = proxy.getresponse()
            token = first_group('csrfmiddlewaretoken" value="([^"]+)', answer.read().decode())
            cookie = answer.headers["Set-Cookie"]
        statuses = []
        for origin in ("https://evil.example", "https://cti.example.com"):
            form = {"csrfmiddlewaretoken": token, "username": "root", "password": "correct-horse-9"}
            more = {
                "Cookie": cookie.partition(";")[0].strip(),
                "Origin": origin,
                "Referer": f"{origin}/login/",
            }
            more["Content-Type"] = "application/x-www-form-urlencoded"
            with closing(
                http.client.HTTPConnection(_loopback().strip("[]"), port, timeout=PATIENCE)
            ) as proxy:
                proxy.request("POST", "/login/", urllib.parse.urlencode(form), {**sent, **more})
                statuses.append(proxy.getresponse().status)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert "Secure" in cookie
    assert statuses == [403, 302]
    with closing(sqlite3.connect(tmp_path / "data" / "managers.sqlite")) as database:
        query = "SELECT address FROM configurator_auditentry WHERE action = 'login'"
        assert database.execute(query).fetchall() == [("203.0.113.9",)]


def test_mail_settings_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    assert mail_settings.read_mail_settings(tmp_path / "none.ini")["EMAIL_HOST"] == ""
    with pytest.raises(mail_settings.MailSettingsError, match="Is a directory"):
        mail_settings.read_mail_settings(tmp_path)


@pytest.mark.parametrize("port", ["0", "70000", "-1", "smtp", "٢٥", "1" * 5000])
def test_a_mail_port_that_is_none_is_named_with_what_is_allowed(tmp_path: Path, port: str) -> None:
    file = tmp_path / "configurator.ini"
    file.write_text(f"[mail]\nhost = smtp.example\nport = {port}\n", encoding="utf-8")
    with pytest.raises(mail_settings.MailSettingsError, match="port is a number from 1 to 65535") as raised:
        mail_settings.read_mail_settings(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert len(str(raised.value)) < 300


def test_the_secret_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    data = tmp_path / "data"
    data.mkdir()
    (data / f".secret-key.{os.getpid()}").symlink_to(precious)
    options.Options(data).secret_key()
    assert precious.read_text() == "mine"
    assert (data / "secret-key").stat().st_mode & 0o077 == 0


def test_a_secret_key_that_could_not_be_written_is_made_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    chosen = options.Options(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(os, "fdopen", disk_is_full)
        with pytest.raises(OSError, match="No space"):
            chosen.secret_key()
    assert list(tmp_path.iterdir()) == []
    assert len(chosen.secret_key()) > 50
