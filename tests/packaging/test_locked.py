"""What packages are built with is what setup.cfg wants, in exact versions with hashes."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKED = ROOT / "packaging/locked"
RENEWED = re.compile(
    r"\$\(LOCK\)((?: --extra [a-z-]+)+) setup\.cfg --output-file packaging/locked/([a-z]+)\.txt"
)
EXTRAS = {
    name: re.findall(r"--extra (\S+)", extras)
    for extras, name in RENEWED.findall((ROOT / "Makefile").read_text())
}
"""By the name of the lock, as `make lock` makes it."""


def locked(name: str) -> dict[str, str]:
    """The version of each library."""
    text = (LOCKED / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))


def wanted(extras: list[str]) -> list[Requirement]:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg")
    lines = "\n".join(settings["options.extras_require"][extra] for extra in extras).splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_each_package_has_its_lock() -> None:
    assert sorted(EXTRAS) == ["client", "configurator", "server"]
    assert {path.stem for path in LOCKED.glob("*.txt")} == {*EXTRAS, "build"}


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_what_is_locked_is_what_the_setup_wants(name: str) -> None:
    versions = locked(name)
    for requirement in wanted(EXTRAS[name]):
        version = versions.get(requirement.name.lower().replace("_", "-"))
        assert version is not None, f"{requirement}: make lock"
        assert version in requirement.specifier, f"{requirement}: make lock"


@pytest.mark.parametrize("name", [*sorted(EXTRAS), "build"])
def test_everything_locked_has_a_hash(name: str) -> None:
    text = (LOCKED / f"{name}.txt").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.search(r"^\S+==\S+", entry) and "--hash=sha256:" in entry, entry
