"""Who may import whom: the table of docs/architecture.md, checked against the imports of every module."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("schemas", "astcti_server", "astcti_client", "configurator")

# Module prefix -> what it may import of the project (prefixes). The longest prefix that fits decides.
PROJECT = {
    "schemas": ["schemas"],
    "astcti_server.threads": [],
    "astcti_server.service_notify": [],
    "astcti_server.pidfile": [],
    "astcti_server.logs": ["astcti_server.threads"],
    "astcti_server.ami": ["astcti_server.ami", "schemas"],
    "astcti_server.ami.link": ["astcti_server.ami", "astcti_server.threads", "schemas"],
    "astcti_server.calls": ["astcti_server.calls", "astcti_server.ami.vocabulary", "schemas"],
    "astcti_server.clients": ["astcti_server.clients", "astcti_server.threads", "schemas"],
    "astcti_server.clients.router": ["astcti_server.clients", "astcti_server.calls.notification", "schemas"],
    "astcti_server.queues": [
        "astcti_server.queues",
        "astcti_server.ami",
        "astcti_server.clients.desk",
        "schemas",
    ],
    "astcti_server.queues.state_writer": ["astcti_server.queues.state_file", "astcti_server.threads"],
    "astcti_server.config_": ["astcti_server.config_", "astcti_server.threads", "schemas"],
    "astcti_server.demo": ["astcti_server.demo", "astcti_server.threads", "schemas"],
    "astcti_server.status_file": ["schemas"],
    "astcti_server.replay": ["astcti_server.ami", "astcti_server.calls", "schemas"],
    "astcti_server.switchboard": [
        "astcti_server.ami",
        "astcti_server.calls",
        "astcti_server.clients.registry",
        "astcti_server.clients.router",
        "astcti_server.queues",
        "schemas",
    ],
    "astcti_server.desk": [
        "astcti_server.ami",
        "astcti_server.calls",
        "astcti_server.clients.desk",
        "astcti_server.config_store",
        "astcti_server.queues",
        "astcti_server.switchboard",
        "schemas",
    ],
    "astcti_server": ["astcti_server", "schemas"],
    "astcti_client": ["astcti_client", "schemas"],
    "configurator": ["configurator", "schemas"],
}

# Module prefix -> third-party packages. Whoever is not listed uses the standard library alone.
FOREIGN = {
    "schemas.configuration_xml": {"lxml"},
    "schemas.server_settings_xml": {"lxml"},
    "schemas.xml_reading": {"lxml"},
    "schemas.schema_words": {"lxml"},
    "astcti_server.cli": {"click"},
    "astcti_server.config_": {"watchdog"},
    "astcti_client.cli": {"click"},
    "astcti_client": {"click", "psutil", "platformdirs"},
    "configurator": {"django"},
    "configurator.cli": {"click", "django"},
    "configurator.serving": {"click", "waitress"},
    "astcti_client.ui": {"platformdirs", "PIL", "Xlib", "pystray", "webview", "qtpy", "keyring", "AppKit"},
}

# What the window knows and says is decided without Tk.
WITHOUT_TK = {
    f"astcti_client.ui.{name}"
    for name in (
        "actions",
        "calls",
        "changes",
        "history",
        "i18n",
        "icon_shapes",
        "icons",
        "model",
        "palette",
        "passwords",
        "pen",
        "preferences",
        "problems",
        "seat_state",
        "session",
        "urls",
        "words",
    )
}
# They join the windows; a window knows `actions` alone.
JOINING = {f"astcti_client.ui.{name}" for name in ("app", "commands", "sign_in", "trigger_desk", "windows")}

# What a seat's PC loads must never pull these in.
SERVER_ONLY = {"lxml", "watchdog", "django"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports_of(path: Path) -> set[str]:
    """Every module imported anywhere in a file; `from a import b` counts as a.b where that is a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                found.add(inner if inner in MODULES else module)
    return found


def rule_for(module: str, table: dict) -> object:  # type: ignore[type-arg]
    fitting = [prefix for prefix in table if module == prefix or module.startswith((prefix + ".", prefix))]
    return table[max(fitting, key=len)] if fitting else None


def belongs(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix if prefix.endswith("_") else prefix + ".")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_imports_only_what_its_layer_may(module: str) -> None:
    allowed = rule_for(module, PROJECT)
    foreign = rule_for(module, FOREIGN) or set()
    assert allowed is not None, f"{module} has no row in the table"
    for imported in imports_of(MODULES[module]):
        top = imported.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if top in PACKAGES:
            assert any(belongs(imported, prefix) for prefix in allowed), f"{module} imports {imported}"
        else:
            assert top in foreign, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(WITHOUT_TK))
def test_what_the_window_knows_is_decided_without_tk(module: str) -> None:
    imported = imports_of(MODULES[module])
    assert "tkinter" not in {one.partition(".")[0] for one in imported}
    assert {one for one in imported if one.startswith("astcti_client.ui.")} <= WITHOUT_TK


def test_a_window_knows_nothing_of_the_program_behind_it() -> None:
    for module in MODULES:
        if module.startswith("astcti_client.ui.") and module not in JOINING | {"astcti_client.ui.start"}:
            assert not imports_of(MODULES[module]) & JOINING, module


def test_client_never_loads_what_only_the_server_needs() -> None:
    reached: set[str] = set()
    waiting = [module for module in MODULES if module.startswith("astcti_client")]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        for imported in imports_of(MODULES[module]):
            assert imported.partition(".")[0] not in SERVER_ONLY, f"{module} imports {imported}"
            if imported in MODULES:
                waiting.append(imported)
