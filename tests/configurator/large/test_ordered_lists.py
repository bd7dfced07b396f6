"""Lists are ordered by indexes, and searched as the plain way would, however many entries there are."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from configurator.database import order_indexes
from configurator.database.order_indexes import INDEXED, install_order_indexes, remove_order_indexes
from configurator.database.text_order import folded_text
from configurator.models import Operator, PauseReason
from configurator.publishing import replacement
from configurator.sections.registry import SECTIONS
from tests.bench.workload.largest_configuration import largest_configuration
from tests.configurator.conftest import MD5
from tests.configurator.large.conftest import LARGE

COLUMNS = [
    (section.key, column.key)
    for section in SECTIONS.values()
    for column in section.columns
    if column.sort in INDEXED.get(section.model.__name__.lower(), ())
]


@pytest.fixture(autouse=True)
def indexes() -> None:
    """A test of this process may have restored a copy, which has none."""
    with connections["configuration"].cursor() as cursor:
        install_order_indexes(cursor)


def index_names() -> set[str]:
    with connections["configuration"].cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'order%'")
        return {name for (name,) in cursor.fetchall()}


def plans_of(browser: Client, address: str) -> list[str]:
    """How SQLite goes about each query of a page with an order."""
    asked: list[tuple[str, Any]] = []

    def execute(go_on: Any, sql: str, values: Any, *more: Any) -> Any:
        asked.append((sql, values))
        return go_on(sql, values, *more)

    with connections["configuration"].execute_wrapper(execute):
        assert browser.get(address).status_code == 200
    with connections["configuration"].cursor() as cursor:
        plans = []
        for sql, values in asked:
            if "order_key" in sql:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                plans.append("\n".join(str(line[3]) for line in cursor.fetchall()))
    return plans


def test_each_text_column_of_a_long_list_is_one_of_these() -> None:
    assert {field for _, field in COLUMNS} >= {"full_name", "username", "extension", "mac", "name", "context"}
    assert len(COLUMNS) == sum(map(len, INDEXED.values()))


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(("section", "column"), COLUMNS)
def test_a_page_of_a_list_is_read_in_the_order_of_an_index(
    admin: Client, section: str, column: str, order: str
) -> None:
    replacement.replace_all(largest_configuration(*LARGE))
    (plan,) = plans_of(admin, f"/{section}/?sort={column}&order={order}")
    assert " USING INDEX order_" in plan and "FOR ORDER BY" not in plan, plan


def test_indexes_of_another_unicode_or_release_are_made_anew(
    monkeypatch: pytest.MonkeyPatch, admin: Client
) -> None:
    before = index_names()
    assert len(before) == sum(map(len, INDEXED.values()))
    assert all(name.endswith(unicodedata.unidata_version.replace(".", "_")) for name in before)
    with connections["configuration"].cursor() as cursor:
        monkeypatch.setattr(order_indexes, "VERSION", order_indexes.VERSION + 1)
        install_order_indexes(cursor)
        assert index_names().isdisjoint(before) and len(index_names()) == len(before)
        monkeypatch.undo()
        install_order_indexes(cursor)
        assert index_names() == before
        remove_order_indexes(cursor)
        assert index_names() == set()
        Operator.objects.create(username="z", full_name="Zoe", password=MD5)
        Operator.objects.create(username="a", full_name="Émile", password=MD5)
        install_order_indexes(cursor)
    assert index_names() == before
    assert [row.name for row in admin.get("/operators/").context["rows"]] == ["a", "z"]


class Overtaken:
    """A cursor of a process that another one overtakes once it has looked what is there."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._overtaken = False
        self.fetchall = cursor.fetchall

    def execute(self, statement: str) -> None:
        if not statement.startswith("SELECT") and not self._overtaken:
            self._overtaken = True
            install_order_indexes(self._cursor)
        self._cursor.execute(statement)


def test_two_processes_may_make_them_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = index_names()
    with connections["configuration"].cursor() as cursor:
        remove_order_indexes(cursor)
        install_order_indexes(Overtaken(cursor))
        assert index_names() == before
        monkeypatch.setattr(order_indexes, "VERSION", order_indexes.VERSION + 1)
        install_order_indexes(cursor)
        monkeypatch.undo()
        install_order_indexes(Overtaken(cursor))
    assert index_names() == before


TEXTS = st.text(st.sampled_from("aBéẞİ%_\\'² ñ\0𝐀Ⓑ\u0301"), max_size=5)


@example("", "\0")
@example("Anna", "𝐀")
@given(TEXTS, TEXTS.filter(bool))
def test_a_search_finds_what_contains_the_text_without_case_and_accents(name: str, text: str) -> None:
    PauseReason.objects.all().delete()
    PauseReason.objects.create(name=name)
    found = PauseReason.objects.filter(name__resembles=text).exists()
    assert found == ((folded_text(text) or "") in (folded_text(name) or ""))


@pytest.mark.parametrize(("name", "text"), [("𝐀nna", "anna"), ("Anna", "𝐀"), ("℡ 5", "tel"), ("Ⓑ", "b")])
def test_letters_of_a_look_of_their_own_are_found_as_all_others(name: str, text: str) -> None:
    PauseReason.objects.create(name=name)
    assert PauseReason.objects.filter(name__resembles=text).exists()
