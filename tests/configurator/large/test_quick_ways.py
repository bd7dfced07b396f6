"""What is told, ordered and stored in a quick way is what the plain way says."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from configurator.checks import entry_checks
from configurator.database.many_rows import insert_rows, update_rows
from configurator.database.text_order import folded_text, order_key
from configurator.models import AuditEntry, Operator, Seat
from configurator.publishing import differences
from schemas.configuration import model as schema
from schemas.configuration import xml_form
from tests.bench.workload.largest_configuration import largest_configuration
from tests.configurator.large.conftest import SMALL, counted_queries, told_of_calls, upload

few = st.sampled_from
words = few(["", "a", "b"])
triggers = st.builds(
    schema.Trigger,
    type=few(["browser", "application"]),
    on=few(["ring", "answer"]),
    os=few(["any", "linux"]),
    again=st.booleans(),
).flatmap(
    lambda trigger: st.builds(
        lambda a, b: (
            replace(trigger, application=a or "x", parameters=b)
            if trigger.type == "application"
            else replace(trigger, url=a or "x")
        ),
        words,
        words,
    )
)
services = st.builds(
    schema.Service,
    name=words,
    context=words,
    type=few(["inbound", "outbound"]),
    is_queue=st.booleans(),
    queue_name=words,
    enabled=st.booleans(),
    variables=st.lists(words, max_size=3).map(tuple),
    triggers=st.lists(triggers, max_size=2).map(tuple),
    operators=st.lists(st.builds(schema.Binding, words, st.integers(0, 1)), max_size=3).map(tuple),
    may_leave=st.booleans(),
)
seats = st.builds(
    schema.Seat,
    mac=words,
    extension=words,
    queue_interface=words,
    state_interface=words,
    address=words,
    description=words,
    answer=few(["none", "notify"]),
)
operators = st.builds(
    schema.Operator,
    username=words,
    full_name=words,
    password=words,
    seat=words,
    begin_in_pause=st.booleans(),
    enabled=st.booleans(),
    scram=few(["", "s"]),
)


def differ_in_words(describe: Callable[[Any], Any], old: Any, new: Any) -> bool:
    return bool(differences.field_changes(describe(old), describe(new)))


@given(services, services)
def test_services_differ_where_their_descriptions_do(old: schema.Service, new: schema.Service) -> None:
    assert differences.differ(old, new) == differ_in_words(differences.describe_service, old, new)


@given(services, st.randoms())
def test_in_which_order_a_service_says_it_does_not_count(service: schema.Service, luck: Any) -> None:
    mixed: dict[str, Any] = {}
    for field in ("variables", "triggers", "operators"):
        mixed[field] = tuple(luck.sample(getattr(service, field), len(getattr(service, field))))
    assert not differences.differ(service, replace(service, **mixed))


@given(seats, seats)
def test_seats_differ_where_their_descriptions_do(old: schema.Seat, new: schema.Seat) -> None:
    assert differences.differ(old, new) == differ_in_words(differences.describe_seat, old, new)


@given(operators, operators)
def test_operators_differ_where_their_descriptions_do(old: schema.Operator, new: schema.Operator) -> None:
    assert differences.differ(old, new) == differ_in_words(differences.describe_operator, old, new)


def test_of_many_differences_only_those_are_put_into_words_that_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = tuple(schema.Operator(f"op{number}", "", "md5:0") for number in range(1000))
    told = told_of_calls(monkeypatch, differences, "describe_operator")
    found = differences.between(schema.Configuration(), schema.Configuration(operators=many))
    assert len(found) == 1000 and found.counts() == {("operator", "added"): 1000}
    assert not told
    assert [difference.name for difference in found[:3]] == ["op0", "op1", "op2"]
    last = found[-1]
    assert last.entry_name == "op999" and last.what == "added"
    assert len(told) == 4


def as_people_order(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", folded_text(text) or "", flags=re.ASCII)
    return [(0, int(part), "") if at % 2 else (1, 0, part) for at, part in enumerate(parts) if part]


@given(*[st.text(st.sampled_from("aBbéz 0129-/"), max_size=6)] * 2)
def test_keys_are_ordered_as_people_do(one: str, other: str) -> None:
    left, right = as_people_order(one), as_people_order(other)
    keys = [(order_key(text) or "").encode() for text in (one, other)]
    assert (keys[0] < keys[1]) == (left < right) and (keys[0] == keys[1]) == (left == right)


def test_rows_are_stored_as_django_stores_them() -> None:
    """All columns, those of other kinds too, and no other row."""
    seat = Seat.objects.create(mac="02:00:00:00:00:01", extension="PJSIP/1")
    for name in ("anna", "bea", "carla"):
        Operator.objects.create(username=name, full_name="Before", password="md5:0")
    changed = list(Operator.objects.filter(username__in=("anna", "bea")))
    for operator in changed:
        operator.full_name, operator.enabled, operator.seat = "Zoë 'x'; --%s", False, seat
    update_rows(changed)
    rows = Operator.objects.order_by("username").values_list("full_name", "enabled", "seat", "revision")
    first = Operator(username="x").revision
    assert list(rows) == [("Zoë 'x'; --%s", False, seat.pk, first + 1)] * 2 + [("Before", True, None, first)]

    entries = [
        AuditEntry(userid="ada", action="edit", name=f"é{number}", details=[["Name", "", "%s"]])
        for number in range(3)
    ]
    insert_rows(entries)
    stored = list(AuditEntry.objects.order_by("pk")[:3])
    assert [(row.at, row.name, row.details) for row in stored] == [
        (row.at, row.name, row.details) for row in entries
    ]
    update_rows([])
    insert_rows([])


def test_after_a_take_over_the_next_pages_read_and_check_nothing_anew(
    admin: Client, publish_directory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = xml_form.dump_xml(largest_configuration(*SMALL))
    seen = upload(admin, "configuration", wanted, "no")["seen"]
    assert upload(admin, "configuration", wanted, seen)["stored"]
    checked = told_of_calls(monkeypatch, entry_checks, "check_configuration")
    with counted_queries() as asked:
        page = admin.get("/publish/")
        admin.get("/publish/badge/", headers={"HX-Request": "true"})
    assert len(page.context["differences"]) == 2 * SMALL[0] + SMALL[1]
    assert not checked
    assert not [sql for sql in asked if re.search("FROM .configurator_(service|seat|operator)", sql)]


KEPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from schemas.web.freed_memory import FreedMemory

    def resident():
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * 4096

    memory = FreedMemory()
    memory.give_back()
    from lxml import etree
    tree = etree.fromstring("<a>" + "<b c='d'>e</b>" * 400_000 + "</a>")
    most, between = resident(), etree.fromstring("<lives-on/>")
    del tree
    given = memory.give_back()
    print(0 < given < most, most - resident(), memory.give_back())
    """
)


def test_memory_that_was_freed_is_given_back_and_not_looked_at_without_need() -> None:
    """In a process of its own, which has nothing else."""
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    given, freed, again = done.stdout.split()
    assert (given, again) == ("True", "0") and int(freed) > 30_000_000
