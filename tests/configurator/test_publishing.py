"""Publishing, what the server makes of it, going back; import, export, CSV."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from astcti_server.config.loading import load_directory
from configurator.models import AuditEntry, ManagerUser, Operator, Publication, Seat, Service
from configurator.publishing import (
    differences,
    directory_files,
    publication,
    published,
    replacement,
    working_copy,
)
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from schemas.server.missing_rights import MissingRight
from tests.configurator.conftest import post_import, status_file

SAMPLE = Path(__file__).resolve().parents[2] / "astcti_server" / "etc" / "sample" / "configuration.xml"


def publish(client: Client, form: str = "xml"):
    digest = working_copy.present_digest()
    last = published.last_publication()
    sent = {"form": form, "digest": digest, "last": last.pk if last else "", "comment": "first"}
    return client.post("/publish/now/", sent)


def write_status(
    directory: Path, file: str, sha256: str, refused: list | None = None, **more: object
) -> None:
    said = {
        "configuration": {
            "file": str(directory / file),
            "sha256": sha256,
            "since": "2026-01-01T10:00:00+00:00",
        },
        "refused": refused or [],
        "ami": {"state": "up"},
        "pid": os.getpid(),
        "clients": 3,
        "calls": 1,
        "version": "1",
        **more,
    }
    status_file().write_text(json.dumps(said))


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_the_servers_readers_read_what_is_published(
    admin: Client, demo, publish_directory, form: str
) -> None:
    publish(admin, form)
    (path,) = publish_directory.iterdir()
    assert publication.PUBLISHED_NAME.fullmatch(path.name)
    assert path.stat().st_mode & 0o777 == 0o640
    load = sqlite_form.load_sqlite if form == "sqlite" else xml_form.load_xml
    assert load(path) == working_copy.configuration()
    assert AuditEntry.objects.get(action="publish").name == path.name


def test_what_the_server_would_refuse_is_not_published(admin: Client, demo, publish_directory) -> None:
    demo["variable"].delete()
    page = admin.get("/publish/").content.decode()
    assert "Not valid" in page and "{CALLDATA} stands for nothing" in page
    refused = publish(admin)
    assert "nothing was published" in admin.get(refused.url).content.decode()
    assert not list(publish_directory.iterdir())
    assert not Publication.objects.exists()


def test_changes_are_told_in_words(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    demo["operator"].full_name = "Mario Bianchi"
    demo["operator"].save()
    demo["service"].triggers.create(url="https://new.example/", position=1)
    Seat.objects.create(mac="00:11:22:33:44:99", extension="PJSIP/209")
    found = {
        (difference.kind, difference.name, difference.what)
        for difference in admin.get("/publish/").context["differences"]
    }
    assert found == {
        ("operator", "mario", "changed"),
        ("service", "Demo", "changed"),
        ("seat", "PJSIP/209", "added"),
    }
    page = admin.get("/publish/").content.decode()
    assert "<del>Mario Rossi</del>" in page and "<ins>Mario Bianchi</ins>" in page
    assert "https://new.example/" in page
    assert ">3<" in admin.get("/publish/badge/").content.decode()


def test_a_change_between_looking_and_publishing_is_told(admin: Client, demo, publish_directory) -> None:
    digest = working_copy.present_digest()
    Seat.objects.create(mac="00:11:22:33:44:99", extension="PJSIP/209")
    answer = admin.post("/publish/now/", {"form": "xml", "digest": digest}, follow=True)
    assert "changed the configuration in the meantime" in answer.content.decode()
    assert not list(publish_directory.iterdir())


def test_the_second_of_two_who_publish_at_once_is_told(admin: Client, demo, publish_directory) -> None:
    sent = {"form": "xml", "digest": working_copy.present_digest(), "last": ""}
    answers = [admin.post("/publish/now/", sent, follow=True).content.decode() for _ in range(2)]
    assert "Published as" in answers[0] and "Somebody published in the meantime" in answers[1]
    assert len(list(publish_directory.iterdir())) == 1


def test_only_the_last_files_stay_and_nobody_elses_is_touched(admin: Client, demo, publish_directory) -> None:
    for name in ("server.xml", "by-hand.xml", "astcti-note.txt"):
        (publish_directory / name).write_text("mine")
    names = []
    for number in range(5):
        publish(admin)
        newest = Publication.objects.first().file
        os.utime(publish_directory / newest, (number, number))
        names.append(newest)
    left = {path.name for path in publish_directory.iterdir()}
    assert left == {"server.xml", "by-hand.xml", "astcti-note.txt", *names[2:]}
    assert Publication.objects.count() == 5


def test_going_back_publishes_the_old_content_under_a_new_name(
    admin: Client, demo, publish_directory
) -> None:
    publish(admin)
    first = Publication.objects.get()
    demo["operator"].full_name = "Mario Bianchi"
    demo["operator"].save()
    publish(admin)
    admin.post(f"/publish/{first.pk}/roll-back/")
    newest = Publication.objects.first()
    assert newest.file not in (first.file, "") and newest.content == first.content
    assert xml_form.load_xml(publish_directory / newest.file).operators[0].full_name == "Mario Rossi"
    assert Operator.objects.get().full_name == "Mario Bianchi"
    question = admin.get(f"/publish/{first.pk}/take/")
    admin.post(f"/publish/{first.pk}/take/", {"seen": question.context["seen"]})
    assert Operator.objects.get().full_name == "Mario Rossi"


def test_two_publications_are_compared(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    Seat.objects.create(mac="00:11:22:33:44:99", extension="PJSIP/209")
    publish(admin)
    new, old = Publication.objects.all()
    page = admin.get(f"/publish/compare/?old={old.pk}&new={new.pk}").content.decode()
    assert "PJSIP/209" in page
    assert "They say the same" in admin.get(f"/publish/compare/?old={new.pk}&new=now").content.decode()
    assert admin.get("/publish/compare/?old=../../etc/passwd&new=now").status_code == 404


def test_the_page_says_whether_the_server_took_it_up(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    last = Publication.objects.get()
    assert "does not say what it does" in admin.get("/publish/status/").content.decode()
    write_status(publish_directory, "old.xml", "00")
    waiting = admin.get("/publish/status/").content.decode()
    assert "uses another file" in waiting and "every 1s" in waiting
    write_status(
        publish_directory,
        "old.xml",
        "00",
        [{"file": str(publish_directory / last.file), "errors": ["x:1: bad"]}],
    )
    assert "x:1: bad" in admin.get("/publish/status/").content.decode()
    write_status(publish_directory, last.file, last.sha256)
    taken = admin.get("/publish/status/").content.decode()
    assert "uses the last publication" in taken and "every 1s" not in taken
    status_file().write_text("{half")
    assert "does not say what it does" in admin.get("/publish/status/").content.decode()


def test_nobody_waits_for_ever_and_an_idle_page_does_not_keep_asking(
    admin: Client, demo, publish_directory
) -> None:
    publish(admin)
    Publication.objects.update(created=timezone.now() - timedelta(minutes=1))
    write_status(publish_directory, "by-hand.xml", "00")
    said = admin.get("/publish/status/").content.decode()
    assert "every 1s" not in said and "within two seconds" not in said
    assert "by-hand.xml is in force: it is newer" in said and "Import it" in said


def test_the_file_of_a_server_that_was_killed_is_not_believed(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    last = Publication.objects.get()
    write_status(publish_directory, last.file, last.sha256)
    ended = subprocess.Popen(["true"])
    ended.wait()
    path = status_file()
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": ended.pid}))
    said = admin.get("/publish/status/").content.decode()
    assert "does not say what it does" in said and "runs here no more" in said


@pytest.mark.parametrize("pid", [10**30, float("inf")])
def test_a_process_id_that_no_machine_has_is_no_server(
    admin: Client, demo, publish_directory, pid: float
) -> None:
    publish(admin)
    last = Publication.objects.get()
    write_status(publish_directory, last.file, last.sha256)
    path = status_file()
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": pid}))
    assert "does not say what it does" in admin.get("/publish/status/").content.decode()


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["allows the server too little", "may not ask for Redirect: add call to", "manager reload"]),
        (
            "it",
            [
                "permette troppo poco al server",
                "non può chiedere Redirect: aggiungere call",
                "manager reload",
            ],
        ),
    ],
)
def test_what_the_manager_user_lacks_is_said_with_what_to_do(
    admin: Client, demo, publish_directory, language: str, expected: list[str]
) -> None:
    ManagerUser.objects.update(language=language)
    write_status(publish_directory, "by-hand.xml", "00")
    assert expected[0] not in admin.get("/publish/status/").content.decode()
    path = status_file()
    said = json.loads(path.read_text())
    lacking = [MissingRight.ASK.text(action="Redirect", classes="call"), "of a newer <server>"]
    path.write_text(json.dumps({**said, "ami": {"state": "up", "lacking": lacking}}))
    page = admin.get("/publish/").content.decode()
    assert [text for text in [*expected, "of a newer &lt;server&gt;"] if text not in page] == []


def test_the_file_of_a_server_that_hangs_is_not_believed(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    last = Publication.objects.get()
    fresh, old = ((timezone.now() - timedelta(seconds=age)).isoformat() for age in (1, 25))
    write_status(publish_directory, last.file, last.sha256, written=fresh)
    assert "is in force since" in admin.get("/publish/status/").content.decode()
    write_status(publish_directory, last.file, last.sha256, written=old)
    said = admin.get("/publish/status/").content.decode()
    assert "does not say what it does" in said and "it hangs, or was killed" in said


def test_what_is_wrong_at_the_server_is_shown(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    last = Publication.objects.get()
    ami = {
        "state": "down",
        "reason": "Asterisk refused the login of user 'astcti'",
        "reason_since": "2026-01-01T10:00:00+00:00",
        "attempts": 7,
    }
    directory = {"error": "/var/lib/astcti: cannot be written", "error_since": "2026-01-01T10:00:00+00:00"}
    write_status(publish_directory, last.file, last.sha256, ami=ami, stuck=["ami"], state_directory=directory)
    said = admin.get("/publish/status/").content.decode()
    assert "Asterisk refused the login of user &#x27;astcti&#x27;" in said and "attempts: 7)" in said
    assert "/var/lib/astcti: cannot be written" in said
    assert "A part of the server hangs" in said
    ManagerUser.objects.update(language="it")
    assert "Una parte del server è bloccata" in admin.get("/publish/status/").content.decode()


def test_a_context_that_is_called_like_a_word_is_not_translated(
    admin: Client, demo, publish_directory
) -> None:
    ManagerUser.objects.update(language="it")
    Service.objects.update(context="outbound", type="outbound", is_queue=False)
    said = admin.get("/publish/").content.decode()
    assert "Contesto: <ins>outbound</ins>" in said and "Tipo: <ins>in uscita</ins>" in said


def test_a_directory_that_is_not_there_is_said(admin: Client, demo, publish_directory) -> None:
    publish_directory.rmdir()
    answer = publish(admin)
    assert "there is no such directory" in admin.get(answer.url).content.decode()
    assert not Publication.objects.exists()
    ManagerUser.objects.update(language="it")
    answer = publish(admin)
    assert "questa directory in cui pubblicare non esiste" in admin.get(answer.url).content.decode()


def publish_as_meant(client: Client, sha256: str, form: str = "xml"):
    """Publish, and say that what this takes away of the file in force is meant."""
    digest = working_copy.present_digest()
    last = published.last_publication()
    sent = {"form": form, "digest": digest, "last": last.pk if last else "", "takes-away": sha256}
    return client.post("/publish/now/", sent, follow=True)


def newest(directory: Path) -> Path:
    last = published.last_publication()
    assert last is not None
    return directory / last.file


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_what_takes_away_much_is_published_only_when_meant_and_says_what_it_replaces(
    admin: Client, demo, publish_directory, form: str
) -> None:
    publish(admin)
    first = Publication.objects.get()
    assert 'name="takes-away"' not in admin.get("/publish/").content.decode()
    for table in (Service, Operator, Seat):
        table.objects.all().delete()
    page = admin.get("/publish/").content.decode()
    assert "1 of 1 operators, 1 of 1 seats, 1 of 1 services" in page and "publish?" in page
    assert f'name="takes-away" value="{first.sha256}" required' in page
    refused = admin.get(publish(admin, form).url).content.decode()
    assert "Nothing was published: it takes away 1 of 1 operators" in refused
    assert "Nothing was published" in publish_as_meant(admin, "0" * 64, form).content.decode()
    assert Publication.objects.count() == 1
    assert "Published as" in publish_as_meant(admin, first.sha256, form).content.decode()
    path = newest(publish_directory)
    assert publication.read_configuration_file(path).replaces == first.sha256
    publish(admin)  # over an empty one nothing is lost
    assert publication.read_configuration_file(newest(publish_directory)).replaces == ""


def test_nothing_is_asked_any_more_while_the_server_takes_up_what_was_meant(
    admin: Client, demo, publish_directory
) -> None:
    publish(admin)
    first = Publication.objects.get()
    write_status(publish_directory, first.file, first.sha256)
    Service.objects.all().delete()
    page = publish_as_meant(admin, first.sha256).content.decode()
    assert "Published as" in page and "The server uses another file" in page
    assert 'name="takes-away"' not in page
    Operator.objects.all().delete()
    assert 'name="takes-away"' in admin.get("/publish/").content.decode()
    publish_as_meant(admin, first.sha256)
    Publication.objects.update(created=timezone.now() - timedelta(minutes=5))
    page = admin.get("/publish/").content.decode()
    assert 'name="takes-away"' in page  # it was not taken up, so it still would take away much


def test_what_is_taken_away_is_told_in_italian(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    ManagerUser.objects.update(language="it")
    for table in (Service, Operator):
        table.objects.all().delete()
    page = admin.get("/publish/").content.decode()
    assert "Questo toglie 1 operatori su 1, 1 servizi su 1 da" in page


def test_going_back_to_what_takes_away_much_is_asked_about(admin: Client, demo, publish_directory) -> None:
    publish(admin)
    small = Publication.objects.get()
    for number in range(9):
        Operator.objects.create(
            username=f"user{number}", full_name="Name", password=demo["operator"].password
        )
    publish(admin)
    large = published.last_publication()
    assert large is not None
    asked = admin.post(f"/publish/{small.pk}/roll-back/").content.decode()
    assert "9 of 10 operators" in asked and large.sha256 in asked
    assert Publication.objects.count() == 2
    admin.post(f"/publish/{small.pk}/roll-back/", {"takes-away": large.sha256})
    assert Publication.objects.count() == 3
    assert publication.read_configuration_file(newest(publish_directory)).replaces == large.sha256


def test_what_the_server_says_is_in_force_counts_before_what_was_published_last(
    admin: Client, demo, publish_directory
) -> None:
    path = publish_directory / "by-hand.xml"
    path.write_bytes(SAMPLE.read_bytes())
    for table in (Service, Operator, Seat):
        table.objects.all().delete()
    much = publication.taken_away_by(working_copy.configuration())
    assert much is not None and much.file == "by-hand.xml"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert much.sha256 == digest
    (publish_directory / "empty.xml").write_text("<configuration/>")  # the newest one, which is held
    os.utime(path, (1000, 1000))
    assert publication.taken_away_by(working_copy.configuration()) is None
    write_status(publish_directory, "by-hand.xml", digest)
    much = publication.taken_away_by(working_copy.configuration())
    assert much is not None and (much.file, much.sha256) == ("by-hand.xml", digest)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The server holds the last publication"), ("it", "Il server trattiene")]
)
def test_a_publication_that_the_server_holds_is_shown_with_numbers(
    admin: Client, demo, publish_directory, language: str, words: str
) -> None:
    publish(admin)
    ManagerUser.objects.update(language=language)
    published = Publication.objects.get()
    write_status(publish_directory, "by-hand.xml", "0" * 64)
    said = json.loads(status_file().read_text())
    said["configuration"]["held"] = [
        {
            "file": str(publish_directory / published.file),
            "sha256": published.sha256,
            "since": "2026-01-01T10:00:00+00:00",
            "reason": "it takes away much",
            "counts": {"operators": {"lost": 214, "before": 300}},
        }
    ]
    status_file().write_text(json.dumps(said))
    page = admin.get("/publish/status/").content.decode()
    assert words in page and "214" in page and f"astcti-server accept {published.sha256}" in page
    again = {"en": "publish again here and say so", "it": "pubblicare di nuovo da qui confermando"}[language]
    assert again in page
    said["configuration"]["held"][0]["file"] = str(publish_directory / "by-root.xml")
    status_file().write_text(json.dumps(said))
    page = admin.get("/publish/status/").content.decode()
    other = {"en": "import and publish it, or on the server", "it": "importarlo e pubblicarlo"}[language]
    assert other in page and again not in page


def take_up(client: Client, what: str, data: bytes) -> None:
    """Look, and agree to the numbers."""
    seen = upload(client, what, data).context["result"]["seen"]
    assert upload(client, what, data, seen).context["result"]["stored"]


def upload(client: Client, what: str, data: bytes, store: str = "no", name: str = "file"):
    return post_import(client, what, data, store, name, headers={"HX-Request": "true"})


def test_an_xml_file_is_looked_at_first_and_then_imported_as_it_is(admin: Client, demo) -> None:
    data = SAMPLE.read_bytes()
    assert "nothing was stored" in upload(admin, "configuration", data).content.decode()
    assert Service.objects.get() == demo["service"]
    take_up(admin, "configuration", data)
    assert working_copy.configuration() == xml_form.parse_xml(data, "x").configuration
    assert Operator.objects.get(username="mario").pk == demo["operator"].pk


def test_an_sqlite_file_is_imported_too(admin: Client, tmp_path: Path) -> None:
    wanted = xml_form.load_xml(SAMPLE)
    sqlite_form.dump_sqlite(wanted, tmp_path / "x.sqlite")
    take_up(admin, "configuration", (tmp_path / "x.sqlite").read_bytes())
    assert working_copy.configuration() == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<configuration><services><service/></services></configuration>",
        b"SQLite format 3\x00junk",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><configuration>&a;</configuration>',
    ],
)
def test_what_is_no_valid_configuration_changes_nothing(admin: Client, demo, data: bytes) -> None:
    answer = upload(admin, "configuration", data, "yes")
    assert "root:" not in answer.content.decode()
    assert answer.context["result"].get("problems") or answer.context["result"].get("error")
    assert Service.objects.get() == demo["service"]


def test_what_is_wrong_with_a_file_is_said_in_the_language_of_the_page(admin: Client) -> None:
    data = (
        b'<configuration>\n<seats><seat mac="00:11:22:33:44:55" extension="PJSIP/1"/>\n'
        b'<seat mac="00:11:22:33:44:55"/><chair/></seats></configuration>'
    )
    admin.post("/language/", {"language": "it"})
    problems = upload(admin, "configuration", data, "yes").context["result"]["problems"]
    assert (
        3,
        "Il MAC 00:11:22:33:44:55 appartiene gi\N{LATIN SMALL LETTER A WITH GRAVE} alla "
        "postazione alla riga 2",
    ) in problems
    assert any("il telefono accanto al PC" in text for _line, text in problems)
    assert any("<chair> non" in text for _line, text in problems)


def test_a_files_name_never_becomes_a_path(admin: Client, tmp_path: Path) -> None:
    name = "../../../../tmp/astcti-evil.xml"
    seen = upload(admin, "configuration", SAMPLE.read_bytes(), "no", name).context["result"]["seen"]
    upload(admin, "configuration", SAMPLE.read_bytes(), seen, name)
    assert not Path("/tmp/astcti-evil.xml").exists()
    assert "/" not in AuditEntry.objects.get(action="import", kind="configuration").name


def test_seats_swap_their_phones_in_one_import(admin: Client, demo) -> None:
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    before = working_copy.configuration()
    one, two = before.seats
    swapped = replace(
        before,
        seats=(
            replace(one, extension=two.extension, queue_interface=two.extension),
            replace(two, extension=one.extension, queue_interface=one.extension),
        ),
    )
    replacement.replace_all(swapped)
    assert working_copy.configuration() == swapped


def test_seats_swap_their_phones_in_one_csv_file(admin: Client, demo) -> None:
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    data = (
        "mac,extension\n00:11:22:33:44:55,PJSIP/202\n00-11-22-33-44-66,PJSIP/201\n"
        "00:11:22:33:44:77,PJSIP/203\n"
    )
    looked = upload(admin, "seats", data.encode()).context["result"]
    assert (looked["run"].bad, looked["changed"], looked["new"]) == ((), 2, 1)
    assert Seat.objects.get(mac="00:11:22:33:44:55").extension == "PJSIP/201"
    upload(admin, "seats", data.encode(), "agreed")
    assert {seat.mac[-2:]: seat.extension[-3:] for seat in Seat.objects.all()} == {
        "55": "202",
        "66": "201",
        "77": "203",
    }


def test_a_phone_that_a_bad_row_has_now_is_not_complained_about_twice(admin: Client, demo) -> None:
    data = "mac,extension\n00:11:22:33:44:55,nonsense\n00:11:22:33:44:66,PJSIP/201\n"
    run = upload(admin, "seats", data.encode(), "agreed").context["result"]["run"]
    assert [bad.line for bad in run.bad] == [2]
    assert Seat.objects.get().extension == "PJSIP/201"


@pytest.mark.parametrize(
    "rows, message",
    [
        (
            "00:11:22:33:44:66,PJSIP/202,PJSIP/201",
            "Queue interface PJSIP/201 already belongs to seat 00:11:22:33:44:55",
        ),
        ("00:11:22:33:44:66,PJSIP/201,", "Extension PJSIP/201 already belongs to seat 00:11:22:33:44:55"),
        (
            "00:11:22:33:44:66,PJSIP/202,\n00:11:22:33:44:77,PJSIP/202,",
            "Extension PJSIP/202 already belongs to seat 00:11:22:33:44:66 (line 2)",
        ),
        (
            "00:11:22:33:44:66,PJSIP/202,\n00:11:22:33:44:77,PJSIP/203,PJSIP/202",
            "Queue interface PJSIP/202 already belongs to seat 00:11:22:33:44:66 (line 2)",
        ),
    ],
)
def test_a_phone_that_is_taken_is_told_with_its_seat(admin: Client, demo, rows: str, message: str) -> None:
    data = f"mac,extension,queue-interface\n{rows}\n"
    run = upload(admin, "seats", data.encode(), "agreed").context["result"]["run"]
    assert [bad.message for bad in run.bad] == [message]


def test_a_row_that_takes_a_later_seats_phone_for_its_queue_is_refused(admin: Client, demo) -> None:
    Seat.objects.create(mac="00:11:22:33:44:66", extension="PJSIP/202")
    data = b"mac,extension,queue-interface\n00:11:22:33:44:55,PJSIP/201,PJSIP/202\n"
    run = upload(admin, "seats", data, "agreed").context["result"]["run"]
    assert [bad.message for bad in run.bad] == [
        "Queue interface PJSIP/202 already belongs to seat 00:11:22:33:44:66"
    ]
    assert Seat.objects.get(mac="00:11:22:33:44:55").queue_interface == ""


def test_a_seats_file_may_say_which_phones_answer_on_a_click(admin: Client, demo) -> None:
    good = "mac,extension,answer\n00:11:22:33:44:55,PJSIP/201,notify\n00:11:22:33:44:66,PJSIP/202,\n"
    bad = f"{good}00:11:22:33:44:77,PJSIP/203,often\n"
    run = upload(admin, "seats", bad.encode(), "agreed").context["result"]["run"]
    message = "Answer has to be one of none, notify, not 'often'"
    assert [(bad.line, bad.message) for bad in run.bad] == [(4, message)]
    upload(admin, "seats", good.encode(), "agreed")
    assert {seat.extension: seat.answer for seat in Seat.objects.all()} == {
        "PJSIP/201": "notify",
        "PJSIP/202": "none",
    }


def test_a_dry_run_lists_every_bad_row_and_stores_nothing(admin: Client, demo) -> None:
    data = (
        "mac,extension,description\n00:11:22:33:44:01,PJSIP/301,Good\nnonsense,PJSIP/302,Bad\n"
        "00:11:22:33:44:03,303,Bad\n00:11:22:33:44:04,PJSIP/201,Taken\n00:11:22:33:44:01,PJSIP/305,Twice\nshort,row\n"
    )
    run = upload(admin, "seats", data.encode(), "agreed").context["result"]["run"]
    assert [bad.line for bad in run.bad] == [3, 4, 5, 6, 7]
    assert Seat.objects.count() == 1


def test_good_rows_are_counted_first_and_stored_when_asked(admin: Client, demo) -> None:
    data = (
        "\ufeffusername;full-name;password;seat;begin-in-pause\nmario;Mario Rossi;;00:11:22:33:44:55;no\n"
        "anna;Anna;geheim;;si\n"
    ).encode()
    looked = upload(admin, "operators", data).context["result"]
    assert (looked["new"], looked["changed"], looked["same"], looked["stored"]) == (1, 0, 1, False)
    assert Operator.objects.count() == 1
    upload(admin, "operators", data, "agreed")
    anna = Operator.objects.get(username="anna")
    assert anna.begin_in_pause and anna.password.startswith("scrypt:")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"",
        b"name,phone\na,b\n",
        b"username,full-name\nanna,Anna\n",
        b"username,full-name,password\ntwo words,A,x\n",
        b"username,full-name,password,seat\na,A,x,00:00\n",
        b"username,full-name,password,enabled\na,A,x,maybe\n",
        b"username,full-name,password\na,A,md5:zz\n",
    ],
)
def test_a_bad_csv_file_is_refused_with_its_reason(admin: Client, data: bytes) -> None:
    run = upload(admin, "operators", data, "agreed").context["result"]["run"]
    assert run.bad and run.bad[0].message
    assert not Operator.objects.exists()


def test_an_export_is_what_an_import_reads(admin: Client, demo) -> None:
    answer = admin.get("/publish/export/")
    assert answer["Content-Disposition"] == 'attachment; filename="configuration.xml"'
    assert xml_form.parse_xml(answer.content, "x").configuration == working_copy.configuration()


def test_the_first_start_takes_over_what_is_published_already(publish_directory: Path) -> None:
    (publish_directory / "server.xml").write_text("<server/>")
    (publish_directory / "broken.xml").write_text("<configuration>")
    (publish_directory / "by-hand.xml").write_bytes(SAMPLE.read_bytes())
    assert publication.begin_with_file_in_force() == "by-hand.xml"
    assert working_copy.configuration() == xml_form.load_xml(SAMPLE)
    assert not differences.between(
        published.configuration_or_empty(published.last_publication()), working_copy.configuration()
    )
    assert publication.begin_with_file_in_force() == ""


BARE = b"<configuration><services/></configuration>"


def age(path: Path, seconds: float) -> None:
    when = time.time() - seconds
    os.utime(path, (when, when), follow_symlinks=False)


def in_any_case(directory: Path) -> None:
    (directory / "OLD.xml").write_bytes(BARE)
    age(directory / "OLD.xml", 60)
    (directory / "NEW.XML").write_bytes(SAMPLE.read_bytes())


def database_in_any_case(directory: Path) -> None:
    (directory / "OLD.xml").write_bytes(BARE)
    age(directory / "OLD.xml", 60)
    sqlite_form.dump_sqlite(xml_form.load_xml(SAMPLE), directory / "NEW.Sqlite")


def newer_than_the_future(directory: Path) -> None:
    """Times in the future count as now, then the name decides."""
    (directory / "a.xml").write_bytes(BARE)
    age(directory / "a.xml", -9000)
    (directory / "b.xml").write_bytes(SAMPLE.read_bytes())
    age(directory / "b.xml", -60)


def linked_later(directory: Path) -> None:
    (directory / "a.xml").write_bytes(BARE)
    age(directory / "a.xml", 60)
    (directory / ".target").write_bytes(SAMPLE.read_bytes())
    age(directory / ".target", 600)
    (directory / "b.xml").symlink_to(".target")


def a_database_called_xml(directory: Path) -> None:
    (directory / "a.xml").write_bytes(SAMPLE.read_bytes())
    age(directory / "a.xml", 60)
    sqlite_form.dump_sqlite(Configuration(), directory / "b.xml")


@pytest.mark.parametrize(
    "prepare", [in_any_case, database_in_any_case, newer_than_the_future, linked_later, a_database_called_xml]
)
def test_what_is_taken_over_is_what_a_server_started_there_would_use(
    publish_directory: Path, prepare: Callable[[Path], None]
) -> None:
    prepare(publish_directory)
    found = directory_files.file_in_force()
    assert found is not None
    assert found.path == load_directory(publish_directory, settings_needed=False).path
    assert found.configuration == xml_form.load_xml(SAMPLE)


def test_an_empty_configuration_can_be_described() -> None:
    assert not differences.between(Configuration(), Configuration())
    assert io.BytesIO(xml_form.dump_xml(Configuration())).read().startswith(b"<?xml")


def test_a_publication_that_todays_checks_refuse_breaks_no_page(
    admin: Client, demo, publish_directory
) -> None:
    old = Publication.objects.create(
        file="old.xml", form="xml", userid="x", content="<configuration><x/></configuration>"
    )
    assert admin.get("/publish/").status_code == 200
    for what in ("roll-back", "take"):
        answer = admin.post(f"/publish/{old.pk}/{what}/", follow=True)
        assert "The configuration is not valid" in answer.content.decode()
    assert Service.objects.exists()
