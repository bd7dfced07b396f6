"""The packages at a site: a fresh Debian 12 gets them, runs and updates them, and is rid of them again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.xml_form import dump_xml
from schemas.version import VERSION
from tests import needed
from tests.client.ui.tools.desktop import Desktop, missing
from tests.fake.patience import until
from tests.fake.ports import free_port
from tests.fake.running_server import MAC, ONE_SEAT, PHONE, SeatClient
from tests.packaging.conftest import NAMES, PREVIOUS, ROOT, Packages
from tests.packaging.debian_root import DebianRoot, fresh_root, run

pytestmark = [pytest.mark.install, pytest.mark.timeout(1800)]
OF_APT = ("var/cache/", "var/lib/apt/", "var/lib/dpkg/", "var/log/")
"""What apt and dpkg write down of what they did."""
OF_OTHERS = {"etc/gshadow-", "etc/shadow-", "run/adduser", "tmp/.ICE-unix", "tmp/.X11-unix"}
"""What adduser and x11-common leave, wherever they were."""


def put_into(root: DebianRoot, packages: Packages, names: tuple[str, ...] = NAMES) -> list[str]:
    """The packages in a folder of the root; the words that apt takes for them."""
    place = root.path / "srv" / packages.folder.name
    place.mkdir(exist_ok=True)
    for name in names:
        (place / packages[name].name).write_bytes(packages[name].read_bytes())
    return [f"/srv/{packages.folder.name}/{packages[name].name}" for name in names]


@pytest.fixture(scope="module")
def installed(previous: Packages, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The layers of a Debian with the previous version of all three packages, just installed."""
    fresh = fresh_root()
    with DebianRoot(tmp_path_factory.mktemp("installed"), [fresh]) as root:
        # Init scripts are run as on a machine that has started by them.
        allowing = root.path / "usr/sbin/policy-rc.d"
        allowing.write_text("#!/bin/sh\nexit 104\n")
        allowing.chmod(0o755)
        root.apt("install", *put_into(root, previous))
    return [root.changes, fresh]


@pytest.fixture
def site(installed: list[Path], tmp_path: Path) -> Iterator[DebianRoot]:
    with DebianRoot(tmp_path / "site", installed) as root:
        yield root


def start_server(site: DebianRoot, pbx: DemoPbx) -> int:
    """The server of the package with this PBX, started by its init script; its port."""
    port = free_port()
    settings = site.path / "etc/astcti/server.xml"
    text = settings.read_text()
    for before, after in (
        ('port="5038"', f'port="{pbx.address[1]}"'),
        ('secret="change-this-secret"', 'secret="astcti"'),
        ('address="127.0.0.1" port="5000"', f'address="127.0.0.1" port="{port}"'),
        # However long apt takes.
        ('keep-alive="60" grace="10"', 'keep-alive="3600" grace="3600"'),
        ('leftover-grace="60"', 'leftover-grace="3600"'),
    ):
        assert before in text
        text = text.replace(before, after)
    settings.write_text(text)
    (site.path / "etc/astcti/configuration.xml").write_bytes(dump_xml(ONE_SEAT))
    assert "In force" in site.run("astcti-server", "check")
    assert "started" in site.run("/etc/init.d/astcti-server", "start")
    return port


def members(pbx: DemoPbx) -> set[str]:
    return pbx.do(lambda engine: set(engine.queues.by_name["astcti"].members))


def version(site: DebianRoot, name: str = "server") -> str:
    return site.run("dpkg-query", "--show", "--showformat=${Version}", f"asteriskcti-{name}")


def mode(site: DebianRoot, path: str) -> str:
    return site.run("stat", "-c", "%a %U %G", path).strip()


def test_the_installation_makes_users_and_starts_nothing(site: DebianRoot) -> None:
    assert mode(site, "/etc/astcti") == "3770 root astcti"
    assert mode(site, "/etc/astcti/server.xml") == "640 root astcti"
    assert mode(site, "/var/lib/astcti") == "750 astcti astcti"
    assert mode(site, "/var/lib/astcti-configurator") == "750 astcti-configurator astcti-configurator"
    assert site.run("id", "-nG", "astcti-configurator").split() == ["astcti-configurator", "astcti"]
    users = (site.path / "etc/passwd").read_text().splitlines()
    shells = [line.rpartition(":")[2] for line in users if "astcti" in line]
    assert shells == ["/usr/sbin/nologin"] * 2
    site.apt("install", "logrotate")
    for name in ("server", "configurator"):
        assert "is not running" in site.run(f"/etc/init.d/astcti-{name}", "status", code=3)
        assert site.run("logrotate", "--debug", f"/etc/logrotate.d/astcti-{name}")
        enabled = site.path / f"etc/systemd/system/multi-user.target.wants/astcti-{name}.service"
        assert enabled.is_symlink(), "it starts with the machine"
    for program in ("astcti-server", "astcti-configurator", "astcti-client"):
        assert "0.1.0" in site.run(program, "--version")
        assert list((site.path / "usr/share/man").glob(f"man?/{program}.?.gz"))
        assert (site.path / f"usr/share/bash-completion/completions/{program}").is_file()
        assert (site.path / f"usr/share/zsh/vendor-completions/_{program}").is_file()
    others = ("(", "-perm", "/022", "-o", "!", "-user", "root", ")", "!", "-type", "l")
    assert site.run("find", "/usr/lib/astcti", *others) == ""


def test_a_call_pops_up_at_a_client_with_the_systems_settings(site: DebianRoot) -> None:
    with DemoPbx(interval=1.0) as pbx:
        port = start_server(site, pbx)
        locked = f'[locked]\nhost = "127.0.0.1"\nport = {port}\nmac = "{MAC}"\n'
        (site.path / "etc/xdg/astcti/client.toml").write_text(locked)
        words = ("--headless", "--no-triggers", "--port", "1", "--user", "mario")
        environ = {**site.environ, "HOME": "/tmp", "ASTCTI_CLIENT_PASSWORD": "secret"}
        heard = []
        with subprocess.Popen(
            site.command("astcti-client", *words, user="nobody"),
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        ) as client:
            assert client.stdout
            for line in client.stdout:
                heard.append(line)
                if line.startswith("<- Link: "):
                    break
            client.terminate()
            client.stdout.read()
    assert heard[-1].startswith(f"<- Link: {PHONE}"), "".join(heard)


def test_an_update_keeps_members_and_configuration_and_so_does_the_way_back(
    site: DebianRoot, packages: Packages, previous: Packages
) -> None:
    etc = site.path / "etc"
    left: list[str] = []
    with DemoPbx() as pbx:
        port = start_server(site, pbx)
        with SeatClient(port, "mario", "secret") as mario:
            mario.expect("200 astcti")
        pbx.do(lambda engine: engine.listeners.append(lambda event: left.append(event.name)))
        (etc / "default/astcti-server").write_text('OPTIONS="--log-level debug"\n')
        (etc / "xdg/astcti/client.toml").write_text('host = "cti.example"\n')
        (etc / "xdg/autostart/astcti-client.desktop").unlink()
        changed = (
            "astcti/server.xml",
            "astcti/configuration.xml",
            "default/astcti-server",
            "xdg/astcti/client.toml",
        )
        ours = {name: (etc / name).read_bytes() for name in changed}
        pid = site.path / "run/astcti/astcti-server.pid"
        for wanted, words in ((packages, ()), (previous, ("--allow-downgrades",))):
            before = pid.read_text()
            said = site.apt("install", *words, *put_into(site, wanted))
            assert pid.read_text() != before, said
            assert {name: (etc / name).read_bytes() for name in changed} == ours
            assert not (etc / "xdg/autostart/astcti-client.desktop").exists()
            assert members(pbx) == {PHONE}
            with SeatClient(port, "mario", "secret") as mario:  # within the grace of a lost client
                mario.expect("200 astcti")
        assert version(site) == PREVIOUS
        assert "QueueMemberRemoved" not in left


def test_systemd_is_asked_to_restart_what_runs_and_to_stop_what_goes(
    site: DebianRoot, packages: Packages
) -> None:
    (site.path / "run/systemd/system").mkdir(parents=True)
    asked = site.path / "asked"
    program = site.path / "usr/bin/systemctl"
    program.write_text('#!/bin/sh\necho "$@" >>/asked\n')
    program.chmod(0o755)
    names = ("server", "configurator")
    units = [f"astcti-{name}.service" for name in names]
    site.apt("install", *put_into(site, packages, names))
    words = asked.read_text().splitlines()
    assert "--system daemon-reload" in words
    for unit in units:
        assert [line for line in words if line.endswith(f"try-restart {unit}")], words
    asked.unlink()
    site.apt("remove", *(f"asteriskcti-{name}" for name in names))
    for unit in units:
        assert [line for line in asked.read_text().splitlines() if line.endswith(f"stop {unit}")]


def test_removed_they_keep_the_configuration_and_purged_they_leave_nothing(site: DebianRoot) -> None:
    names = [f"asteriskcti-{name}" for name in NAMES]
    with DemoPbx() as pbx:
        port = start_server(site, pbx)
        first = {"ASTCTI_CONFIGURATOR_USER": "root", "ASTCTI_CONFIGURATOR_PASSWORD": "correct horse battery"}
        user = "astcti-configurator:astcti-configurator"
        run(*site.command("astcti-configurator", "first-user", user=user), environ={**site.environ, **first})
        with SeatClient(port, "mario", "secret") as mario:
            mario.expect("200 astcti")
            site.apt("remove", *names)
            assert mario.expect("910 BYE SHUTDOWN")
        assert members(pbx) == set()
    assert (site.path / "etc/astcti/configuration.xml").is_file()
    assert not (site.path / "usr/lib/astcti").exists()
    site.apt("purge", *names)
    site.apt("autoremove", "--purge")
    (site.path / "usr/sbin/policy-rc.d").unlink()
    shutil.rmtree(site.path / "srv")
    with DebianRoot(site.path.parent / "fresh", [fresh_root()]) as fresh:
        left = {path for path in site.files() - fresh.files() if not path.startswith(OF_APT)}
        assert left <= OF_OTHERS
        for file in ("passwd", "group", "shadow"):
            assert "astcti" not in (site.path / "etc" / file).read_text()


def test_the_client_opens_its_window_and_gets_the_links(site: DebianRoot, tmp_path: Path) -> None:
    if lacking := missing():
        needed.lacking(f"no window can be opened here, missing: {', '.join(lacking)}")
    desktop = Desktop(tmp_path)
    try:
        environ = {**site.environ, "HOME": "/tmp", "LANG": "it_IT.UTF-8", "DISPLAY": desktop.display}
        del environ["LC_ALL"]
        with subprocess.Popen(
            site.command("astcti-client-window", user="nobody"),
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        ) as client:
            until(
                lambda: (
                    client.poll() is not None or desktop.do("search", "--onlyvisible", "--name", "Accesso")
                )
            )
            until(
                lambda: (
                    client.poll() is not None or desktop.do("search", "--classname", "astctiSystemTrayIcon")
                )
            )
            client.terminate()
            assert client.stderr
            said = client.stderr.read()
        assert client.returncode == 0, said
    finally:
        desktop.close()
    applications = site.path / "usr/share/applications"
    for file in (
        *applications.glob("*astcti*.desktop"),
        site.path / "etc/xdg/autostart/astcti-client.desktop",
    ):
        assert run("desktop-file-validate", str(file)) == ""
    metainfo = site.path / "usr/share/metainfo/org.asteriskcti.client.metainfo.xml"
    run("appstreamcli", "validate", "--no-net", str(metainfo))
    run("update-desktop-database", str(applications))
    assert "x-scheme-handler/tel=astcti-client.desktop;" in (applications / "mimeinfo.cache").read_text()


def test_lintian_finds_nothing_and_what_it_overlooks_has_a_reason(packages: Packages) -> None:
    # Root is not what it likes to be run by, and says so.
    words = ("--no-cfg", "--tag-display-limit=0", "--fail-on=error,warning", "--allow-root")
    said = run("lintian", *words, *(str(packages[name]) for name in NAMES))
    assert not [line for line in said.splitlines() if line.startswith(("E:", "W:"))]
    for file in (ROOT / "packaging/debian").glob("*.lintian-overrides"):
        reason = ""
        for line in file.read_text().splitlines():
            reason = line if line.startswith("#") else reason
            assert reason, f"{file.name}: {line}"


def test_two_builds_of_the_same_sources_are_the_same_bytes(
    packages: Packages, builder: Callable[..., Packages]
) -> None:
    again = builder(0o077, TZ="Pacific/Auckland", LANG="it_IT.UTF-8", PYTHONHASHSEED="7")
    sums = (packages.folder / "SHA256SUMS").read_text()
    assert (again.folder / "SHA256SUMS").read_text() == sums
    kinds = [line.rpartition(".")[2] for line in sums.splitlines()]
    assert sorted(kinds) == ["deb"] * 3 + ["gz"] + ["json"] * 3 + ["whl"]
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=packages.folder)


def test_the_bills_of_materials_name_what_is_in_the_packages(packages: Packages, site: DebianRoot) -> None:
    for name in NAMES:
        bill = json.loads(next(packages.folder.glob(f"asteriskcti-{name}-*.cdx.json")).read_text())
        assert bill["bomFormat"] == "CycloneDX"
        assert bill["metadata"]["component"]["name"] == "asteriskcti"
        named = {(normal(part["name"]), part["version"]) for part in bill["components"]}
        folder = next((site.path / f"usr/lib/astcti/{name}/lib").glob("python3*/site-packages"))
        inside = {
            tuple(path.name.removesuffix(".dist-info").rsplit("-", 1)) for path in folder.glob("*.dist-info")
        }
        assert named == {(normal(part), number) for part, number in inside} - {("asteriskcti", VERSION)}
        assert all(part["licenses"] for part in bill["components"])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
