"""The lists: search, sort, page."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from configurator import sections
from configurator.database.text_order import in_order
from configurator.sections import Column, Module
from configurator.users import roles

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = 50


class Cell(NamedTuple):
    """A value and how it looks."""

    value: Any
    shape: str
    label: Any


class Row(NamedTuple):
    """One entry of a list."""

    pk: int
    name: str
    cells: list[Cell]


class Head(NamedTuple):
    """A column's head: where a click leads and how it is sorted now."""

    label: Any
    query: str
    order: str
    shape: str


def module_of(request: HttpRequest, key: str) -> Module:
    """The module of an address, if this user may read it."""
    module = sections.MODULES.get(key)
    if module is None:
        raise Http404
    roles.demand(request, module.readers)
    return module


@require_GET
def listing(request: HttpRequest, key: str) -> HttpResponse:
    """A module's page, or only its list where a part of the page asks."""
    module = module_of(request, key)
    asked = _asked(request, module)
    rows = sections.find(module, asked["q"])
    column = next(column for column in module.columns if column.key == asked["sort"])
    page = Paginator(rows.order_by(_order(column, asked["order"] == "desc"), "pk"), asked["size"]).get_page(
        request.GET.get("page")
    )
    context = {
        "module": module,
        "may_edit": roles.may(request, module.editors),
        "asked": asked,
        "page": page,
        "sizes": PAGE_SIZES,
        "heads": [_head(column, asked) for column in module.columns],
        "rows": [_row(module, entry) for entry in page.object_list],
        "query": urlencode(asked),
    }
    whole = not request.headers.get("HX-Request") or request.headers.get("HX-History-Restore-Request")
    return render(request, "configurator/list.html" if whole else "configurator/list_rows.html", context)


def _order(column: Column, descending: bool) -> Any:
    if column.shape in ("number", "yes", "moment"):
        return f"-{column.sort}" if descending else column.sort
    return in_order(column.sort, descending=descending)


def _asked(request: HttpRequest, module: Module) -> dict[str, Any]:
    sortable = [column.key for column in module.columns if column.sort]
    sort, size = request.GET.get("sort", ""), request.GET.get("size", "")
    return {
        "q": request.GET.get("q", "").strip()[:200],
        "sort": sort if sort in sortable else sortable[0],
        "order": "desc" if request.GET.get("order") == "desc" else "asc",
        "size": int(size) if size in map(str, PAGE_SIZES) else DEFAULT_SIZE,
    }


def _head(column: Column, asked: dict[str, Any]) -> Head:
    if not column.sort:
        return Head(column.label, "", "", column.shape)
    mine = asked["sort"] == column.key
    turned = "desc" if mine and asked["order"] == "asc" else "asc"
    query = urlencode({**asked, "sort": column.key, "order": turned})
    return Head(
        column.label,
        query,
        ("descending" if asked["order"] == "desc" else "ascending") if mine else "none",
        column.shape,
    )


def _row(module: Module, entry: Any) -> Row:
    return Row(
        entry.pk,
        str(entry),
        [Cell(column.value(entry), column.shape, column.label) for column in module.columns],
    )
