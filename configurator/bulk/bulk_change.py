"""The one way in which many entries are changed at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from configurator import audit_log
from configurator.bulk.bulk_actions import BulkAction, BulkOutcome, Values
from configurator.publishing import snapshots, working_copy
from configurator.sections.section import Section


def apply_bulk(
    actor: HttpRequest | str, section: Section, rows: Sequence[int], action: BulkAction, values: Values
) -> BulkOutcome:
    """Change all of these entries or none, with an entry of the audit log for each that changed.

    What was before is kept, to go back to. Within `writing`, whose lock this holds for few statements.
    Entries that are as wanted stay untouched.
    """
    by = actor if isinstance(actor, str) else actor.session.get("userid", "")
    name = f"{action.label}: {section.title}"
    snapshot = snapshots.keep_snapshot(name, by)
    outcome = action.apply(section, rows, values)
    working_copy.raise_revisions(outcome.shown_by)
    audit_log.record_many(actor, outcome.audit_action, section.kind, outcome.entries)
    if outcome.entries:
        snapshots.note_import(actor, name, snapshot, len(outcome.entries), outcome.audit_action)
    else:
        snapshots.drop(snapshot)
    return outcome
