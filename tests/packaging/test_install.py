"""The distribution as users get it: a wheel in an empty environment, run from anywhere; `make install`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.install, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("schemas", "astcti_server", "astcti_client", "configurator")


def run(*command: object, cwd: Path, code: int = 0, text: str = "", umask: int = -1) -> str:
    """Run a program outside of the checkout, with nothing of this environment; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        umask=umask,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def checkout(folder: Path) -> Path:
    """A copy of what is tracked here, in a folder of this one."""
    source = folder / "source"
    tracked = run("git", "-C", ROOT, "ls-files", "-z", cwd=folder).split("\0")
    for name in filter(None, tracked):
        target = source / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return source


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = checkout(folder)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the server's extra."""
    folder = tmp_path_factory.mktemp("server")
    venv.create(folder, with_pip=True)
    run(folder / "bin/pip", "install", "--quiet", f"{wheel}[server]", cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def seat(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the client's extra."""
    folder = tmp_path_factory.mktemp("seat")
    venv.create(folder, with_pip=True)
    run(folder / "bin/pip", "install", "--quiet", f"{wheel}[client]", cwd=folder)
    return folder / "bin"


def test_wheel_holds_schemas_samples_and_service_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {
        "schemas/configuration.xsd",
        "schemas/server.xsd",
        "schemas/event.xsd",
        "astcti_server/etc/astcti-server.service",
        "astcti_server/etc/astcti-server.init",
        "astcti_server/etc/sample/server.xml",
        "astcti_server/etc/sample/configuration.xml",
        "configurator/etc/astcti-configurator.service",
        "configurator/etc/astcti-configurator.init",
    }
    assert expected <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_every_file_of_the_packages_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = run("git", "-C", ROOT, "ls-files", "-z", *PACKAGES, cwd=ROOT).split("\0")
    assert names == {name for name in tracked if name and (ROOT / name).is_file()}


def test_everything_in_the_wheel_can_be_loaded(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = tmp_path_factory.mktemp("everything")
    venv.create(folder, with_pip=True)
    run(folder / "bin/pip", "install", "--quiet", f"{wheel}[server,metrics,client,configurator]", cwd=folder)
    script = ROOT / "tests/packaging/load_everything.py"
    assert run(folder / "bin/python", "-P", script, tmp_path / "data", cwd=tmp_path) == ""


def test_installed_server_checks_its_samples_and_makes_passwords(server: Path, tmp_path: Path) -> None:
    package = next(server.parent.glob("lib/python*/site-packages/astcti_server"))
    for sample in (package / "etc/sample").iterdir():
        (tmp_path / sample.name).write_bytes(sample.read_bytes())
    assert "In force" in run(server / "astcti-server", "check", "--config", tmp_path, cwd=tmp_path)
    assert run(server / "astcti-server", "hash-password", cwd=tmp_path, text="geheim\n").startswith("scrypt:")


def test_installed_server_replays_a_recording(server: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.xml").write_text(
        '<configuration><services/><seats><seat mac="00:11:22:33:44:55" extension="PJSIP/201"/></seats>'
        "<operators/></configuration>",
        encoding="utf-8",
    )
    recording = ROOT / "tests/fixtures/ami/22-queue-ringall.ami"
    command = (server / "astcti-server", "replay", "--events", "all", "--config", tmp_path, recording)
    lines = run(*command, cwd=tmp_path).splitlines()
    assert [line for line in lines if line.startswith('PJSIP/201\t<event id="Link"')]
    assert all(line.startswith("PJSIP/201\t<event ") for line in lines)


def test_seat_runs_the_client_without_the_servers_packages(seat: Path, tmp_path: Path) -> None:
    assert "--headless" in run(seat / "astcti-client", "--help", cwd=tmp_path)
    installed = run(seat / "pip", "list", cwd=tmp_path).lower()
    for foreign in ("lxml", "watchdog", "django"):
        assert foreign not in installed
    for program, extra, package in (
        ("astcti-server", "server", "lxml"),
        ("astcti-configurator", "configurator", "django"),
    ):
        said = run(seat / program, "--help", cwd=tmp_path, code=1)
        assert said.startswith(f"{program}: the package {package} is missing here: ")
        assert f"[{extra}]" in said


def test_make_install_puts_everything_in_place(tmp_path: Path) -> None:
    stage, source = tmp_path / "stage", checkout(tmp_path)
    left_over = source / "build/lib/astcti_server/gone.py"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    command = ("make", "-C", source, "install", f"DESTDIR={stage}", f"SYSTEM_PYTHON={sys.executable}")
    run(*command, cwd=tmp_path, umask=0o077)
    for name in (
        "etc/init.d/astcti-server",
        "etc/default/astcti-server",
        "etc/logrotate.d/astcti-server",
        "lib/systemd/system/astcti-server.service",
        "usr/share/doc/asteriskcti/examples/server.xml",
        "opt/astcti/bin/astcti-server",
        "usr/share/man/man8/astcti-server.8",
        "usr/share/man/man8/astcti-server-status.8",
        "usr/share/bash-completion/completions/astcti-server",
        "usr/share/zsh/vendor-completions/_astcti-server",
    ):
        assert (stage / name).is_file(), name
    assert not list((stage / "etc/astcti").iterdir())
    assert (stage / "usr/bin/astcti-server").readlink() == Path("/opt/astcti/bin/astcti-server")
    run("sh", "-n", stage / "etc/init.d/astcti-server", cwd=tmp_path)
    assert not (stage / "usr/bin/astcti-configurator").is_symlink()
    assert not list(stage.rglob("gone.py")), "what an earlier build left is not installed"
    assert not list(source.glob("*.egg-info")), "root leaves nothing in somebody's checkout"
    hidden = [path for path in (stage / "opt").rglob("*") if not path.stat().st_mode & 0o004]
    assert not hidden, "the server's user can read the program"


def test_make_install_puts_the_configurator_in_place_where_it_is_wanted(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    command = ("make", "-C", ROOT, "install", f"DESTDIR={stage}", f"SYSTEM_PYTHON={sys.executable}")
    run(*command, "COMPONENTS=server configurator", cwd=tmp_path)
    for name in (
        "etc/init.d/astcti-configurator",
        "etc/default/astcti-configurator",
        "etc/logrotate.d/astcti-configurator",
        "lib/systemd/system/astcti-configurator.service",
        "opt/astcti/bin/astcti-configurator",
        "opt/astcti/bin/django-admin",
        "usr/share/man/man8/astcti-configurator-publish.8",
        "usr/share/bash-completion/completions/astcti-configurator",
    ):
        assert (stage / name).is_file(), name
    assert (stage / "var/lib/astcti-configurator").is_dir()
    program = Path("/opt/astcti/bin/astcti-configurator")
    assert (stage / "usr/bin/astcti-configurator").readlink() == program
    run("sh", "-n", stage / "etc/init.d/astcti-configurator", cwd=tmp_path)
    (stage / "etc/astcti").chmod(0o3770)
    (stage / "etc/default/astcti-configurator").write_text('OPTIONS="--https"\n')
    (stage / "usr/bin/astcti-configurator").unlink()
    run(*command, cwd=tmp_path)  # an update without saying what is wanted
    assert (stage / "usr/bin/astcti-configurator").readlink() == program
    assert (stage / "etc/astcti").stat().st_mode & 0o7777 == 0o3770
    assert "--https" in (stage / "etc/default/astcti-configurator").read_text()
