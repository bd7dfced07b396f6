"""What the templates need beside Django's own: words for kinds, actions and values."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.defaultfilters import date
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
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

_YES = '<svg class="icon on" role="img" aria-label="{}"><use href="#icon-check"/></svg>'
_NO = '<span class="off"><span aria-hidden="true">–</span><span class="hidden">{}</span></span>'


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
def row_cells(row: Any) -> SafeString:
    """The cells of a list's `Row`. Not in the template, which takes several times as long."""
    return format_html_join(
        "", '<td class="{}">{}</td>', [(shape, _content(row, value, shape)) for value, shape in row.cells]
    )


def _content(row: Any, value: Any, shape: str) -> SafeString:
    if shape == "yes":
        return format_html(_YES, gettext("yes")) if value else format_html(_NO, gettext("no"))
    if shape == "moment":
        return conditional_escape(date(value, "SHORT_DATETIME_FORMAT") or "–")
    if shape == "strong":
        return format_html('<a href="{}edit/" data-open>{}</a>', row.address, value)
    if shape == "pill":
        return format_html('<span class="pill">{}</span>', value)
    shown = conditional_escape(localize(value))
    return format_html("<code>{}</code>", shown) if shape == "code" and value else shown


@register.filter
def row_number(prefix: str) -> str:
    """The last part of a row's prefix: its number, or what a script puts a number for."""
    return prefix.rpartition("-")[2]


@register.filter
def count(text: str) -> int:
    """A number that the audit log keeps as text."""
    return int(text) if text.isdigit() else 0
