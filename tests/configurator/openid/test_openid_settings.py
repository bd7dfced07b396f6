"""The section [openid] of configurator.ini, and the file of the client's secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from configurator.database import backup
from configurator.mail_settings import MailSettingsError
from configurator.openid.openid_settings import OpenIdSettings, is_safe_address, read_openid_settings
from configurator.options import Options, current_options
from tests.configurator.conftest import first_group
from tests.configurator.openid.conftest import write_settings
from tests.fake.patience import PATIENCE

ISSUER = "https://sso.example.com/realms/office"


def read(data: Path) -> OpenIdSettings | None:
    return read_openid_settings(data / "configurator.ini", installed=True)


def test_the_section_is_read_with_its_defaults(tmp_path: Path) -> None:
    write_settings(tmp_path, ISSUER)
    found = read(tmp_path)
    assert found is not None
    assert (found.issuer, found.client_secret) == (ISSUER, "client-secret-of-tests")
    assert (found.scopes, found.user_claim, found.role_claim, found.algorithm) == (
        "openid profile email",
        "preferred_username",
        "roles",
        "RS256",
    )
    assert found.local_login == {"administrator"}
    assert found.roles[1] == ("supervisor", {"cti-supervisors", "cti-leads"})
    assert "client-secret-of-tests" not in repr(found)


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "configurator.md").read_text(encoding="utf-8")
    write_settings(tmp_path, ISSUER)
    example = first_group(r"```ini\n(\[openid\].*?)```", page)
    (tmp_path / "configurator.ini").write_text(example)
    found = read(tmp_path)
    assert found is not None and (found.issuer, found.name) == (ISSUER, "Example account")
    assert found.roles[2] == ("viewer", {"cti-viewers"})


def test_without_the_section_or_its_packages(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    write_settings(tmp_path, ISSUER)
    with pytest.raises(MailSettingsError, match=re.escape("asteriskcti[openid]")):
        read_openid_settings(tmp_path / "configurator.ini", installed=False)


def test_without_the_section_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from configurator.commands.data_directory import set_up;"
        "from configurator.options import Options; set_up(Options(Path(sys.argv[1])));"
        "from django.test import Client; Client().get('/login/', headers={'Host': 'localhost'});"
        "print(sorted({'requests', 'jwt', 'cryptography', 'mozilla_django_oidc'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert said.stdout == "[]\n"


@pytest.mark.parametrize(
    "more, words",
    [
        ("client-secret = abc", "there is no setting 'client-secret'"),
        ("issuer = http://sso.example.com", "https://"),
        ("issuer =", "issuer is missing"),
        ("client-id =", "client-id is missing"),
        ("algorithm = HS256", "algorithm is RS256"),
        ("algorithm = none", "algorithm is RS256"),
        ("local-login = some", "nobody, administrators or everybody, not 'some'"),
        ("scopes = profile", "scopes has to have openid"),
        ("viewers = cti-admins", "cannot mean both administrator and viewer"),
        ("administrators =\nsupervisors =", "name the values that mean a role"),
        ("ca-file = none.pem", "there is no file"),
        ("client-secret-file = none", "No such file"),
        ("client-secret-file = /dev/zero", "is no file"),
        ("client-secret-file = empty", "is empty"),
    ],
)
def test_what_makes_no_sense_is_named_with_what_is_allowed(tmp_path: Path, more: str, words: str) -> None:
    write_settings(tmp_path, ISSUER)
    (tmp_path / "empty").touch(mode=0o600)
    keys = {line.partition(" ")[0] for line in more.splitlines()}
    lines = (tmp_path / "configurator.ini").read_text().splitlines()
    kept = [line for line in lines if line.partition(" ")[0] not in keys]
    (tmp_path / "configurator.ini").write_text("\n".join([*kept, more]))
    with pytest.raises(MailSettingsError, match=re.escape(words)):
        read(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_secret_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    write_settings(tmp_path, ISSUER)
    (tmp_path / "openid-secret").chmod(mode)
    with pytest.raises(MailSettingsError, match=rf"mode {mode:o}.*chmod 600"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
def test_a_pipe_in_place_of_the_secret_is_refused_at_once(tmp_path: Path) -> None:
    write_settings(tmp_path, ISSUER)
    (tmp_path / "openid-secret").unlink()
    os.mkfifo(tmp_path / "openid-secret", 0o600)
    with pytest.raises(MailSettingsError, match="is no file"):
        read(tmp_path)


@pytest.mark.parametrize(
    "address, safe",
    [
        ("https://sso.example.com/x", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("http://sso.example.com", False),
        ("http://localhost.evil.example", False),
        ("ftp://localhost", False),
        ("https://", False),
        ("https://[x", False),
        ("", False),
    ],
)
def test_secrets_go_to_https_addresses_or_this_machine(address: str, safe: bool) -> None:
    assert is_safe_address(address) is safe


def test_the_secret_is_in_the_backup(demo: object, tmp_path: Path) -> None:
    chosen: Options = current_options()
    secret = chosen.data / "openid-secret"
    secret.touch(mode=0o600)
    try:
        secret.write_text("s3cret")
        backup.write_backup(chosen, tmp_path / "all.zip")
        secret.unlink()
        with backup.unpacked(chosen, tmp_path / "all.zip") as folder:
            assert backup.put_back(chosen, folder) is True
        assert secret.read_text() == "s3cret" and secret.stat().st_mode & 0o077 == 0
    finally:
        secret.unlink()
