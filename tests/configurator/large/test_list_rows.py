"""The rows of a list say what their entries say in their columns' shapes, and no name is taken for HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from lxml import html

from configurator.models import Operator, Seat, Service, ServiceOperator
from configurator.web.list_rows import Cell, Row, rows_as_html
from tests.configurator.conftest import MD5

EVIL = """<script>alert("1")</script> & 'x'"""


def cells_of(*cells: Cell, language: str = "en", name: str = "anna", choosable: bool = False) -> list[Any]:
    with translation.override(language):
        text = rows_as_html([Row(7, name, list(cells))], "/below/operators/", choosable=choosable)
    return list(html.fromstring(f"<table><tbody>{text}</tbody></table>").iter("td"))


@pytest.mark.parametrize("shape", ["text", "strong", "code", "pill", "number"])
def test_what_a_cell_says_is_text_in_every_shape(shape: str) -> None:
    (cell,) = cells_of(Cell(EVIL, shape))
    assert cell.text_content() == EVIL and cell.get("class") == shape
    assert not list(cell.iter("script"))


def test_each_shape_has_its_own_look() -> None:
    texts = cells_of(
        Cell("a", "code"), Cell("", "code"), Cell("b", "pill"), Cell(0, "number"), Cell(None, "moment")
    )
    assert [child.tag for cell in texts for child in cell] == ["code", "span"]
    assert [cell.text_content() for cell in texts] == ["a", "", "b", "0", "–"]
    moment = datetime(2026, 11, 29, 13, 5, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        (cell,) = cells_of(Cell(moment, "moment"))
    assert "2026" in cell.text_content() and "22:05" in cell.text_content()
    yes, no = cells_of(Cell(True, "yes"), Cell(False, "yes"), language="it")
    assert yes.find("svg").get("aria-label") == "sì" and "no" in no.text_content()


def test_a_row_leads_to_its_forms_and_its_name_is_said() -> None:
    box, strong = cells_of(Cell("Anna", "strong"), name=EVIL, choosable=True)
    assert box.find("input").get("aria-label") == EVIL
    assert strong.find("a").get("href") == "/below/operators/7/edit/"
    row = strong.getparent()
    assert [row.get(f"data-{name}") for name in ("pk", "edit", "remove", "clone")] == [
        "7",
        "/below/operators/7/edit/",
        "/below/operators/7/remove/",
        "/below/operators/add/?like=7",
    ]


def test_the_addresses_of_a_row_are_those_of_its_pages(admin: Client) -> None:
    seat = Seat.objects.create(mac="02:00:00:00:00:01", extension="PJSIP/1")
    operator = Operator.objects.create(username="anna", full_name=EVIL, password=MD5, seat=seat)
    service = Service.objects.create(name="Sales", context="sales")
    ServiceOperator.objects.create(service=service, operator=operator)
    page: Any = html.fromstring(admin.get("/operators/").content)
    (row,) = page.iterfind(".//tbody/tr")
    assert [" ".join(cell.text_content().split()) for cell in row.iterfind("td")][1:5] == [
        EVIL,
        "anna",
        "PJSIP/1",
        "Sales",
    ]
    for name in ("edit", "remove", "clone"):
        assert admin.get(row.get(f"data-{name}")).status_code == 200
