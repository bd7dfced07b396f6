"""`make pythons`: the tests that need nothing but Python, on each version of it that is here.

Each `python3.N` on the PATH from 3.11 on that starts gets an environment of its own in build/pythons, which
is kept; the version of .venv is left out, since all tests run on it. The versions run at the same time. What
was not run is said. Ends with 1 if tests fail anywhere.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FOLDER: Final = ROOT / "build" / "pythons"
OWN: Final = sys.version_info.minor
OLDEST: Final = 11
NEWEST: Final = 15
"""3.N: the newest release. A later one runs too; that an earlier one is not here is told."""

# The parts of setup.cfg's extras that these tests need, and of `dev` what runs them.
EXTRAS: Final = ("server", "client", "metrics")
RUNNERS: Final = ("pytest", "hypothesis", "scramp")
TESTS: Final = (
    "tests/schemas",
    *(f"tests/server/{part}" for part in ("ami", "calls", "clients", "config", "queues")),
    "tests/client",
    "--ignore=tests/client/ui",
)


@dataclass(frozen=True)
class Python:
    """A version, 3.`minor`, that starts."""

    minor: int
    program: Path
    version: str


def programs(minor: int) -> list[Path]:
    """Where a version may be: on the PATH, or behind a shim of pyenv's, which starts only what is chosen."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = [folder / "bin" for folder in sorted(pyenv.glob(f"3.{minor}.*"), reverse=True)]
    return [
        path for folder in (*folders, *installed) if os.access(path := folder / f"python3.{minor}", os.X_OK)
    ]


def start(minor: int) -> Python | None:
    """The first that starts and has what a virtual environment takes."""
    code = "import ensurepip, ssl, sqlite3, venv, platform; print(platform.python_version())"
    for program in programs(minor):
        tried = subprocess.run(
            [program, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if tried.returncode == 0 and tried.stdout.startswith(f"3.{minor}."):
            return Python(minor, program, tried.stdout.strip())
    return None


def requirements() -> list[str]:
    """What pip is asked for: not the project itself, which these tests run from the checkout."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    extras = parser["options.extras_require"]
    lines = [line for extra in EXTRAS for line in extras[extra].split("\n") if line]
    return lines + [line for line in extras["dev"].split("\n") if line.startswith(RUNNERS)]


def run(python: Python) -> tuple[int, str]:
    """The exit code and the output of a version's tests."""
    environment = FOLDER / f"3.{python.minor}"
    pip = [f"{environment}/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    pytest = [f"{environment}/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    commands = [[*pip, *requirements()], pytest]
    if not (environment / "bin" / "pip").exists():
        commands.insert(0, [str(python.program), "-m", "venv", str(environment)])
    output = ""
    for command in commands:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output += done.stdout
        if done.returncode:
            return done.returncode, output
    return 0, output


def main() -> int:
    names = {
        name for folder in os.environ.get("PATH", "").split(os.pathsep) for name in names_in(Path(folder))
    }
    minors = sorted(names | set(range(OLDEST, NEWEST + 1)))
    wanted = [minor for minor in minors if minor >= OLDEST and minor != OWN]
    pythons = [python for minor in wanted if (python := start(minor))]
    began = time.monotonic()
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for python, (code, output) in zip(pythons, pool.map(run, pythons), strict=True):
            failed = failed or code != 0
            print(output if code else output.strip().rpartition("\n")[2])
            print(f"Python {python.version}: {'FAILED' if code else 'passed'} ({python.program})", flush=True)
    found = {python.minor for python in pythons}
    for minor in minors:
        if minor not in found:
            print(f"Python 3.{minor}: not run, {why_not(minor)}")
    print(f"{len(pythons)} other versions in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def names_in(folder: Path) -> set[int]:
    """The versions that a folder of the PATH has programs of."""
    found = (
        re.fullmatch(r"python3\.(\d+)", path.name) for path in (folder.iterdir() if folder.is_dir() else ())
    )
    return {int(match[1]) for match in found if match}


def why_not(minor: int) -> str:
    if minor < OLDEST:
        return f"older than 3.{OLDEST}"
    if minor == OWN:
        return "it is the one of .venv, on which all tests run"
    return "it does not start" if programs(minor) else "not on this machine"


if __name__ == "__main__":
    sys.exit(main())
