"""What `check` warns of, and what it says would change."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from astcti_server.cli.program import main
from astcti_server.config.checking import check_directory
from astcti_server.config.differences import differences
from astcti_server.config.loading import load_directory
from astcti_server.config.memory import ConfigMemory
from astcti_server.process.own_user import owner_of_running_server
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.configuration.xml_form import dump_xml
from schemas.server.file_checks import expiring_authority, expiring_certificate, open_to_others
from schemas.server.status_age import OLD_AFTER, iso_time
from tests.fake.certificates import make_certificate
from tests.fake.patience import PATIENCE

HASH = "md5:" + "0" * 32
SEAT = Seat("00:11:22:33:44:55", "PJSIP/201", "PJSIP/201")
DEMO = Service("Demo", "demo", "inbound", True, "astcti", operators=(Binding("anna", 1), Binding("mario")))
OLD = Configuration(
    (DEMO,),
    (SEAT,),
    (
        Operator("anna", "Anna", HASH, SEAT.mac),
        Operator("luisa", "Luisa", HASH),
        Operator("mario", "Mario", HASH),
    ),
    ("Lunch",),
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A configuration directory as it is installed: nobody else comes into it."""
    directory = tmp_path / "astcti"
    directory.mkdir()
    directory.chmod(0o750)
    (directory / "server.xml").write_text('<server><ami username="astcti" secret="s"/></server>')
    (directory / "a.xml").write_bytes(dump_xml(OLD))
    return directory


@pytest.fixture
def run(directory: Path, tmp_path: Path) -> Callable[..., Result]:
    """Run `check` on the directory."""

    def run(*arguments: str) -> Result:
        before = ["--state", str(tmp_path / "state"), "--status", str(tmp_path / "status.json")]
        return CliRunner().invoke(main, [*before, "--config", str(directory), "check", *arguments])

    return run


def warnings(ended: Result) -> list[str]:
    assert ended.exit_code == 0
    return [line for line in ended.output.splitlines() if line.endswith("(warning)")]


def certificate(folder: Path, days: int = 2, *more: str) -> tuple[Path, Path]:
    """Make a certificate that ends in so many days, and its key."""
    return make_certificate(folder, "a", *more, days=days)


def remember(directory: Path, state: Path) -> None:
    """What is in force is remembered, as by a server."""
    state.mkdir()
    ConfigMemory(state).keep(load_directory(directory))


def test_an_installed_directory_has_no_warning(run) -> None:
    assert warnings(run()) == []


@pytest.mark.parametrize(
    ("attributes", "warned"),
    [
        ('host="10.0.0.5"', True),
        ('host="pbx.example.org"', True),
        ('host="10.0.0.5" tls="yes"', False),
        ('host="127.0.0.2"', False),
        ('host="::1"', False),
        ('host="LocalHost."', False),
    ],
)
def test_asterisk_on_another_machine_without_tls_is_warned_of(
    run, directory: Path, attributes: str, warned: bool
) -> None:
    (directory / "server.xml").write_text(f'<server>\n<ami username="a" secret="s" {attributes}/></server>')
    found = warnings(run())
    assert len(found) == warned
    if warned:
        assert "server.xml:2: Asterisk at" in found[0] and 'tls="yes"' in found[0]


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every user of this machine comes into, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_files_with_secrets_that_others_can_read_or_change_are_warned_of(public: Path) -> None:
    (public / "server.xml").write_text(
        '<server>\n<ami username="a" secret-file="secret"/>\n'
        '<listen certificate="a.crt" key="a.key"/></server>'
    )
    certificate(public, 300)
    (public / "secret").write_text("s")
    (public / "a.xml").write_bytes(dump_xml(OLD))
    modes = {"secret": 0o644, "a.key": 0o604, "a.xml": 0o666, "a.crt": 0o644, "server.xml": 0o644}
    for name, mode in modes.items():
        (public / name).chmod(mode)
    found = [str(warning) for warning in check_directory(public).warnings]
    assert len(found) == 3
    assert "server.xml:2: every user of this machine can read" in found[0] and "/secret," in found[0]
    assert "server.xml:3: every user of this machine can read" in found[1] and "/a.key," in found[1]
    assert "a.xml:0: every user of this machine can change" in found[2]
    for name in ("secret", "a.key", "a.xml"):
        (public / name).chmod(0o640)
    assert check_directory(public).warnings == ()


def test_a_file_behind_a_closed_directory_is_open_to_nobody(public: Path) -> None:
    closed = public / "closed"
    closed.mkdir(mode=0o755)
    file, link = closed / "file", public / "link"
    file.write_text("")
    file.chmod(0o644)
    link.symlink_to(file)
    assert open_to_others(file, "a secret") and open_to_others(link, "a secret")
    closed.chmod(0o750)
    assert not open_to_others(file, "a secret") and not open_to_others(link, "a secret")


@pytest.mark.parametrize(("days", "warned"), [(2, True), (29, True), (40, False)])
def test_a_certificate_that_ends_within_thirty_days_is_warned_of(
    run, directory: Path, days: int, warned: bool
) -> None:
    certificate(directory, days)
    (directory / "server.xml").write_text(
        '<server><ami username="a" secret="s" host="pbx" tls="yes" ca-file="a.crt"/>'
        '<listen certificate="a.crt" key="a.key"/></server>'
    )
    found = warnings(run())
    assert len(found) == 2 * warned
    assert all("a.crt expires on" in line and "renew it" in line for line in found)


def test_a_certificate_is_judged_by_the_clock_and_what_is_none_says_nothing(tmp_path: Path) -> None:
    made, key = certificate(tmp_path, 40)
    later = made.stat().st_mtime + 41 * 86400
    assert "expired on" in expiring_certificate(made, key, lambda: later)
    assert "expired on" in expiring_authority(made, lambda: later)
    assert expiring_certificate(key, made) == expiring_authority(key) == ""
    assert expiring_certificate(tmp_path / "none", key) == expiring_authority(tmp_path / "none") == ""
    leaf, leaf_key = certificate(tmp_path, 5, "-addext", "basicConstraints=critical,CA:FALSE")
    assert "expires on" in expiring_certificate(leaf, leaf_key)


def test_a_certificate_that_is_not_valid_yet_says_so(tmp_path: Path) -> None:
    made, key = certificate(tmp_path, 40)
    earlier = made.stat().st_mtime - 86400
    assert "is not valid before" in expiring_certificate(made, key, lambda: earlier)
    assert "is not valid before" in expiring_authority(made, lambda: earlier)


def test_a_certificate_that_has_expired_says_so(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    command = f"openssl x509 -in {made} -signkey {key} -days -1 -out {tmp_path / 'old.crt'}"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=PATIENCE)
    assert "expired on" in expiring_certificate(tmp_path / "old.crt", key)
    assert "expired on" in expiring_authority(tmp_path / "old.crt")


def server_xml(directory: Path, certificate: str, key: str, authority: str = "a.crt") -> None:
    (directory / "server.xml").write_text(
        f'<server>\n<ami username="a" secret="s" host="pbx" tls="yes" ca-file="{authority}"/>\n'
        f'<listen certificate="{certificate}" key="{key}"/>\n</server>'
    )


def test_a_certificate_that_is_of_another_key_is_a_mistake(run, directory: Path) -> None:
    certificate(directory, 90)
    (directory / "a.key").rename(directory / "old.key")
    certificate(directory, 90)
    server_xml(directory, "a.crt", "old.key")
    ended = run()
    assert ended.exit_code == 78
    assert f"server.xml:3: {directory}/a.crt and {directory}/old.key cannot be used together" in ended.output


@pytest.mark.parametrize("name", ["a.crt", "a.key"])
def test_a_file_that_is_no_certificate_or_key_is_a_mistake(run, directory: Path, name: str) -> None:
    certificate(directory, 90)
    (directory / name).write_text("rubbish")
    server_xml(directory, "a.crt", "a.key")
    ended = run()
    assert ended.exit_code == 78
    assert f"server.xml:3: {directory}/a.crt and {directory}/a.key cannot be used together" in ended.output
    no_authority = f"server.xml:2: {directory}/a.crt has no certificate to check others with" in ended.output
    assert no_authority == (name == "a.crt")


def test_a_key_with_a_password_is_a_mistake(run, directory: Path) -> None:
    _, key = certificate(directory, 90)
    command = f"openssl ec -in {key} -aes128 -passout pass:secret -out {directory / 'locked.key'}"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=PATIENCE)
    server_xml(directory, "a.crt", "locked.key")
    ended = run()
    assert ended.exit_code == 78
    assert f"server.xml:3: the key {directory}/locked.key is protected by a password" in ended.output


def test_a_running_server_that_is_root_is_warned_of(run, tmp_path: Path) -> None:
    status = tmp_path / "status.json"
    assert owner_of_running_server(status) is None
    status.write_text(json.dumps({"pid": os.getpid(), "written": iso_time(time.time())}))
    assert owner_of_running_server(status) == (os.getpid(), os.getuid())
    assert len(warnings(run())) == (os.getuid() == 0)
    nobodys = 2**22 + 1  # Linux has no higher ones
    status.write_text(json.dumps({"pid": nobodys, "written": iso_time(time.time())}))
    assert warnings(run()) == []
    # Its server was killed: by now the process is another program.
    status.write_text(json.dumps({"pid": os.getpid(), "written": iso_time(time.time() - OLD_AFTER - 1)}))
    assert warnings(run()) == []


def test_check_says_which_file_would_be_held_and_which_is_in_force(
    run, directory: Path, tmp_path: Path
) -> None:
    remember(directory, tmp_path / "state")
    (directory / "b.xml").write_bytes(dump_xml(Configuration()))
    ended = run()
    found = warnings(ended)
    assert len(found) == 1
    assert "b.xml:0: it is held" in found[0] and "3 of 3 operators" in found[0]
    assert ended.output.splitlines()[-1] == f"In force: {directory / 'a.xml'}"


def test_the_differences_are_told_by_name(run, directory: Path, tmp_path: Path) -> None:
    remember(directory, tmp_path / "state")
    assert run("--diff").output.splitlines()[-1].endswith("a.xml, which is in force: nothing changes")
    service = replace(DEMO, enabled=False, operators=(Binding("anna", 2), Binding("luisa")))
    new = Configuration(
        (service, Service("New", "new", "outbound")),
        (replace(SEAT, extension="PJSIP/202", queue_interface="PJSIP/202"),),
        (
            OLD.operators[0],
            replace(OLD.operators[1], password="md5:" + "1" * 32),
            Operator("zoe", "Zoe", HASH),
        ),
    )
    (directory / "b.xml").write_bytes(dump_xml(new))
    ended = run("--diff")
    lines = ended.output.splitlines()
    at = lines.index("b.xml compared with a.xml, which is in force:")
    assert lines[at + 1 :] == [
        "  operators added (1): zoe",
        "  operators removed (1): mario",
        "  operators changed (1): luisa [password]",
        "  seats changed (1): PJSIP/202 (00:11:22:33:44:55) [extension: PJSIP/201 -> PJSIP/202, "
        "queue-interface: PJSIP/201 -> PJSIP/202]",
        "  services added (1): New (new)",
        "  services changed (1): Demo (demo, queue astcti) [enabled: no]",
        "  members of Demo added (1): luisa",
        "  members of Demo removed (1): mario",
        "  members of Demo changed (1): anna [penalty: 1 -> 2]",
        "  pause reasons removed (1): Lunch",
        "  sent away if logged in (1): mario",
        "  have to log in again if logged in (2): anna, luisa",
    ]
    assert HASH not in ended.output


def test_new_keys_for_scram_are_named_and_not_shown() -> None:
    keys = ["200000:c2FsdA==:b25l:dHdv", "200000:c2FsdA==:dGhyZWU=:Zm91cg=="]
    old, new = (Configuration(operators=(Operator("anna", "Anna", HASH, scram=key),)) for key in keys)
    assert differences(old, new) == ["operators changed (1): anna [scram]"]


def test_a_long_list_of_names_is_cut() -> None:
    many = Configuration(operators=tuple(Operator(f"user{number}", "Name", HASH) for number in range(214)))
    line = differences(many, Configuration())[0]
    assert line.startswith("operators removed (214): user0, user1, ") and line.endswith("user19 and 194 more")


def test_without_a_memory_there_is_nothing_to_compare_with(run) -> None:
    ended = run("--diff")
    assert ended.exit_code == 0
    assert "Nothing to compare with" in ended.output


def test_a_held_file_is_compared_though_it_is_not_in_force(run, directory: Path, tmp_path: Path) -> None:
    remember(directory, tmp_path / "state")
    (directory / "b.xml").write_bytes(
        dump_xml(Configuration(), sha256((directory / "a.xml").read_bytes()).hexdigest())
    )
    ended = run("--diff")
    assert warnings(ended) == []  # it says which one it replaces
    assert "  operators removed (3): anna, luisa, mario" in ended.output
    assert f"In force: {directory / 'b.xml'}" in ended.output
