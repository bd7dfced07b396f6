"""The programs of a package begin with the interpreter where it will be, wherever they were made."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "environment.py"
REST = "import sys\nfrom astcti_server.__main__ import main\nsys.exit(main())\n"
PLACE = "/usr/lib/astcti/server/bin/python3"


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LONG = f"/tmp/{'deep/' * 30}bin/python3"
BEGINS = {"short": "#!/tmp/build/bin/python3\n", "long": f"#!/bin/sh\n'''exec' {LONG} \"$0\" \"$@\"\n' '''\n"}


@pytest.mark.parametrize("begins", BEGINS.values(), ids=BEGINS)
def test_a_program_names_no_place_of_the_build(tmp_path: Path, environment: ModuleType, begins: str) -> None:
    (tmp_path / "astcti-server").write_text(begins + REST)
    (tmp_path / "pip").write_text("")
    environment.tidy_programs(tmp_path, Path("/usr/bin/python3.11"), PLACE, ["astcti-server"])
    assert (tmp_path / "astcti-server").read_text() == f"#!{PLACE}\n{REST}"
    assert {file.name for file in tmp_path.iterdir()} == {"astcti-server", "python3"}
