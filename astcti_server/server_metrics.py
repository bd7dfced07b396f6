"""Joins the server's parts to its figures, where `<metrics>` wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.ami.link import AmiLink
from astcti_server.audit.audit_file import AuditFile
from astcti_server.config.reading import LACKS_METRICS
from astcti_server.metrics.figures import AmiFigures
from astcti_server.server_control.parts import ServerParts
from astcti_server.server_control.status import status_document
from astcti_server.threads import Died
from schemas.server.settings import MetricsSettings

if TYPE_CHECKING:
    from astcti_server.metrics.web_server import MetricsServer


class MetricsError(Exception):
    """Figures cannot be served; for people to read."""


def metrics_server(
    settings: MetricsSettings,
    figures: AmiFigures,
    link: AmiLink,
    parts: ServerParts,
    audit: AuditFile,
    died: Died,
) -> MetricsServer:
    """Make the thread that serves them. Raises MetricsError."""
    try:  # a site without <metrics> needs none of this, and does not wait for it to be loaded
        from astcti_server.metrics import collector, web_server
    except ModuleNotFoundError:
        raise MetricsError(LACKS_METRICS) from None

    sources = collector.MetricSources(
        status=lambda: status_document(parts),
        figures=figures,
        events=lambda: (link.needed, link.dropped),
        links=lambda: link.logins,
        unsent=lambda: parts.registry.unsent,
        triggers_failed=lambda: parts.tracker.triggers_failed,
        audit_lost=lambda: audit.lost,
    )

    def dead() -> dict[str, str]:
        stuck = parts.published()["stuck"]
        return {"stuck": ", ".join(stuck)} if stuck else {}

    def not_ready() -> dict[str, str]:
        found = parts.published()
        trouble = dead()
        if found["ami"]["state"] != "up":
            trouble["asterisk"] = found["ami"]["reason"] or "not reached yet"
        if not found["configuration"]["file"]:
            trouble["configuration"] = "none is in force"
        return trouble

    found = collector.registry(sources)
    try:
        return web_server.MetricsServer(settings, found, dead=dead, not_ready=not_ready, died=died)
    except OSError as error:
        where = f"{settings.address} port {settings.port}"
        raise MetricsError(f"cannot serve figures on {where}: {error.strerror or error}") from None
