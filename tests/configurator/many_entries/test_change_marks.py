"""What is not read again while nothing changed, and is read again after every kind of change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations import AlterField
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import CharField, F
from django.test import Client

from configurator.checks import entry_checks
from configurator.commands import data_directory
from configurator.commands.data_directory import upgrade_databases
from configurator.database import change_marks
from configurator.database.change_marks import install_change_marks, read_marks
from configurator.models import Operator, PauseReason, Seat, Service, ServiceOperator, Trigger, Variable
from configurator.publishing import differences, working_copy


def _comes_back(table: str, entry: Any) -> None:
    """As an earlier state brings it back: under its number, which others have."""
    with working_copy.writing(), connections["configuration"].cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [entry.pk])
        entry.save(force_insert=True)


def _seat_comes_back() -> None:
    seat = Seat.objects.get()
    seat.mac = "00:11:22:33:44:99"
    _comes_back("configurator_seat", seat)


def _operator_comes_back() -> None:
    operator = Operator.objects.get()
    operator.username = "anna"
    _comes_back("configurator_operator", operator)


def _rename_operator() -> None:
    operator = Operator.objects.get()
    operator.full_name = "Mario Neri"
    operator.save()


CHANGES: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "a save that changes nothing": (lambda: Service.objects.get().save(), set()),
    "a higher revision": (lambda: Service.objects.update(revision=F("revision") + 1), set()),
    "an operator's form": (_rename_operator, {"operators"}),
    "another queue": (lambda: Service.objects.update(queue_name="other"), {"services"}),
    "a statement": (lambda: Operator.objects.update(enabled=False), {"operators"}),
    "another user name": (lambda: Operator.objects.update(username="anna"), {"operators", "services"}),
    "another MAC": (lambda: Seat.objects.update(mac="00:11:22:33:44:99"), {"seats", "operators"}),
    "another extension": (lambda: Seat.objects.update(extension="PJSIP/9"), {"seats"}),
    "a binding that goes": (lambda: ServiceOperator.objects.all().delete(), {"services"}),
    "a trigger": (lambda: Trigger.objects.update(url="https://x.example/"), {"services"}),
    "a variable": (lambda: Variable.objects.update(name="other"), {"services"}),
    "a seat that comes back as another one": (_seat_comes_back, {"seats", "operators"}),
    "an operator who comes back as another one": (_operator_comes_back, {"operators", "services"}),
    "many reasons": (lambda: PauseReason.objects.bulk_create([PauseReason(name="a")]), {"reasons"}),
    "a service that goes": (lambda: Service.objects.all().delete(), {"services"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_gives_its_part_another_mark(demo: Any, change: str) -> None:
    write, parts = CHANGES[change]
    before = read_marks()
    working_copy.read_working_copy()
    write()
    after = read_marks()
    assert {part for part in before if before[part] != after[part]} == parts
    assert working_copy.read_working_copy().configuration == fresh_configuration()


def fresh_configuration() -> Any:
    """The configuration, every part of it read again."""
    with connections["configuration"].cursor() as cursor:
        cursor.execute(f"UPDATE {change_marks.TABLE} SET mark = hex(randomblob(8))")
    return working_copy.configuration()


def test_what_was_not_changed_is_not_read_again(admin: Client, demo: Any) -> None:
    first = working_copy.read_working_copy().configuration
    Operator.objects.update(full_name="Mario Neri")
    second = working_copy.read_working_copy().configuration
    assert second.services is first.services and second.seats is first.seats
    assert second.operators[0].full_name == "Mario Neri"


def test_what_is_rolled_back_is_forgotten(demo: Any) -> None:
    with pytest.raises(ZeroDivisionError), working_copy.writing():
        Operator.objects.update(full_name="Nobody")
        assert working_copy.configuration().operators[0].full_name == "Nobody"
        raise ZeroDivisionError
    assert working_copy.configuration().operators[0].full_name == "Mario Rossi"


def test_changes_are_counted_and_checked_only_after_a_change(
    admin: Client, demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "3 changes" in admin.get("/publish/badge/").content.decode()
    admin.get("/publish/")
    with monkeypatch.context() as patch:
        patch.setattr(entry_checks, "check_configuration", lambda *_: pytest.fail("checked again"))
        admin.get("/publish/")
        patch.setattr(differences, "between", lambda *_: pytest.fail("counted again"))
        assert "3 changes" in admin.get("/publish/badge/").content.decode()
    PauseReason.objects.create(name="END")
    assert "4 changes" in admin.get("/publish/badge/").content.decode()
    assert "END ends the list" in admin.get("/publish/").content.decode()


def test_an_upgrade_also_after_a_restoration_sees_to_what_marks_changes(demo: Any) -> None:
    with connections["configuration"].cursor() as cursor:
        cursor.execute("DROP TRIGGER mark_reasons_pausereason_insert")
    before = read_marks()["reasons"]
    PauseReason.objects.create(name="Coffee")
    assert read_marks()["reasons"] == before
    upgrade_databases()
    PauseReason.objects.create(name="Tea")
    assert read_marks()["reasons"] != before


def test_marks_stay_where_they_are_installed_again(demo: Any) -> None:
    before = read_marks()
    install_change_marks()
    assert read_marks() == before


def test_a_migration_may_make_tables_anew(demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite renames no table that a trigger of another one names."""
    connection = connections["configuration"]
    last = ("configurator", "0008_openid_identity")

    def migrate(*_: Any, **__: Any) -> None:
        state = MigrationExecutor(connection).loader.project_state()
        for model, name in (("operator", "full_name"), ("seat", "extension"), ("service", "name")):
            for length in (300, 200):
                field = CharField(max_length=length)
                operation, before = AlterField(model, name, field), state.clone()
                operation.state_forwards("configurator", state)
                with connection.schema_editor() as editor:
                    operation.database_forwards("configurator", editor, before, state)
        MigrationRecorder(connection).record_applied(*last)

    MigrationRecorder(connection).record_unapplied(*last)
    monkeypatch.setattr(data_directory, "call_command", migrate)
    marks, configuration = read_marks(), working_copy.configuration()
    (done,) = upgrade_databases()
    Path(done.partition("copied to ")[2].removesuffix(" before")).unlink()
    now = read_marks()
    assert now.keys() == marks.keys() and not set(now.values()) & set(marks.values())
    assert working_copy.configuration() == configuration
    _rename_operator()
    assert working_copy.configuration().operators[0].full_name == "Mario Neri"
