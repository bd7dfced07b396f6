"""Every parser of the project, with the inputs that it is tried with."""

from __future__ import annotations

from tests.fuzz.targets import (
    client_files,
    clients,
    configuration,
    imports,
    kept_files,
    manager,
    server_lines,
)

TARGETS = (
    *manager.TARGETS,
    *clients.TARGETS,
    *server_lines.TARGETS,
    *configuration.TARGETS,
    *kept_files.TARGETS,
    *client_files.TARGETS,
    *imports.TARGETS,
)
