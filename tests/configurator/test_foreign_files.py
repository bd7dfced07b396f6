"""Files in the publish directory that are not from here, and what the server says of its directory."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from configurator.models import Operator, Publication, Seat, Snapshot
from configurator.publishing import foreign, publication, working_copy
from schemas.configuration import xml_form
from tests.configurator.conftest import status_file


def publish(client: Client, **more: str) -> str:
    context = client.get("/publish/").context
    last = context["last"].pk if context["last"] else ""
    data = {"form": "xml", "digest": context["digest"], "last": last, **more}
    return client.post("/publish/now/", data, follow=True).content.decode()


@pytest.fixture
def by_hand(admin: Client, demo, publish_directory: Path) -> Path:
    """Published from here, then edited by somebody else; here, too, something was added."""
    publish(admin)
    text = xml_form.dump_xml(working_copy.configuration()).replace(b"Mario Rossi", b"Mario Bianchi")
    path = publish_directory / "by-hand.xml"
    path.write_bytes(text)
    os.utime(path, (time.time() + 1, time.time() + 1))
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    return path


def test_a_publication_over_somebody_elses_file_is_asked_about(admin: Client, by_hand: Path) -> None:
    page = admin.get("/publish/").content.decode()
    assert "by-hand.xml is in force and was not published from here" in page
    assert "Say what shall become of it" in publish(admin)
    assert Publication.objects.count() == 1
    found = foreign.find_foreign(working_copy.configuration())
    assert found is not None
    assert "Published as" in publish(admin, over=found.sha256)
    os.utime(by_hand, (1, 1))
    assert "was not published from here" not in admin.get("/publish/").content.decode()


@pytest.mark.parametrize("merge, seats", [("", 1), ("?merge=1", 2)])
def test_such_a_file_is_imported_or_merged_and_is_no_stranger_then(
    admin: Client, by_hand: Path, merge: str, seats: int
) -> None:
    question = admin.get(f"/publish/foreign/{merge}")
    admin.post(f"/publish/foreign/{merge}", {"seen": question.context["seen"]})
    assert Operator.objects.get().full_name == "Mario Bianchi" and Seat.objects.count() == seats
    assert Snapshot.objects.count() == 1 and Publication.objects.first().file == "by-hand.xml"
    assert foreign.find_foreign(working_copy.configuration()) is None
    assert "Published as" in publish(admin)


def test_going_back_over_such_a_file_asks_too(admin: Client, by_hand: Path) -> None:
    first = Publication.objects.get()
    page = admin.post(f"/publish/{first.pk}/roll-back/")
    assert "by-hand.xml" in page.content.decode() and Publication.objects.count() == 1
    admin.post(f"/publish/{first.pk}/roll-back/", {"over": page.context["foreign"].sha256})
    assert Publication.objects.count() == 2


def test_what_the_server_refuses_and_what_is_gone_is_shown(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    published = Publication.objects.get()
    said: dict[str, Any] = {
        "configuration": {
            "file": str(publish_directory / "gone.xml"),
            "sha256": "00",
            "since": "2026-01-01T10:00:00+00:00",
        },
        "refused": [
            {"file": "/etc/astcti/broken.xml", "errors": ["/etc/astcti/broken.xml:7: no such thing"]}
        ],
        "ami": {"state": "up"},
        "pid": os.getpid(),
        "clients": 3,
        "calls": 1,
        "version": "1",
        "written": datetime.fromtimestamp(time.time() + 9, UTC).isoformat(),
    }
    status_file().write_text(json.dumps(said))
    os.utime(publish_directory / published.file, (time.time() + 900, time.time() + 900))
    page = admin.get("/publish/status/").content.decode()
    for words in ("broken.xml:7: no such thing", "gone.xml is in force but was deleted", "seconds ahead"):
        assert words in page
    assert f"The time of {published.file} is still to come" in page
    said["configuration"].update(file=str(publish_directory / published.file), sha256=published.sha256)
    said.update(refused=[], written=datetime.now(UTC).isoformat())
    status_file().write_text(json.dumps(said))
    os.utime(publish_directory / published.file)
    page = admin.get("/publish/status/").content.decode()
    for words in ("broken.xml", "was deleted", "ahead", "still to come"):
        assert words not in page


def test_a_file_of_others_that_is_not_valid_asks_nothing(admin: Client, by_hand: Path) -> None:
    by_hand.write_text("<configuration/")
    os.utime(by_hand, (time.time() + 1, time.time() + 1))
    assert foreign.find_foreign(working_copy.configuration()) is None
    assert publication.PUBLISHED_NAME.fullmatch(Publication.objects.get().file)
