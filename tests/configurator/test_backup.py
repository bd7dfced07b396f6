"""Backups and their restoration, copies of each night, and one application on the same data."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path

import click
import pytest

from configurator.commands import data_directory
from configurator.database import backup
from configurator.models import ManagerUser, Operator
from configurator.options import Options, current_options
from configurator.publishing import working_copy
from tests.configurator.conftest import MD5
from tests.fake.patience import PATIENCE


def restore(file: Path) -> bool:
    with backup.unpacked(current_options(), file) as folder:
        return backup.put_back(current_options(), folder)


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


def test_what_was_backed_up_comes_back_while_others_read_and_nothing_of_it_is_left_open(
    demo, users, log_in, tmp_path: Path
) -> None:
    chosen = current_options()
    before = working_copy.configuration()
    browser = log_in("administrator")
    with closing(sqlite3.connect(chosen.configuration_file)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM configurator_operator").fetchone()
        backup.write_backup(chosen, tmp_path / "all.zip")
        Operator.objects.all().delete()
        ManagerUser.objects.filter(userid="viewer").delete()
        assert restore(tmp_path / "all.zip") is False
    assert working_copy.configuration() == before
    assert ManagerUser.objects.filter(userid="viewer").exists()
    assert browser.get("/services/").status_code == 302, "every session has ended"
    assert modes(tmp_path) == {0o600}
    assert list((chosen.data / "temporary").iterdir()) == []


def test_a_copy_can_be_checked_and_changed_without_this_program(demo, tmp_path: Path) -> None:
    """So an older release restores it, too."""
    backup.write_backup(current_options(), tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extract("configuration.sqlite", tmp_path)
    with closing(sqlite3.connect(tmp_path / "configuration.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.execute("UPDATE configurator_seat SET description = 'other'")


def test_the_secret_key_comes_back_too_and_is_told(demo, tmp_path: Path) -> None:
    chosen = current_options()
    backup.write_backup(chosen, tmp_path / "all.zip")
    key = (chosen.data / "secret-key").read_bytes()
    try:
        (chosen.data / "secret-key").write_bytes(b"another")
        assert restore(tmp_path / "all.zip") is True
        assert (chosen.data / "secret-key").read_bytes() == key
    finally:
        (chosen.data / "secret-key").write_bytes(key)


def test_what_is_no_backup_or_half_of_one_changes_nothing(demo, tmp_path: Path) -> None:
    whole = tmp_path / "all.zip"
    backup.write_backup(current_options(), whole)
    half, other, damaged = (tmp_path / name for name in ("half.zip", "other.zip", "damaged.zip"))
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("../configuration.sqlite", b"")
    with zipfile.ZipFile(damaged, "w") as archive, zipfile.ZipFile(whole) as source:
        archive.writestr("managers.sqlite", source.read("managers.sqlite"))
        archive.writestr("configuration.sqlite", b"no database at all, but long enough to be looked at")
    for file, words in ((half, "damaged"), (other, "missing"), (damaged, "configuration.sqlite is damaged")):
        with pytest.raises(backup.BackupError, match=words):
            restore(file)
    assert Operator.objects.get().username == "mario"


def test_a_backup_of_a_newer_release_is_refused(demo, tmp_path: Path) -> None:
    file = tmp_path / "all.zip"
    backup.write_backup(current_options(), file)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "parts")
    with closing(sqlite3.connect(tmp_path / "parts" / "managers.sqlite")) as database:
        database.execute(
            "INSERT INTO django_migrations(app, name, applied)"
            " VALUES ('configurator', '0999_later', '2030-01-01')"
        )
        database.commit()
    shutil.make_archive(str(tmp_path / "newer"), "zip", tmp_path / "parts")
    with pytest.raises(backup.BackupError, match="newer release"):
        restore(tmp_path / "newer.zip")


def test_each_night_a_copy_is_kept_for_so_many_days(demo, tmp_path: Path) -> None:
    chosen = Options(tmp_path / "data")
    shutil.copytree(current_options().data, chosen.data, ignore=shutil.ignore_patterns("copies", "temporary"))
    days = [date(2026, 1, day) for day in range(1, 6)]
    made = [backup.make_nightly_copy(chosen, 3, day) for day in days]
    assert [path.name for path in made if path] == [f"nightly-{day}.zip" for day in days]
    assert backup.make_nightly_copy(chosen, 3, days[-1]) is None
    kept = sorted(path.name for path in (chosen.data / "copies").iterdir())
    assert kept == [f"nightly-{day}.zip" for day in days[-3:]]
    assert modes(chosen.data / "copies") == {0o600}


def test_a_second_application_on_the_same_data_is_refused_with_the_process_of_the_first(
    tmp_path: Path,
) -> None:
    chosen = Options(tmp_path / "data")
    with data_directory.in_use(chosen):
        line = [sys.executable, "-m", "configurator", "--data", str(chosen.data), "--listen", "127.0.0.1:0"]
        second = subprocess.run(line, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
        with pytest.raises(click.ClickException, match="runs on"), data_directory.in_use(chosen):
            pass
    assert second.returncode == 1 and "process " in second.stderr and "another --data" in second.stderr
    with data_directory.in_use(chosen):
        assert not chosen.manager_file.exists(), "it was refused before it touched anything"


def test_the_commands_back_up_and_restore_and_keep_what_was_there(tmp_path: Path) -> None:
    places = ["--data", str(tmp_path / "data"), "--publish", str(tmp_path)]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "configurator", *places, *words]
        return subprocess.run(line, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)

    (tmp_path / "rows.csv").write_text(f"username,full-name,password\nmario,Mario Rossi,{MD5}\n")
    assert run("import", "--csv", "operators", str(tmp_path / "rows.csv")).returncode == 0
    assert run("backup", str(tmp_path / "all.zip")).returncode == 0
    (tmp_path / "rows.csv").write_text("username,full-name\nmario,Mario Bianchi\n")
    assert run("import", "--csv", "operators", str(tmp_path / "rows.csv")).returncode == 0
    restored = run("restore", str(tmp_path / "all.zip"))
    assert restored.returncode == 0, restored.stderr
    kept = Path(restored.stderr.partition("what was there before is ")[2].strip())
    with closing(sqlite3.connect(tmp_path / "data" / "configuration.sqlite")) as database:
        assert database.execute("SELECT full_name FROM configurator_operator").fetchall() == [
            ("Mario Rossi",)
        ]
        assert database.execute(
            "SELECT name FROM sqlite_master WHERE name GLOB 'order_operator_*'"
        ).fetchall()
    with zipfile.ZipFile(kept) as archive:
        assert {"managers.sqlite", "configuration.sqlite", "secret-key"} <= set(archive.namelist())
    assert run("restore", str(tmp_path / "rows.csv")).returncode == 1


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    chosen = Options(tmp_path / "data", tmp_path)
    (chosen.data / "temporary" / "upload-x").mkdir(parents=True)
    (chosen.data / "temporary" / "upload-x" / "upload").write_text("hashes")
    left = tmp_path / f".astcti-20260101-101010-abcdef.xml.{'0' * 16}"
    left.write_text("hashes")
    os.utime(left, (1, 1))
    data_directory.remove_unfinished(chosen)
    assert list((chosen.data / "temporary").iterdir()) == [] and not left.exists()
