"""Who may import whom: the table of docs/architecture.md, checked against the imports of every module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("schemas", "astcti_server", "astcti_client", "configurator")

Rule = TypeVar("Rule")

# Module prefix -> what it may import of the project (prefixes). The longest prefix that fits decides.
PROJECT = {
    "schemas": ["schemas"],
    "astcti_server.threads": [],
    "astcti_server.process.service_notify": [],
    "astcti_server.process.pidfile": ["schemas.own_files"],
    "astcti_server.process.state_directory": ["schemas"],
    "astcti_server.process.signals": [],
    "astcti_server.process.own_user": ["schemas.server.status_age"],
    "astcti_server.process.memory": [],
    "astcti_server.login_key": ["schemas.own_files"],
    "astcti_server.logs": ["astcti_server.recent_log", "astcti_server.threads", "schemas"],
    "astcti_server.recent_log": ["schemas"],
    "astcti_server.kept_ami": [
        "astcti_server.kept_ami",
        "astcti_server.ami.dialect.text",
        "astcti_server.ami.wire",
        "astcti_server.calls.originations",
        "astcti_server.recent_log",
        "astcti_server.threads",
        "schemas",
    ],
    "astcti_server.report_replay": ["astcti_server.ami", "astcti_server.calls", "schemas"],
    "astcti_server.ami": ["astcti_server.ami", "schemas"],
    "astcti_server.ami.recording_file": ["astcti_server.threads"],
    "astcti_server.ami.link": ["astcti_server.ami", "astcti_server.threads", "schemas"],
    "astcti_server.ami.wire": ["astcti_server.ami.wire", "schemas"],
    "astcti_server.ami.dialect": [
        "astcti_server.ami.dialect",
        "astcti_server.ami.vocabulary",
        "astcti_server.ami.wire",
        "schemas",
    ],
    "astcti_server.metrics.figures": ["astcti_server.ami.pending"],
    "astcti_server.metrics": ["astcti_server.metrics", "astcti_server.threads", "schemas"],
    "astcti_server.audit.entries": [],
    "astcti_server.audit.audit_file": ["astcti_server.audit", "astcti_server.threads", "schemas"],
    "astcti_server.audit": ["astcti_server.audit", "astcti_server.config", "schemas"],
    "astcti_server.explain": ["astcti_server.explain", "schemas"],
    "astcti_server.calls": [
        "astcti_server.calls",
        "astcti_server.ami.vocabulary",
        "astcti_server.explain.call_trails",
        "astcti_server.explain.trail",
        "schemas",
    ],
    "astcti_server.clients": [
        "astcti_server.clients",
        "astcti_server.audit.entries",
        "astcti_server.explain.explanations",
        "astcti_server.explain.server_marks",
        "astcti_server.threads",
        "schemas",
    ],
    "astcti_server.call_explanations": ["astcti_server.calls.tracker", "astcti_server.explain"],
    "astcti_server.clients.router": ["astcti_server.clients", "astcti_server.calls.notification", "schemas"],
    "astcti_server.clients.resume": ["astcti_server.clients", "astcti_server.calls.notification", "schemas"],
    "astcti_server.queues": [
        "astcti_server.queues",
        "astcti_server.ami",
        "astcti_server.clients.ports",
        "astcti_server.clients.replies",
        "astcti_server.process.state_directory",
        "schemas",
    ],
    "astcti_server.queues.state_writer": ["astcti_server.queues.state_file", "astcti_server.threads"],
    "astcti_server.colleagues": ["astcti_server.colleagues", "astcti_server.clients.replies", "schemas"],
    "astcti_server.config": ["astcti_server.config", "astcti_server.threads", "schemas"],
    "astcti_server.control": ["astcti_server.control", "astcti_server.threads", "schemas"],
    "astcti_server.demo": ["astcti_server.demo", "astcti_server.threads", "schemas"],
    "astcti_server.status_file": ["schemas"],
    "astcti_server.replay": ["astcti_server.ami", "astcti_server.calls", "astcti_server.explain", "schemas"],
    "astcti_server.resync": ["astcti_server.ami", "astcti_server.calls", "schemas"],
    "astcti_server.call_comparison": ["astcti_server.ami", "astcti_server.calls"],
    "astcti_server.transfer_target": ["astcti_server.ami"],
    "astcti_server.consultations": [
        "astcti_server.consultations",
        "astcti_server.ami",
        "astcti_server.calls",
        "astcti_server.clients.ports",
        "astcti_server.clients.replies",
        "astcti_server.phones",
        "schemas",
    ],
    "astcti_server.phones": ["astcti_server.phones", "astcti_server.ami", "astcti_server.calls", "schemas"],
    "astcti_server.process.thread_watch": ["astcti_server.process.service_notify"],
    "astcti_server.ami_overview": ["astcti_server.queues.overview"],
    "astcti_server.server_control": [
        "astcti_server.server_control",
        "astcti_server.ami.privileges",
        "astcti_server.call_explanations",
        "astcti_server.explain.documents",
        "astcti_server.ami.retries",
        "astcti_server.ami_overview",
        "astcti_server.calls",
        "astcti_server.client_requests",
        "astcti_server.clients",
        "astcti_server.config",
        "astcti_server.control.ports",
        "astcti_server.control.audit",
        "astcti_server.audit.entries",
        "astcti_server.kept_ami",
        "astcti_server.logs",
        "astcti_server.recent_log",
        "astcti_server.queues",
        "astcti_server.status_file",
        "schemas",
    ],
    "astcti_server.doctor": [
        "astcti_server.ami",
        "astcti_server.clients.admission",
        "astcti_server.config",
        "astcti_server.control",
        "astcti_server.doctor",
        "astcti_server.login_key",
        "astcti_server.queues.state_file",
        "schemas",
    ],
    "astcti_server.event_pipeline": [
        "astcti_server.resync",
        "astcti_server.call_comparison",
        "astcti_server.ami",
        "astcti_server.calls",
        "astcti_server.consultations",
        "astcti_server.clients.ports",
        "astcti_server.clients.registry",
        "astcti_server.clients.replies",
        "astcti_server.clients.resume",
        "astcti_server.clients.router",
        "astcti_server.explain.server_marks",
        "astcti_server.kept_ami",
        "astcti_server.queues",
        "schemas",
    ],
    "astcti_server.client_requests": [
        "astcti_server.call_explanations",
        "astcti_server.explain.explanations",
        "astcti_server.ami",
        "astcti_server.calls",
        "astcti_server.clients.ports",
        "astcti_server.colleagues",
        "astcti_server.config.store",
        "astcti_server.consultations",
        "astcti_server.phones",
        "astcti_server.queues",
        "astcti_server.event_pipeline",
        "astcti_server.transfer_target",
        "schemas",
    ],
    "astcti_server": ["astcti_server", "schemas"],
    "astcti_client": ["astcti_client", "schemas"],
    "astcti_client.net": [
        "astcti_client.net",
        "astcti_client.password",
        "astcti_client.resume_position",
        "astcti_client.settings",
        "schemas",
    ],
    "astcti_client.hand_over": [
        "astcti_client.hand_over",
        "astcti_client.net.transport",
        "astcti_client.phone_number",
        "schemas.own_files",
    ],
    "astcti_client.triggers": ["astcti_client.triggers", "astcti_client.resume_position", "schemas"],
    "configurator": ["configurator", "schemas"],
}

# Module prefix -> third-party packages. Whoever is not listed uses the standard library alone.
FOREIGN = {
    "schemas.configuration.xml_form": {"lxml"},
    "schemas.server.settings_xml": {"lxml"},
    "schemas.xml_reading": {"lxml"},
    "schemas.web.http_requests": {"waitress"},
    "schemas.schema_words": {"lxml"},
    "astcti_server.cli": {"click"},
    "astcti_server.config": {"watchdog"},
    "astcti_server.metrics.collector": {"prometheus_client"},
    "astcti_server.metrics.web_server": {"prometheus_client", "waitress"},
    "astcti_client.cli": {"click"},
    "astcti_client": {"click", "psutil", "platformdirs"},
    "configurator": {"django"},
    "configurator.users.second_factor": {"django", "django_otp", "segno"},
    "configurator.openid.provider": {"django", "requests"},
    "configurator.openid.code_flow": {"django", "jwt", "mozilla_django_oidc", "requests"},
    "configurator.cli": {"click", "django"},
    "configurator.commands": {"click", "django", "waitress"},
    "configurator.commands.sign_on": {"click", "django", "requests"},
    "astcti_client.ui": {"platformdirs", "PIL", "Xlib", "pystray", "webview", "qtpy", "keyring", "AppKit"},
}

# Whose objects are changed by their own methods alone: no assignment to an attribute of another object.
OWN_STATE = ("astcti_server.ami", "astcti_server.calls", "astcti_server.queues", "astcti_server.clients")
SET_UP = {"context.minimum_version", "context.options"}
"""An SSL context of the standard library has no other way."""

# What two programs call by one word on purpose: a table of the Configurator's database, and what it becomes.
# `Migration` is a name that Django gives.
TWICE = {"Operator", "Seat", "Service", "Trigger", "Migration"}

# The floors of the window: what each folder of `astcti_client/ui` may import of the others.
UI = "astcti_client.ui."
FLOORS = {
    "i18n": set(),
    "state": {"i18n"},
    "text": {"i18n", "state"},
    "theme": {"i18n", "state"},
    "desktop": {"i18n", "state", "text", "theme"},
    "browser": {"i18n", "theme"},
    "widgets": {"i18n", "state", "text", "theme"},
    "windows": {"i18n", "state", "text", "theme", "widgets", "desktop"},
    "app": {"i18n", "state", "text", "theme", "widgets", "desktop", "windows", "browser"},
}
# What the window knows and says is decided without Tk.
WITHOUT_TK = ("i18n", "state", "text")

MOST_MODULES = 18
"""In one folder: who looks for something sees all of them at one glance."""

# What a seat's PC loads must never pull these in.
SERVER_ONLY = {"lxml", "watchdog", "django"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERYTHING = {
    module_name(path): path
    for folder in (*PACKAGES, "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
MODULES = {module: path for module, path in EVERYTHING.items() if module.partition(".")[0] in PACKAGES}


@cache
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
                found.add(inner if inner in EVERYTHING else module)
    return found


def rule_for(module: str, table: Mapping[str, Rule]) -> Rule | None:
    fitting = [prefix for prefix in table if belongs(module, prefix)]
    return table[max(fitting, key=len)] if fitting else None


def belongs(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


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


def floor_of(module: str) -> str:
    """The folder of the window that a module is in, empty if none."""
    return module.removeprefix(UI).partition(".")[0] if module.startswith(UI) else ""


@pytest.mark.parametrize("module", sorted(module for module in MODULES if module.startswith(UI)))
def test_a_folder_of_the_window_knows_only_the_floors_below(module: str) -> None:
    floor = floor_of(module)
    imported = imports_of(MODULES[module])
    assert {floor_of(name) for name in imported} - {"", floor} <= FLOORS[floor]
    if floor in WITHOUT_TK:
        assert "tkinter" not in {name.partition(".")[0] for name in imported}


FOLDERS = sorted({path.parent for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES


def stored_attributes(path: Path) -> list[ast.Attribute]:
    """Every assignment to an attribute, also in a tuple, a loop, a `with` or a `del`."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    ]


@pytest.mark.parametrize(
    "module", sorted(module for module in MODULES if any(belongs(module, prefix) for prefix in OWN_STATE))
)
def test_state_is_changed_by_the_object_that_has_it(module: str) -> None:
    changed = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in stored_attributes(MODULES[module])
        if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        and ast.unparse(node) not in SET_UP
    ]
    assert not changed


def named_by(statement: ast.stmt) -> list[str]:
    """The class or the type that a statement of a module names; constants are in capitals."""
    if isinstance(statement, ast.ClassDef):
        names = [statement.name]
    elif isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        names = [statement.target.id]
    else:
        names = []
    return [name for name in names if name[0].isupper() and not name.isupper()]


def test_the_name_of_a_class_means_one_thing_in_all_programs() -> None:
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in named_by(statement):
                places.setdefault(name, []).append(module)
    found = {name: modules for name, modules in places.items() if len(modules) > 1}
    assert {name: modules for name, modules in found.items() if name not in TWICE} == {}


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


# Not yet in order: to be deleted, a name at a time.
WITH_CIRCLES: tuple[str, ...] = ()
WITH_BORROWED_HELPERS: tuple[str, ...] = ()


def circles(edges: Mapping[str, set[str]]) -> list[set[str]]:
    """The groups of modules that import each other, however long the way round is."""
    reach: dict[str, set[str]] = {}
    for module in edges:
        reached: set[str] = set()
        waiting = list(edges[module])
        while waiting:
            if (imported := waiting.pop()) not in reached:
                reached.add(imported)
                waiting += edges[imported]
        reach[module] = reached
    within = {module for module in edges if module in reach[module]}
    groups = {frozenset(other for other in reach[module] if module in reach[other]) for module in within}
    return [set(group) for group in groups]


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also where an import stands inside a function, or is for types only."""
    edges = {module: imports_of(path) & EVERYTHING.keys() - {module} for module, path in EVERYTHING.items()}
    unexpected = [
        sorted(circle)
        for circle in circles(edges)
        if not any(all(belongs(module, prefix) for module in circle) for prefix in WITH_CIRCLES)
    ]
    assert not unexpected


@pytest.mark.parametrize("module", sorted(module for module in EVERYTHING if belongs(module, "tests")))
def test_a_test_has_its_helpers_from_a_fake_or_a_conftest(module: str) -> None:
    borrowed = {
        name for name in imports_of(EVERYTHING[module]) if name.rpartition(".")[2].startswith("test_")
    }
    assert not borrowed or any(belongs(module, prefix) for prefix in WITH_BORROWED_HELPERS)
