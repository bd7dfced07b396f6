"""Lists and forms: search, sort, pages, field errors, dependents, and two people at once."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from configurator.importing.service_words import full_name
from configurator.models import AuditEntry, ManagerUser, Operator, PauseReason, Seat, Service, Variable
from configurator.publishing.working_copy import read_working_copy
from schemas import scram
from schemas.passwords import PasswordChecker
from tests.configurator.conftest import MD5, PASSWORD, first_group, service_data

HTMX = {"HX-Request": "true"}


def rows_of(answer) -> list[str]:
    return [str(row.name) for row in answer.context["rows"]]


def test_a_search_finds_every_word_in_any_column(admin: Client) -> None:
    for name, seat in (("Anna Verdi", "PJSIP/301"), ("Anna Neri", "PJSIP/302"), ("Marco Verdi", "PJSIP/303")):
        mac = f"00:11:22:33:44:{seat[-2:]}"
        one = Seat.objects.create(mac=mac, extension=seat)
        Operator.objects.create(username=name.replace(" ", ""), full_name=name, password=MD5, seat=one)
    assert rows_of(admin.get("/operators/?q=anna verdi")) == ["AnnaVerdi"]
    assert rows_of(admin.get("/operators/?q=303")) == ["MarcoVerdi"]
    assert "Nothing contains" in admin.get("/operators/?q=zzz").content.decode()


@pytest.mark.parametrize("text", ["nicolo", "NICOLÒ", "forlì", "Forli", "nicolò forlì"])
def test_a_search_minds_neither_case_nor_accents(admin: Client, text: str) -> None:
    Operator.objects.create(username="nf", full_name="Nicolò Forlì", password=MD5)
    Operator.objects.create(username="x", full_name="Somebody", password=MD5)
    assert rows_of(admin.get("/operators/", {"q": text})) == ["nf"]


def test_names_and_numbers_are_ordered_as_people_do(admin: Client) -> None:
    for name in ("Zoe", "anna", "Émile", "Line 10", "Line 9", "line 100", "²"):
        PauseReason.objects.create(name=name)
    ordered = ["²", "anna", "Émile", "Line 9", "Line 10", "line 100", "Zoe"]
    assert rows_of(admin.get("/reasons/")) == ordered
    assert rows_of(admin.get("/reasons/?order=desc")) == ordered[::-1]


def test_a_list_is_sorted_by_any_column_both_ways(admin: Client) -> None:
    for name in ("b", "a", "c"):
        PauseReason.objects.create(name=name)
    assert rows_of(admin.get("/reasons/")) == ["a", "b", "c"]
    assert rows_of(admin.get("/reasons/?sort=name&order=desc")) == ["c", "b", "a"]
    assert rows_of(admin.get("/reasons/?sort=password&order=sideways")) == ["a", "b", "c"]


def test_a_long_list_comes_in_pages(admin: Client) -> None:
    PauseReason.objects.bulk_create(PauseReason(name=f"r{number:03}") for number in range(60))
    assert len(rows_of(admin.get("/reasons/?size=25"))) == 25
    assert rows_of(admin.get("/reasons/?size=25&page=3")) == [f"r{number:03}" for number in range(50, 60)]
    assert rows_of(admin.get("/reasons/?size=25&page=nonsense"))[0] == "r000"


def test_a_part_of_the_page_is_the_list_alone(admin: Client) -> None:
    assert "<html" not in admin.get("/services/", headers=HTMX).content.decode()


def test_saving_in_a_dialog_tells_the_page(admin: Client) -> None:
    answer = admin.post("/reasons/add/", {"name": "Lunch"}, headers=HTMX)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["entrySaved"]["message"] == "Lunch was added."


SEAT = {"mac": "00:11:22:33:44:66", "extension": "PJSIP/202"}


@pytest.mark.parametrize(
    "field, value",
    [
        ("mac", ""),
        ("mac", "00:11"),
        ("mac", "ff:ff:ff:ff:ff:ff"),
        ("extension", "201"),
        ("extension", ""),
        ("extension", "PJSIP/201"),
        ("mac", "00-11-22-33-44-55"),
        ("queue_interface", "201"),
        ("queue_interface", "PJSIP/201"),
        ("state_interface", "no device"),
        ("address", "192.0.2.0/24"),
        ("description", "two\nlines\x07"),
        ("answer", "always"),
    ],
)
def test_a_seats_field_is_refused_at_the_field(admin: Client, demo, field: str, value: str) -> None:
    answer = admin.post("/seats/add/", {**SEAT, field: value}, headers=HTMX)
    assert field in answer.context["form"].errors
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert Seat.objects.count() == 1


def test_a_phone_can_be_said_to_answer_on_a_click(admin: Client, demo) -> None:
    answer = admin.post("/seats/add/", {**SEAT, "answer": "notify"})
    assert answer.status_code == 302, answer.context["form"].errors
    published = {seat.extension: seat.answer for seat in read_working_copy().configuration.seats}
    assert (published["PJSIP/202"], published["PJSIP/201"]) == ("notify", "none")
    form = admin.get(f"/seats/{Seat.objects.get(extension='PJSIP/202').pk}/edit/").content.decode()
    assert re.search(r'<option value="notify" selected>', form)
    assert ["Answer in the window", "", "by NOTIFY"] in AuditEntry.objects.get(action="add").details


def test_a_mac_address_is_stored_as_the_protocol_writes_it(admin: Client) -> None:
    admin.post("/seats/add/", {**SEAT, "mac": "AA-BB-CC-DD-EE-01"})
    assert Seat.objects.get().mac == "aa:bb:cc:dd:ee:01"


def test_an_operators_password_is_stored_as_the_server_checks_it(admin: Client) -> None:
    admin.post(
        "/operators/add/", {"username": "anna", "full_name": "Anna", "new_password": "test", "enabled": "on"}
    )
    stored = Operator.objects.get()
    assert stored.password.startswith("scrypt:")
    assert PasswordChecker().matches(stored.password, MD5[4:])
    keys = scram.parse_stored_keys(stored.scram)
    assert keys == scram.derive_keys(MD5[4:], keys.salt, keys.iterations)
    assert read_working_copy().configuration.operators[0].scram == stored.scram


def test_an_operators_password_stays_where_none_is_entered(admin: Client, demo) -> None:
    operator = demo["operator"]
    data = {"username": "mario", "full_name": "Mario R.", "revision": "1", "enabled": "on"}
    assert admin.post(f"/operators/{operator.pk}/edit/", data).status_code == 302
    operator.refresh_from_db()
    assert (operator.password, operator.full_name, operator.seat) == (MD5, "Mario R.", None)


@pytest.mark.parametrize(
    "field, value",
    [
        ("username", ""),
        ("username", "two words"),
        ("username", "mario"),
        ("full_name", ""),
        ("new_password", ""),
    ],
)
def test_an_operators_field_is_refused_at_the_field(admin: Client, demo, field: str, value: str) -> None:
    data = {"username": "anna", "full_name": "Anna", "new_password": "x", field: value}
    assert field in admin.post("/operators/add/", data).context["form"].errors


def test_services_of_an_operator_are_ticked_with_their_penalty(admin: Client, demo) -> None:
    key = demo["service"].pk
    data = {
        "username": "anna",
        "full_name": "Anna",
        "new_password": "x",
        "enabled": "on",
        f"service:{key}": "3",
    }
    admin.post("/operators/add/", data)
    assert demo["service"].bindings.get(operator__username="anna").penalty == 3
    for field, typed in ((f"service:{key}", "high"), (f"service:{key}", "9999999999"), ("service:999", "1")):
        refused = admin.post("/operators/add/", {**data, "username": "eva", field: typed})
        assert 'class="has-error"' in refused.content.decode()
    assert not Operator.objects.filter(username="eva").exists()


def test_a_service_is_stored_with_all_that_belongs_to_it(admin: Client, demo) -> None:
    data = service_data(
        **{
            "variables-TOTAL_FORMS": "2",
            "variables-0-name": "ticket",
            "variables-1-name": "gone",
            "variables-1-DELETE": "on",
            "triggers-TOTAL_FORMS": "2",
            "triggers-0-type": "browser",
            "triggers-0-moment": "answer",
            "triggers-0-os": "any",
            "triggers-0-url": "https://crm.example/{TICKET}",
            "triggers-1-type": "application",
            "triggers-1-moment": "ring",
            "triggers-1-os": "linux",
            "triggers-1-application": "/usr/bin/crm",
            "triggers-1-parameters": "--id {TICKET}",
            "operator:mario": "2",
        }
    )
    answer = admin.post("/services/add/", data)
    assert answer.status_code == 302, answer.context["form"].errors
    service = Service.objects.get(name="Sales")
    assert [variable.name for variable in service.variables.all()] == ["ticket"]
    assert [(trigger.type, trigger.moment, trigger.os) for trigger in service.triggers.all()] == [
        ("browser", "answer", "any"),
        ("application", "ring", "linux"),
    ]
    assert service.bindings.get().penalty == 2


def test_operators_may_leave_only_where_there_is_a_queue(admin: Client, demo) -> None:
    for name, waits in (("Sales", "on"), ("Switchboard", "")):
        data = service_data(name=name, context=name.lower(), may_leave="on", is_queue=waits)
        answer = admin.post("/services/add/", data)
        assert answer.status_code == 302, answer.context["form"].errors
    published = {service.name: service.may_leave for service in read_working_copy().configuration.services}
    assert (published["Sales"], published["Switchboard"]) == (True, False)
    form = admin.get(f"/services/{Service.objects.get(name='Sales').pk}/edit/").content.decode()
    assert re.search(r'name="may_leave"[^>]* checked', form)


def test_only_a_trigger_of_the_ring_comes_again(admin: Client, demo) -> None:
    data = {"triggers-TOTAL_FORMS": "3"}
    for number, (moment, again) in enumerate((("ring", "on"), ("ring", ""), ("answer", "on"))):
        data |= {f"triggers-{number}-{name}": value for name, value in (("type", "browser"), ("os", "any"))}
        data |= {f"triggers-{number}-moment": moment, f"triggers-{number}-again": again}
        data[f"triggers-{number}-url"] = f"https://crm.example/{number}"
    answer = admin.post("/services/add/", service_data(**data))
    assert answer.status_code == 302, answer.context["form"].errors
    service = Service.objects.get(name="Sales")
    stored = [(trigger.moment, trigger.again) for trigger in service.triggers.all()]
    assert stored == [("ring", True), ("ring", False), ("answer", False)]
    form = admin.get(f"/services/{service.pk}/edit/").content.decode()
    ticks = re.findall(r'<input type="checkbox" name="triggers-(\d)-again"[^>]*?( checked)?>', form)
    assert ticks == [("0", " checked"), ("1", ""), ("2", "")]
    details = AuditEntry.objects.get(action="add").details
    words = [after for field, _, after in details if field == "Trigger"]
    assert [", At each ring, " in text for text in words] == [True, False, False], words


@pytest.mark.parametrize(
    "field, changed",
    [
        ("name", {"name": ""}),
        ("context", {"context": "two words"}),
        ("queue_name", {"queue_name": ""}),
        ("is_queue", {"type": "outbound"}),
        ("context", {"context": "astctidemo", "queue_name": "ASTCTI"}),
        ("type", {"type": "sideways"}),
    ],
)
def test_a_services_field_is_refused_at_the_field(admin: Client, demo, field: str, changed: dict) -> None:
    answer = admin.post("/services/add/", service_data(**changed))
    assert field in answer.context["form"].errors
    assert Service.objects.count() == 1


@pytest.mark.parametrize(
    "trigger, field, said",
    [
        ({"type": "browser", "url": "https://x.example/{NOTHING}"}, "url", "{NOTHING} stands for nothing"),
        ({"type": "browser", "url": "javascript:alert(1)"}, "url", "http:// or https://"),
        ({"type": "browser", "url": "https://{CALLERID}/"}, "url", "host of the URL has to be written out"),
        ({"type": "application", "application": "{CALLERID}"}, "application", "which program runs"),
        ({"type": "application", "application": "c:\\x.bat"}, "application", ".bat and .cmd"),
        (
            {"type": "application", "application": "/bin/x", "parameters": '"open'},
            "parameters",
            "never closed",
        ),
    ],
)
def test_a_trigger_is_judged_by_the_servers_own_code(
    admin: Client, trigger: dict, field: str, said: str
) -> None:
    data = {"triggers-TOTAL_FORMS": "1", "triggers-0-moment": "answer", "triggers-0-os": "any"}
    data |= {f"triggers-0-{name}": value for name, value in trigger.items()}
    form = admin.post("/services/add/", service_data(**data)).context["form"]
    assert said in str(form.triggers.forms[0].errors[field])
    assert not Service.objects.exists()


def test_rows_that_stand_twice_or_name_nobody_are_refused(admin: Client, demo) -> None:
    data = service_data(
        **{
            "variables-TOTAL_FORMS": "2",
            "variables-0-name": "ticket",
            "variables-1-name": "TICKET",
            "operator:mario": "-1",
        }
    )
    form = admin.post("/services/add/", data).context["form"]
    assert "whole number" in form.operators.rows[0].error
    data |= {"operator:mario": "0"}
    assert "name" in admin.post("/services/add/", data).context["form"].variables.forms[1].errors
    data |= {"variables-1-name": "other", "operator:nobody": "0"}
    assert "no operator" in admin.post("/services/add/", data).context["form"].operators.rows[1].error


def test_the_preview_fills_in_sample_values_as_the_server_does(admin: Client) -> None:
    data = {
        "variables-0-name": "calldata",
        "variables-1-name": "gone",
        "variables-1-DELETE": "on",
        "name": "A & B",
        "triggers-2-type": "browser",
        "triggers-2-url": "https://x.example/{CALLDATA}?s={SERVICE}&g={GONE}",
    }
    page = admin.post("/services/preview/2/", data).content.decode()
    assert "https://x.example/12345?s=A%20%26%20B&amp;g=" in page
    assert "{GONE} stands for nothing" in page
    data = {
        "triggers-0-type": "application",
        "triggers-0-application": "/bin/crm",
        "triggers-0-parameters": '--name "{CALLERIDNAME}"',
    }
    assert "<code>Anna Verdi</code>" in admin.post("/services/preview/0/", data).content.decode()


def test_variables_have_a_list_across_services(admin: Client, demo) -> None:
    other = Service.objects.create(name="Other", context="other")
    Variable.objects.create(service=other, name="ticket")
    assert rows_of(admin.get("/variables/")) == ["calldata", "ticket"]
    assert rows_of(admin.get("/variables/?q=other")) == ["ticket"]
    refused = admin.post("/variables/add/", {"name": "TICKET", "service": full_name(other)})
    assert "name" in refused.context["form"].errors


@pytest.mark.parametrize(
    "key, one, said",
    [
        ("seats", "seat", "lose their fixed seat: mario"),
        ("operators", "operator", "its assignment to: Demo"),
        ("services", "service", "its variable"),
        ("variables", "variable", "1 trigger(s) of Demo use {CALLDATA}"),
    ],
)
def test_removing_asks_first_and_says_what_depends_on_it(
    admin: Client, demo, key: str, one: str, said: str
) -> None:
    address = f"/{key}/{demo[one].pk}/remove/"
    assert said in admin.get(address).content.decode()
    assert type(demo[one]).objects.filter(pk=demo[one].pk).exists()
    assert admin.post(address, {"revision": "1"}).status_code == 302
    assert not type(demo[one]).objects.filter(pk=demo[one].pk).exists()
    assert AuditEntry.objects.filter(action="remove").count() == 1


def test_the_second_of_two_to_save_is_told_and_overwrites_nothing(admin: Client, log_in, demo) -> None:
    address = f"/operators/{demo['operator'].pk}/edit/"
    data = {"username": "mario", "enabled": "on", "revision": "1"}
    other = log_in("supervisor")
    assert other.post(address, {**data, "full_name": "By the first"}).status_code == 302
    told = admin.post(address, {**data, "full_name": "By the second"}, headers=HTMX)
    page = told.content.decode()
    assert "supervisor changed this entry in the meantime" in page
    assert "By the first" in page and 'value="By the second"' in page
    assert Operator.objects.get().full_name == "By the first"
    again = admin.post(address, {**data, "full_name": "By the second", "revision": "2"})
    assert again.status_code == 302
    assert Operator.objects.get().full_name == "By the second"


def test_a_conflict_names_who_changed_the_entry_by_way_of_another_one(admin: Client, log_in, demo) -> None:
    service, supervisor = demo["service"], log_in("supervisor")
    address = f"/services/{service.pk}/edit/"
    data = service_data(name="Demo", context="astctidemo", queue_name="astcti", revision="1")
    data |= {"operator:mario": "2"}
    admin.post(address, {**data, "operator:mario": "3"})
    seen = first_group(r'name="log" value="(\d+)"', admin.get(address).content.decode())
    mario = {"username": "mario", "full_name": "Mario Rossi", "enabled": "on", f"service:{service.pk}": "7"}
    supervisor.post(f"/operators/{demo['operator'].pk}/edit/", {**mario, "revision": "2"})
    page = admin.post(address, {**data, "revision": "2", "log": seen}).content.decode()
    assert "supervisor changed this entry in the meantime" in page
    again = first_group(r'name="log" value="(\d+)"', page)
    Service.objects.update(revision=9)  # by nobody whom the log knows
    page = admin.post(address, {**data, "revision": "3", "log": again}).content.decode()
    assert "This entry was changed in the meantime." in page
    assert admin.post(address, {**data, "revision": "9", "log": "x"}).status_code == 302


def test_nobody_is_in_conflict_with_what_says_the_same_already(admin: Client, demo) -> None:
    address = f"/operators/{demo['operator'].pk}/edit/"
    data = {"username": "mario", "enabled": "on", "revision": "1", "full_name": "Mario Bianchi"}
    data["new_password"] = "a-new-secret"
    assert admin.post(address, data).status_code == 302
    assert admin.post(address, data).status_code == 302, "the first answer was lost on its way"
    assert Operator.objects.get().revision == 2 and AuditEntry.objects.filter(action="edit").count() == 1
    page = admin.post(address, {**data, "full_name": "Mario Neri"}).content.decode()
    assert "You changed this entry in another window" in page and Operator.objects.get().revision == 2


def test_saving_without_a_change_puts_no_open_form_out_of_date(admin: Client, demo) -> None:
    seat = demo["seat"]
    data = {"mac": seat.mac, "extension": seat.extension, "description": seat.description, "revision": "1"}
    assert admin.post(f"/seats/{seat.pk}/edit/", data).status_code == 302
    assert Seat.objects.get().revision == 1 and not AuditEntry.objects.filter(action="edit").exists()


def test_a_variable_added_elsewhere_is_not_lost_by_saving_the_service(admin: Client, demo) -> None:
    service = demo["service"]
    admin.post("/variables/add/", {"name": "ticket", "service": full_name(service)})
    answer = admin.post(f"/services/{service.pk}/edit/", service_data(name="Demo", revision="1"))
    assert "in the meantime" in answer.content.decode()
    assert service.variables.count() == 2


def test_removing_an_entry_that_changed_meanwhile_asks_again(admin: Client, demo) -> None:
    Seat.objects.update(revision=5)
    answer = admin.post(f"/seats/{demo['seat'].pk}/remove/", {"revision": "1"})
    assert "look again whether it shall go" in answer.content.decode()
    assert Seat.objects.exists()


def test_an_entry_that_is_gone_is_said_to_be_and_what_was_typed_stays(admin: Client) -> None:
    page = admin.post("/seats/99/edit/", SEAT).content.decode()
    assert "removed this entry" in page and f'value="{SEAT["extension"]}"' in page
    assert 'action="/seats/add/"' in page
    assert "removed this entry" in admin.get("/seats/99/edit/").content.decode()


def test_the_audit_log_says_what_changed_and_never_a_password(admin: Client, demo) -> None:
    data = {
        "username": "mario",
        "full_name": "Mario Bianchi",
        "enabled": "on",
        "revision": "1",
        "new_password": "very-secret",
        "seat": "PJSIP/201",
    }
    admin.post(f"/operators/{demo['operator'].pk}/edit/", data)
    details = AuditEntry.objects.get(action="edit").details
    assert ["Full name", "Mario Rossi", "Mario Bianchi"] in details
    assert ["Password", "set", "another one"] in details
    assert "secret" not in json.dumps(details) and "scrypt" not in json.dumps(details)
    page = admin.get("/audit/?userid=admin&action=edit&since=2020-01-01").content.decode()
    assert "Mario Bianchi" in page
    assert "Mario Bianchi" not in admin.get("/audit/?until=2020-01-01").content.decode()
    assert "Enter a valid date" in admin.get("/audit/?since=yesterday").content.decode()


def test_saving_without_a_change_writes_nothing_to_the_audit_log(admin: Client) -> None:
    reason = PauseReason.objects.create(name="Lunch")
    admin.post(f"/reasons/{reason.pk}/edit/", {"name": "Lunch", "revision": "1"})
    assert not AuditEntry.objects.filter(action="edit").exists()


def test_a_pause_reason_may_not_be_the_protocols_own_word(admin: Client) -> None:
    assert "name" in admin.post("/reasons/add/", {"name": "end"}).context["form"].errors


def test_the_last_administrator_stays_one(admin: Client, users) -> None:
    pk = users["administrator"].pk
    data = {"userid": "administrator", "full_name": "A", "enabled": "on", "revision": "1"}
    assert "role" in admin.post(f"/managers/{pk}/edit/", {**data, "role": "viewer"}).context["form"].errors
    assert (
        "last enabled administrator"
        in admin.post(f"/managers/{pk}/remove/", {"revision": "1"}).content.decode()
    )
    assert ManagerUser.objects.filter(pk=pk, role="administrator").exists()


def test_a_managers_password_has_to_be_a_good_one(admin: Client) -> None:
    data = {"userid": "new", "full_name": "New", "role": "viewer", "enabled": "on"}
    for weak in ("short", "1234567890", "password123"):
        assert (
            "new_password"
            in admin.post("/managers/add/", {**data, "new_password": weak}).context["form"].errors
        )
    assert admin.post("/managers/add/", {**data, "new_password": "battery-staple-7"}).status_code == 302
    assert Client().post("/login/", {"username": "new", "password": "battery-staple-7"}).status_code == 302


def test_changing_ones_own_password_in_the_list_keeps_the_session(admin: Client, users) -> None:
    data = {
        "userid": "administrator",
        "full_name": "A",
        "role": "administrator",
        "enabled": "on",
        "revision": "1",
        "new_password": "battery-staple-7",
        "present_password": PASSWORD,
    }
    assert admin.post(f"/managers/{users['administrator'].pk}/edit/", data).status_code == 302
    assert admin.get("/managers/").status_code == 200


def test_everybody_chooses_language_and_appearance(log_in) -> None:
    client = log_in("viewer")
    email = ManagerUser.objects.get(userid="viewer").email
    client.post("/account/", {"full_name": "V", "email": email, "language": "it", "theme": "dark"})
    page = client.get("/services/").content.decode()
    assert 'lang="it" data-theme="dark"' in page
    assert "Servizi" in page
    client.post("/account/appearance/", {"theme": "light"})
    assert 'data-theme="light"' in client.get("/services/").content.decode()


def test_a_role_cannot_be_chosen_by_oneself(log_in) -> None:
    log_in("viewer").post(
        "/account/", {"full_name": "V", "role": "administrator", "userid": "administrator2"}
    )
    user = ManagerUser.objects.get(userid="viewer")
    assert (user.role, user.check_password(PASSWORD)) == ("viewer", True)


def test_a_service_with_more_operators_than_a_query_takes_is_edited(admin: Client, demo) -> None:
    Operator.objects.bulk_create(
        Operator(username=f"op{number}", full_name=f"Operator {number}", password=MD5)
        for number in range(1200)
    )
    everybody = list(Operator.objects.order_by("pk"))
    data = service_data(
        name="Demo",
        context="astctidemo",
        queue_name="astcti",
        revision="1",
        **{f"operator:{user.username}": "2" for user in everybody},
    )
    address = f"/services/{demo['service'].pk}/edit/"
    assert admin.post(address, data).status_code == 302
    assert demo["service"].bindings.filter(penalty=2).count() == 1201
    assert admin.get(address).content.decode().count("data-picked=") == 1202  # with the template
    assert admin.get("/publish/badge/").status_code == 200
