"""What is done through the control socket, in the log and in the audit."""

from __future__ import annotations

from astcti_server.audit.entries import Audit, AuditAction, AuditRecord, AuditValue
from astcti_server.control.audit import ControlAction, ControlAudit, log_action


def audited_by(audit: Audit) -> ControlAudit:
    """Tell both of each action."""

    def tell(action: ControlAction) -> None:
        log_action(action)
        details: dict[str, AuditValue] = {
            "user": action.name,
            "uid": action.user,
            "pid": action.process,
            "command": str(action.command),
            "arguments": action.arguments,
            "result": action.refusal or "ok",
        }
        audit(AuditRecord(AuditAction.CONTROL, details))

    return tell
