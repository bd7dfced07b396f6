"""Makes the environment of one program as a package carries it.

    environment.py NAME STAGE WHEEL PYTHON PIP PROGRAM...

It is made in STAGE/usr/lib/astcti/NAME and runs in /usr/lib/astcti/NAME. What the wheel needs comes from
`locked/NAME.txt`, whose hashes pip compares. The same wheel and lock make the same bytes, wherever STAGE is:
no time, no path of the build, and compiled modules that carry the hash of their source instead of its time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

LOCKED: Final = Path(__file__).resolve().parent / "locked"
HOME: Final = "/usr/lib/astcti"
FIRST_LINES: Final = re.compile(r"#!.*\n(?:\'\'\'exec\' .*\n\' \'\'\'\n)?")
"""What pip begins a program with. One that is too long for a first line a shell finds."""
OF_THE_INSTALLATION: Final = ("RECORD", "REQUESTED", "direct_url.json")
"""Files of a `.dist-info` that name the build's folders, or serve to remove what dpkg removes."""


def main(name: str, stage: Path, wheel: Path, python: str, pip: str, programs: list[str]) -> None:
    place = f"{HOME}/{name}"
    environment = Path(f"{stage}{place}")
    shutil.rmtree(environment, ignore_errors=True)
    run(python, "-m", "venv", "--without-pip", "--symlinks", str(environment))
    install = [
        pip,
        "--python",
        str(environment / "bin/python3"),
        "install",
        "-qq",
        "--no-deps",
        "--no-compile",
    ]
    run(*install, "--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCKED / f"{name}.txt"))
    run(*install, "--no-index", str(wheel))
    interpreter = real_interpreter(environment)
    tidy_programs(environment / "bin", interpreter, f"{place}/bin/python3", programs)
    (environment / "lib64").unlink(missing_ok=True)
    for folder in ("include", "share"):
        shutil.rmtree(environment / folder, ignore_errors=True)
    for file in environment.glob("lib/**/*"):
        # Nothing in there is started by its name but the shell scripts beside the units.
        file.chmod(0o755 if file.is_dir() or file.suffix in (".sh", ".init") else 0o644)
    settings = "home = /usr/bin\ninclude-system-site-packages = false\n"
    (environment / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    for information in environment.glob("lib/python3*/site-packages/*.dist-info"):
        for name_inside in OF_THE_INSTALLATION:
            (information / name_inside).unlink(missing_ok=True)
    compile_modules(environment / "lib", stage)


def real_interpreter(environment: Path) -> Path:
    """The distribution's own, with its number: the compiled libraries fit no other."""
    found = (environment / "bin/python3").resolve()
    if not re.fullmatch(r"/usr/bin/python3\.\d+", str(found)):
        sys.exit(f"{found} is not a Python of the distribution's, which a package can depend on")
    return found


def tidy_programs(folder: Path, interpreter: Path, first_line: str, programs: list[str]) -> None:
    """Keep the interpreter and these programs, which begin with the interpreter where it will be."""
    for file in folder.iterdir():
        if file.name in programs:
            text = FIRST_LINES.sub("", file.read_text(encoding="utf-8"), count=1)
            file.write_text(f"#!{first_line}\n{text}", encoding="utf-8")
        else:
            file.unlink()
    (folder / "python3").symlink_to(interpreter)
    missing = set(programs) - {file.name for file in folder.iterdir()}
    if missing:
        sys.exit(f"The wheel has no {', '.join(sorted(missing))}")


def compile_modules(folder: Path, stage: Path) -> None:
    """One after the other in one process whose hashes are known: sets are stored in the order of these."""
    hashes = ("--invalidation-mode", "unchecked-hash")
    command = ("-m", "compileall", "-q", "-f", "-j", "1", *hashes, "-s", str(stage), "-p", "/", str(folder))
    interpreter = str(folder.parent / "bin/python3")
    subprocess.run(
        [interpreter, "-S", *command], check=True, env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    )


def run(*command: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, check=True, env=environ)


if __name__ == "__main__":
    name, stage, wheel, python, pip, *programs = sys.argv[1:]
    main(name, Path(stage).resolve(), Path(wheel).resolve(), python, pip, programs)
