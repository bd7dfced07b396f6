"""Every parser of the project, with the inputs that it is tried with."""

from __future__ import annotations

from tests.fuzz.targets import (
    client_files,
    client_history,
    client_texts,
    clients,
    configuration,
    imports,
    kept_files,
    manager,
    reports,
    server_lines,
    small_files,
    web_requests,
)

TARGETS = (
    *manager.TARGETS,
    *clients.TARGETS,
    *server_lines.TARGETS,
    *configuration.TARGETS,
    *kept_files.TARGETS,
    *reports.TARGETS,
    *client_files.TARGETS,
    *client_history.TARGETS,
    *client_texts.TARGETS,
    *small_files.TARGETS,
    *imports.TARGETS,
    *web_requests.TARGETS,
)
