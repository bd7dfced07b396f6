"""Large files are read in a process of their own, with what reading them here says; small ones here."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from configurator.publishing import publication, reading_apart, replacement, working_copy
from configurator.publishing.reading_apart import Form, check_readable, form_of, read_configuration
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError
from schemas.sentences import retold
from tests.bench.workload.largest_configuration import largest_configuration
from tests.configurator.large.conftest import SMALL, told_of_calls

FORMS: tuple[Form, ...] = ("xml", "sqlite")
SAMPLE = Path(__file__).resolve().parents[3] / "astcti_server" / "etc" / "sample" / "configuration.xml"


@pytest.fixture
def always_apart(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The smallest file, too; the processes that were started."""
    monkeypatch.setattr(reading_apart, "LARGE", 1)
    return told_of_calls(monkeypatch, subprocess, "Popen")


def marked(template: str) -> str:
    return f"<{template}>"


def written(path: Path, form: Form, configuration: Configuration) -> Path:
    if form == "sqlite":
        path.write_bytes(sqlite_form.database_bytes(configuration, ""))
    else:
        path.write_bytes(xml_form.dump_xml(configuration))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_another_process_says_what_reading_it_here_does(
    tmp_path: Path, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that a configuration has; and this process does not read it."""
    sample = xml_form.load_xml(SAMPLE)
    path = written(tmp_path / "a file", form, sample)
    assert form_of(path) == form
    monkeypatch.setattr(reading_apart, "LARGE", 1)
    for module, name in ((xml_form, "load_xml"), (sqlite_form, "load_sqlite")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("read here"))
    found = read_configuration(path, form)
    assert found == sample and found.operator_by_username.keys() == sample.operator_by_username.keys()
    check_readable(path, form)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_wrong_is_told_as_ever(
    tmp_path: Path, form: Form, always_apart: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad"
    if form == "xml":
        path.write_text("<configuration>\n<services><service/></services></configuration>")
    else:
        path.write_bytes(sqlite_form.MAGIC + b"and no more")
    refused = xml_form.load_xml if form == "xml" else sqlite_form.load_sqlite
    with pytest.raises(ConfigurationError) as here:
        refused(path)
    monkeypatch.setattr(xml_form, "load_xml", lambda *_: pytest.fail("read here"))
    monkeypatch.setattr(sqlite_form, "load_sqlite", lambda *_: pytest.fail("read here"))
    for read in (read_configuration, check_readable):
        with pytest.raises(ConfigurationError) as apart:
            read(path, form)
        assert apart.value.problems == here.value.problems
        told = [
            [retold(problem.message, marked) for problem in wrong]
            for wrong in (apart.value.problems, here.value.problems)
        ]
        assert told[0] == told[1] and told[0][0].startswith("<")
    assert len(always_apart) == 2


def test_without_another_process_it_is_read_here(
    tmp_path: Path, always_apart: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "file", "xml", largest_configuration(*SMALL))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with caplog.at_level(logging.WARNING):
        assert read_configuration(path, "xml") == largest_configuration(*SMALL)
    assert "no other process could read file" in caplog.text
    ends_at_once = tmp_path / "python"
    ends_at_once.write_text("#!/bin/sh\necho out of memory >&2\nexit 9\n")
    ends_at_once.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(ends_at_once))
    with caplog.at_level(logging.WARNING):
        check_readable(path, "xml")
    assert "out of memory" in caplog.text and len(always_apart) == 2


@pytest.mark.parametrize("refusal", [PermissionError, AttributeError])
def test_it_is_read_also_where_no_process_may_go_behind_others(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], refusal: type[Exception]
) -> None:
    """In a sandbox, on Windows."""

    def refuse(_: int) -> int:
        raise refusal

    monkeypatch.setattr(os, "nice", refuse)
    assert reading_apart.main([str(SAMPLE), "xml", "nothing"]) == 0
    assert pickle.loads(capsysbinary.readouterr().out) == ((), None)


def test_a_small_file_needs_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = told_of_calls(monkeypatch, subprocess, "Popen")
    path = written(tmp_path / "file", "xml", largest_configuration(*SMALL))
    assert read_configuration(path, "xml") == largest_configuration(*SMALL)
    check_readable(path, "xml")
    assert not started


@pytest.mark.parametrize("form", FORMS)
def test_a_large_publication_is_read_back_apart(
    publish_directory: Path, form: Form, always_apart: list[Any]
) -> None:
    replacement.replace_all(largest_configuration(*SMALL))
    done = publication.publish_configuration(working_copy.configuration(), form, "ada", force=True)
    assert len(always_apart) == 1
    assert read_configuration(done.path, form) == working_copy.configuration()
