"""What the templates need beside Django's own: words for kinds, actions and values."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext, gettext_noop, pgettext_lazy

from configurator import audit_log
from configurator.checks.translation import translated_for_file, translated_missing_right
from configurator.publishing import differences
from configurator.publishing.state_names import shown_state_name

register = template.Library()

DIFFERENCE_WORDS = {
    ("service", "added"): pgettext_lazy("service", "added"),
    ("service", "changed"): pgettext_lazy("service", "changed"),
    ("service", "removed"): pgettext_lazy("service", "removed"),
    ("seat", "added"): pgettext_lazy("seat", "added"),
    ("seat", "changed"): pgettext_lazy("seat", "changed"),
    ("seat", "removed"): pgettext_lazy("seat", "removed"),
    ("operator", "added"): pgettext_lazy("operator", "added"),
    ("operator", "changed"): pgettext_lazy("operator", "changed"),
    ("operator", "removed"): pgettext_lazy("operator", "removed"),
    ("pausereason", "added"): pgettext_lazy("pausereason", "added"),
    ("pausereason", "changed"): pgettext_lazy("pausereason", "changed"),
    ("pausereason", "removed"): pgettext_lazy("pausereason", "removed"),
}
"""Many languages have another word for each gender of the kind."""

AMI_STATE_WORDS = {
    "up": gettext_noop("connected"),
    "down": gettext_noop("not connected"),
    "connecting": gettext_noop("connecting"),
}


@register.filter
def value_words(value: str, field: str) -> str:
    """A field's value in a difference, in the language of the page."""
    return differences.shown_value(value, field)


@register.filter
def kind_words(kind: str) -> str:
    """service, seat, ..., in the language of the page."""
    return str(audit_log.KIND_WORDS.get(kind, kind))


@register.filter
def action_words(action: str) -> str:
    """What somebody did, as the audit log says it, in the language of the page."""
    return str(audit_log.ACTION_WORDS.get(action, action))


@register.filter
def difference_words(what: str, kind: str) -> str:
    """added, removed, changed, of a service, a seat, ..., in the language of the page."""
    return str(DIFFERENCE_WORDS.get((kind, what), what))


@register.filter
def state_words(name: str) -> str:
    """What happened after an earlier state, in the language of the page."""
    return shown_state_name(name)


@register.filter
def ami_words(state: str) -> str:
    """How the server stands with Asterisk, in the language of the page."""
    return gettext(AMI_STATE_WORDS.get(state, state))


@register.filter
def right_words(text: str) -> str:
    """What the server's user in manager.conf may not do or see, in the language of the page."""
    return translated_missing_right(text)


@register.filter
def check_words(sentence: str) -> str:
    """What the server's checks say, in the language of the page."""
    return translated_for_file(sentence)


@register.filter
def row_number(prefix: str) -> str:
    """The last part of a row's prefix: its number, or what a script puts a number for."""
    return prefix.rpartition("-")[2]


@register.filter
def count(text: str) -> int:
    """A number that the audit log keeps as text."""
    return int(text) if text.isdigit() else 0
