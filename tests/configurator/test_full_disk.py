"""Where a session cannot be stored: pages say what is wrong, and nobody is told that it makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, OperationalError
from django.test import Client

FULL = OperationalError("database or disk is full")
ENDED = DatabaseError("Forced update did not affect any rows.")
"""What Django says where the row of a session is gone."""


def cannot_be_stored(patch: pytest.MonkeyPatch, client: Client, error: Exception) -> None:
    """Let the session be due for its renewal, which fails."""
    session = client.session
    session["renewed"] -= 3600
    session.save()

    def save(*_: Any, **__: Any) -> None:
        raise error

    patch.setattr(Session, "save", save)


@pytest.fixture
def reader(admin: Client) -> Client:
    """A browser that looked at a page already."""
    assert admin.get("/operators/").status_code == 200
    return admin


def test_a_full_disk_keeps_nobody_from_reading(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cannot_be_stored(monkeypatch, reader, FULL)
    for _ in range(2):
        assert "Nothing here yet" in reader.get("/operators/").content.decode()


def test_what_the_next_page_was_to_say_is_said_at_once(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader.get("/publish/").context
    cannot_be_stored(monkeypatch, reader, FULL)
    answer = reader.post("/publish/now/", {"form": "xml", "last": "", "digest": page["digest"]})
    said = answer.content.decode()
    assert answer.status_code == 507 and "The disk is full" in said
    assert "Nothing was published: no directory to publish to was given" in said


@pytest.mark.parametrize("part", [{}, {"HX-Request": "true"}])
def test_a_session_that_was_ended_meanwhile_is_asked_for_again(
    reader: Client, monkeypatch: pytest.MonkeyPatch, part: dict[str, str]
) -> None:
    cannot_be_stored(monkeypatch, reader, ENDED)
    answer = reader.get("/operators/", headers=part)
    assert answer.status_code == (401 if part else 302)
    assert part or answer.url.startswith("/login/")
