"""The one way in which many entries are changed at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.http import HttpRequest
from django.utils import translation

from configurator import audit_log
from configurator.bulk.bulk_actions import BulkAction, BulkOutcome, Values
from configurator.publishing import snapshots, working_copy
from configurator.sections.section import Section


def apply_bulk(
    actor: HttpRequest | str,
    section: Section,
    choose: Callable[[], Sequence[int] | None],
    action: BulkAction,
    values: Values,
) -> BulkOutcome | None:
    """Change many entries or none, with an entry of the audit log for each that changed.

    `choose` is asked for their rows once nobody else writes; with None nothing is done. What was before is
    kept, to go back to. Entries that are as wanted stay untouched. Not within `writing`, whose lock this
    holds for few statements.
    """
    name = f"{action.label}: {section.title}"
    with translation.override("en"):
        kept = f"{action.label}: {section.title}"
    with snapshots.changing_many(actor, kept, name=name) as changes:
        rows = choose()
        if rows is None:
            return None
        outcome = action.apply(section, rows, values)
        working_copy.raise_revisions(outcome.shown_by)
        audit_log.record_many(actor, outcome.audit_action, section.kind, outcome.entries)
        if outcome.entries:
            changes.made(len(outcome.entries), outcome.audit_action)
    return outcome._replace(snapshot=changes.snapshot)
