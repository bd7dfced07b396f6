"""What earlier states are called: kept in English, and read in the language of whoever looks."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

IMPORT_OF = gettext_noop("import of %(file)s")
TAKE_OVER_OF = gettext_noop("take-over of %(file)s")
UNDO_OF = gettext_noop("undo of: %(name)s")


def shown_state_name(name: str) -> str:
    """A name as the page shows it. What an earlier release kept in another language stays as it is."""
    for template in (IMPORT_OF, TAKE_OVER_OF):
        words = template.removesuffix("%(file)s")
        if name.startswith(words):
            return gettext(template) % {"file": name.removeprefix(words)}
    words = UNDO_OF.removesuffix("%(name)s")
    if name.startswith(words):
        return gettext(UNDO_OF) % {"name": shown_state_name(name.removeprefix(words))}
    action, colon, section = name.partition(": ")  # of a change of many entries
    return f"{gettext(action)}{colon}{gettext(section)}" if action and section else name
