"""The rows of a list as HTML.

Not a template: of the time of a page with fifty rows that took two thirds, and whoever publishes ten thousand
operators beside it makes it twice as long (measured). Whatever comes out of a database is escaped here, by
`html.escape`, which Django's own `escape` calls as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

from django.template.defaultfilters import date
from django.utils.formats import localize
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import template_localtime
from django.utils.translation import gettext


class Cell(NamedTuple):
    """A value and how it looks."""

    value: Any
    shape: str
    """As of a `Column`."""


class Row(NamedTuple):
    """One entry of a list."""

    pk: int
    name: str
    cells: list[Cell]


def rows_as_html(rows: Iterable[Row], list_address: str, *, choosable: bool) -> SafeString:
    """The rows of a table. `list_address` is where the list is, with the addresses of its entries below it.

    With `choosable` each begins with a box to tick. In the language of the page and the current time zone.
    """
    yes, no = escape(gettext("yes")), escape(gettext("no"))
    on = f'<svg class="icon on" role="img" aria-label="{yes}"><use href="#icon-check"/></svg>'
    off = f'<span class="off"><span aria-hidden="true">–</span><span class="hidden">{no}</span></span>'
    base = escape(list_address)
    parts = []
    for row in rows:
        address = f"{base}{row.pk}/"
        parts.append(
            f'\n<tr aria-selected="false" data-pk="{row.pk}" data-edit="{address}edit/"'
            f' data-remove="{address}remove/" data-clone="{base}add/?like={row.pk}">'
        )
        if choosable:
            parts.append(
                '<td class="choice"><input type="checkbox" data-choose tabindex="-1"'
                f' aria-label="{escape(row.name)}"></td>'
            )
        for value, shape in row.cells:
            if shape == "yes":
                content = on if value else off
            elif shape == "moment":
                content = escape(date(template_localtime(value), "SHORT_DATETIME_FORMAT") or "–")
            else:
                content = escape(str(localize(value)))
            if shape == "strong":
                content = f'<a href="{address}edit/" data-open>{content}</a>'
            elif shape == "pill":
                content = f'<span class="pill">{content}</span>'
            elif shape == "code" and content:
                content = f"<code>{content}</code>"
            parts.append(f'<td class="{shape}">{content}</td>')
        parts.append("</tr>")
    return mark_safe("".join(parts))
