"""The lists: search, sort, page."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from configurator.bulk import bulk_actions
from configurator.database.many_rows import primary_keys
from configurator.database.text_order import ordered_by
from configurator.importing import csv_export, csv_file
from configurator.sections.filters import ListFilter
from configurator.sections.registry import readable_section
from configurator.sections.section import READ_AT_ONCE, Column, Section
from configurator.users import roles
from configurator.views.imports import csv_answer, csv_separator
from configurator.web.list_rows import Cell, Row, rows_as_html

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = 50


class Head(NamedTuple):
    """A column's head: where a click leads and how it is sorted now."""

    label: Any
    query: str
    order: str
    shape: str


class FilterChoice(NamedTuple):
    """A filter: where a click leads, which turns it, and whether it narrows the list now."""

    label: Any
    query: str
    chosen: bool


@require_GET
def section_list(request: HttpRequest, key: str) -> HttpResponse:
    """A section's page, or only its list where a part of the page asks."""
    section = readable_section(request, key)
    asked = _asked(request, section)
    page = _pages(section, asked).get_page(request.GET.get("page"))
    may_edit = roles.has_role(request, section.editors)
    actions = bulk_actions.actions_of(section) if may_edit else ()
    rows = [_row(section, entry) for entry in page.object_list]
    context = {
        "section": section,
        "may_edit": may_edit,
        "asked": asked,
        "page": page,
        "sizes": PAGE_SIZES,
        "heads": [_head(column, asked) for column in section.columns],
        "rows": rows,
        "body": rows_as_html(rows, reverse("list", args=[key]), choosable=bool(actions)),
        "query": urlencode(asked, doseq=True),
        "filters": [_choice(choice, asked) for choice in section.filters],
        "found": urlencode({"q": asked["q"], "filter": asked["filter"]}, doseq=True),
        "actions": actions,
        "may_import": may_edit and section.key in csv_file.CSV_COLUMNS,
    }
    whole = not request.headers.get("HX-Request") or request.headers.get("HX-History-Restore-Request")
    return render(request, "configurator/list.html" if whole else "configurator/list_rows.html", context)


@require_GET
def section_csv(request: HttpRequest, key: str) -> HttpResponse:
    """What a search and filters find, as CSV."""
    section = readable_section(request, key)
    asked = _asked(request, section)
    found = section.find(asked["q"], asked["filter"])
    entries = _ordered(section, found, asked).iterator(chunk_size=READ_AT_ONCE)
    rows = csv_export.exported_rows(section, entries)
    return csv_answer(csv_export.write_csv(rows, csv_separator(request)), f"{key}.csv")


def _pages(section: Section, asked: dict[str, Any]) -> Paginator[Any]:
    """What is found, in pages. A search looks through all entries once, not for the number and the page."""
    found = section.find(asked["q"], asked["filter"])
    if not asked["q"]:
        return Paginator(_ordered(section, found, asked), asked["size"])
    keys = primary_keys(found)
    if len(keys) <= READ_AT_ONCE:
        found = section.rows().filter(pk__in=keys)
    pages = Paginator(_ordered(section, found, asked), asked["size"])
    pages.count = len(keys)
    return pages


def _ordered(section: Section, found: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
    column = next(column for column in section.columns if column.key == asked["sort"])
    descending = asked["order"] == "desc"
    return found.order_by(
        _order(column, descending), "-pk" if descending else "pk"
    )  # an index, read from either end


def _order(column: Column, descending: bool) -> Any:
    if column.shape in ("number", "yes", "moment"):
        return f"-{column.sort}" if descending else column.sort
    return ordered_by(column.sort, descending=descending)


def _asked(request: HttpRequest, section: Section) -> dict[str, Any]:
    sortable = [column.key for column in section.columns if column.sort]
    sort, size = request.GET.get("sort", ""), request.GET.get("size", "")
    return {
        "q": request.GET.get("q", "").strip()[:200],
        "sort": sort if sort in sortable else sortable[0],
        "order": "desc" if request.GET.get("order") == "desc" else "asc",
        "size": int(size) if size in map(str, PAGE_SIZES) else DEFAULT_SIZE,
        "filter": [choice.key for choice in section.filters if choice.key in request.GET.getlist("filter")],
    }


def _choice(choice: ListFilter, asked: dict[str, Any]) -> FilterChoice:
    chosen = choice.key in asked["filter"]
    turned = (
        [key for key in asked["filter"] if key != choice.key] if chosen else [*asked["filter"], choice.key]
    )
    return FilterChoice(choice.label, urlencode({**asked, "filter": turned}, doseq=True), chosen)


def _head(column: Column, asked: dict[str, Any]) -> Head:
    if not column.sort:
        return Head(column.label, "", "", column.shape)
    mine = asked["sort"] == column.key
    turned = "desc" if mine and asked["order"] == "asc" else "asc"
    query = urlencode({**asked, "sort": column.key, "order": turned}, doseq=True)
    return Head(
        column.label,
        query,
        ("descending" if asked["order"] == "desc" else "ascending") if mine else "none",
        column.shape,
    )


def _row(section: Section, entry: Any) -> Row:
    return Row(entry.pk, str(entry), [Cell(column.value(entry), column.shape) for column in section.columns])
