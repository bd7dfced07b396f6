"""The seats' PCs import this package without lxml, and nobody's program."""

import ast
from pathlib import Path

import pytest

import schemas

ROOT = Path(schemas.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
MAY_IMPORT_LXML = {"configuration.xml_form", "server.settings_xml", "xml_reading"}


def name_of(path: Path) -> str:
    """The module's name below `schemas`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_readers_of_xml_files_import_lxml(path: Path) -> None:
    names = imported(path)
    tops = {name.partition(".")[0] for name in names}
    assert not tops & {"astcti_server", "astcti_client", "configurator", "click", "watchdog"}
    if name_of(path) not in MAY_IMPORT_LXML:
        assert "lxml" not in tops
        assert not {f"schemas.{name}" for name in MAY_IMPORT_LXML} & names
