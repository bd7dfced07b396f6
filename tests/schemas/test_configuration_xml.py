"""The XML form of the configuration: every mistake is named, at its line, in plain words."""

import socket
from pathlib import Path
from typing import Any

import pytest

from schemas import xml_reading
from schemas.configuration.model import Configuration
from schemas.configuration.xml_form import load_xml, parse_xml
from schemas.problems import ConfigurationError, Problem


def problems_of(text: str | bytes) -> list[Problem]:
    """What is wrong with a configuration; fails if nothing is."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigurationError) as refused:
        parse_xml(data, "one.xml")
    return list(refused.value.problems)


def whole(services: str = "", seats: str = "", operators: str = "", reasons: str = "") -> str:
    """A configuration with each section beginning on a line of its own: 2, 3, 4 and 5."""
    return (
        f"<configuration>\n<services>{services}</services>\n<seats>{seats}</seats>\n"
        f"<operators>{operators}</operators>\n<pause-reasons>{reasons}</pause-reasons>\n</configuration>"
    )


def written(attributes: dict[str, str]) -> str:
    """Attributes as XML."""
    return " ".join(f"{name}={value!r}" for name, value in attributes.items())


def service(inside: str = "", **more: str) -> str:
    """A service with other attributes than the usual ones where given."""
    attributes = {"name": "Demo", "context": "demo", "type": "inbound"}
    attributes.update({name.replace("_", "-"): value for name, value in more.items()})
    return f"<service {written(attributes)}>{inside}</service>"


def trigger(kind: str, **parts: str) -> str:
    """A trigger of a service."""
    inside = "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items())
    return f'<trigger type="{kind}">{inside}</trigger>'


def at_ring(system: str, again: str, on: str = "ring") -> str:
    """A trigger that may come again."""
    return f"<trigger type='browser' on='{on}' os='{system}' again='{again}'><url>https://x/</url></trigger>"


def operator(**more: str) -> str:
    """An operator likewise."""
    attributes = {"username": "mario", "full-name": "Mario", "password": "md5:" + "0" * 32}
    attributes.update({name.replace("_", "-"): value for name, value in more.items()})
    return f"<operator {written(attributes)}/>"


def seat(**more: str) -> str:
    """A seat likewise."""
    attributes = {"mac": "00:11:22:33:44:55", "extension": "PJSIP/201"}
    attributes.update({name.replace("_", "-"): value for name, value in more.items()})
    return f"<seat {written(attributes)}/>"


def test_an_empty_configuration_is_valid() -> None:
    assert parse_xml(b"<configuration/>", "one.xml").configuration == Configuration()


def test_defaults_are_filled_in() -> None:
    one = parse_xml(
        whole(
            service('<operator username="mario"/>'),
            seat(mac="00-11-22-AA-BB-CC")
            + seat(mac="00:11:22:33:44:56", extension="PJSIP/202", queue_interface="Local/202@agents/n"),
            operator(seat="00-11-22-aa-bb-cc"),
        ).encode(),
        "one.xml",
    ).configuration
    assert one.services[0].enabled and not one.services[0].is_queue
    assert one.services[0].operators[0].penalty == 0
    assert (one.seats[0].mac, one.seats[0].queue_interface, one.seats[0].state_interface) == (
        "00:11:22:aa:bb:cc",
        "PJSIP/201",
        "",
    )
    assert one.seats[1].state_interface == "PJSIP/202"
    assert one.operators[0].seat == "00:11:22:aa:bb:cc"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            whole('<service name="Demo" type="inbound"/>'),
            2,
            '<service> lacks context="...": the context of Asterisk',
        ),
        (
            whole(service(type="both")),
            2,
            'type="both" of <service> is not possible: it has to be inbound or outb',
        ),
        (whole(service(is_queue="yes")), 2, "it has to be true or false"),
        (whole(service(queue="x")), 2, "<service> has no attribute queue: did you mean"),
        (
            whole(service(wholly_unknown="x")),
            2,
            "<service> has no attribute wholly-unknown: it takes name, context",
        ),
        (whole(service("<varible name='x'/>")), 2, "<varible> is not known here: did you mean <variable>?"),
        (whole(service("text")), 2, "text stands directly in <service>"),
        (whole(service("<operator username='m' penalty='-1'/>")), 2, "a whole number from 0 to 2147483647"),
        (
            whole(service("<operator username='m' penalty='9999999999'/>")),
            2,
            "a whole number from 0 to 2147483647",
        ),
        (whole(service(context="")), 2, "the service's context is empty"),
        (whole(service(context="a b")), 2, "the service's context contains a blank: rename it"),
        (whole(service(context="a,b")), 2, "the service's context contains one of"),
        (whole(service(name="a&#10;b")), 2, "the service's name contains a line break"),
        (whole(service(is_queue="true")), 2, "name it with queue-name"),
        (
            whole(service(is_queue="true", queue_name="Support Level.2")),
            2,
            "the queue's name contains a blank: rename it in Asterisk's files (queues.conf, the dialplan), "
            "for example to Support_Level.2: 'Support Level.2'",
        ),
        (whole(service(type="outbound", queue_name="q")), 2, "an outbound service has no queue"),
        (whole(service(type="outbound", is_queue="true")), 2, "an outbound service has no queue"),
        (
            whole(service("<operator username='mario' penalty='1'/>", type="outbound"), operators=operator()),
            2,
            "an operator has no penalty in it",
        ),
        (
            whole(service("<operator username='luigi'/>"), operators=operator()),
            2,
            "there is no operator 'luigi'",
        ),
        (whole(service("<operator username='mario'/>" * 2), operators=operator()), 2, "already bound"),
        (
            whole(service() + "\n" + service(name="Other")),
            3,
            "context demo already belongs to the service in line 2",
        ),
        (
            whole(service(is_queue="true", queue_name="q") + service(is_queue="1", queue_name="Q")),
            2,
            "context demo, queue Q already belong to the service in line 2",
        ),
        (
            whole(service("<variable name='a'/><variable name='A'/>")),
            2,
            "variable A is already declared in line 2",
        ),
        (whole(service("<variable name='_a'/>")), 2, "begins with an underscore"),
        (whole(service("<variable name='CDR(x)'/>")), 2, "is no name of a dialplan variable"),
        (whole(service(trigger("browser"))), 2, "needs the URL"),
        (whole(service(trigger("browser", url="ftp://x/"))), 2, "http:// or https://"),
        (whole(service(trigger("browser", url="https://x/", application="y"))), 2, "remove application"),
        (whole(service(trigger("internal-browser", url="https://{CALLERID}/"))), 2, "host of the URL"),
        (whole(service(trigger("browser", url="https://x/{TICKET}"))), 2, "{TICKET} stands for nothing"),
        (whole(service(trigger("application"))), 2, "needs the program"),
        (whole(service(trigger("application", application="x", url="https://x"))), 2, "has no URL"),
        (
            whole(service(trigger("application", application="x", parameters="{TICKET}"))),
            2,
            "{TICKET} stands",
        ),
        (whole(service(trigger("application", application="x", parameters='"a'))), 2, "never closed"),
        (whole(service(trigger("application", application="{CALLERID}"))), 2, "may not decide which program"),
        (
            whole(service(trigger("application", application="C:\\x.BAT"))),
            2,
            ".bat and .cmd files are not run",
        ),
        (whole(service(trigger("shell", application="x"))), 2, "application, browser or internal-browser"),
        (whole(service(at_ring("any", "true"))), 2, "yes or no"),
        (whole(seats=seat(mac="00:11:22:33:44")), 3, "the seat's MAC address is wrong"),
        (whole(seats=seat(extension="201")), 3, "technology/name, such as PJSIP/201"),
        (whole(seats=seat(extension="pjsip/201")), 3, "written as Asterisk does, PJSIP/201"),
        (whole(seats=seat(extension="PJSIP/2 1")), 3, "technology/name"),
        (whole(seats=seat(address="192.0.2.0/24")), 3, "has to be a single IP address"),
        (whole(seats=seat(queue_interface="201")), 3, "queue-interface has to be a queue member"),
        (whole(seats=seat(state_interface="201")), 3, "state-interface has to be a device"),
        *(
            (
                whole(seats=seat(queue_interface=f"Local/2{separator}1@a")),
                3,
                "queue-interface has to be a queue",
            )
            for separator in ";|,"
        ),
        *(
            (
                whole(seats=seat(state_interface=f"hint:2{separator}1@a")),
                3,
                "state-interface has to be a device",
            )
            for separator in ";|,"
        ),
        (whole(seats=seat(extension="PJSIP/2;1")), 3, "extension has to be Asterisk's device"),
        (whole(seats=seat() + seat(extension="PJSIP/2")), 3, "MAC 00:11:22:33:44:55 already belongs"),
        (
            whole(seats=seat() + "\n" + seat(mac="00:11:22:33:44:56")),
            4,
            "extension PJSIP/201 already belongs",
        ),
        (
            whole(
                seats=seat() + seat(mac="00:11:22:33:44:56", extension="SIP/2", queue_interface="PJSIP/201")
            ),
            3,
            "queue interface PJSIP/201 already belongs",
        ),
        (
            whole(operators=operator(username="mario rossi")),
            4,
            "the user name contains a blank: 'mario rossi'",
        ),
        (whole(operators=operator(full_name="")), 4, "the operator's full name is empty"),
        (
            whole(operators=operator() + "\n" + operator(full_name="Other")),
            5,
            "user name mario already belongs",
        ),
        (
            whole(operators=operator(seat="00:11:22:33:44:55")),
            4,
            "there is no seat with MAC 00:11:22:33:44:55",
        ),
        (whole(operators=operator(enabled="maybe")), 4, "it has to be true or false"),
        (
            whole(reasons="<reason name='Lunch'/><reason name='Lunch'/>"),
            5,
            "pause reason Lunch already stands",
        ),
        (whole(reasons="<reason name='End'/>"), 5, "END ends the list"),
        (whole(reasons="<reason/>"), 5, '<reason> lacks name="..."'),
        (
            "<configuration><seats/>\n<seats/></configuration>",
            2,
            "<seats> does not belong here, or stands here twice",
        ),
        ("<server/>", 1, "begins with <server> where <configuration> is expected"),
        ('<configuration xmlns="http://x"/>', 1, "begins with <configuration xmlns='http://x'>"),
        ("", 1, "the file is empty (is it still being copied?)"),
        ("<configuration>\n", 2, "ends too early (is it still being copied?)"),
        ("<configuration>\n<seats></configuration>", 2, "closed by another one's end"),
        (whole(service(trigger("browser", url="https://x/?a=1&b=2"))), 2, "write &amp;"),
        (whole(service(name="<")), 2, "write &lt;"),
        (b"<configuration>\xff</configuration>", 1, "not in the encoding"),
    ],
)
def test_a_mistake_is_named_at_its_line_in_plain_words(text: str | bytes, line: int, words: str) -> None:
    problems = problems_of(text)
    assert any(words in problem.message and problem.line == line for problem in problems), problems


@pytest.mark.parametrize(
    "application",
    ["x.bat", "C:\\a b\\X.CMD", "x.bat.", "x.cmd . ", '"C:\\x.bat"', "x.bat::$DATA", "C:x.bat", "/opt/x.cmd"],
)
def test_no_batch_file_gets_through(application: str) -> None:
    problems = problems_of(whole(service(trigger("application", application=application))))
    assert [".bat" in problem.message for problem in problems] == [True]


def test_all_mistakes_of_a_file_are_found_at_once_in_its_order() -> None:
    text = whole(
        service("\n<varible name='x'/>\n<varible name='y'/>\n<variable/>", type="both", context="a b"),
        seat(mac="x"),
        operator(password="plain", seat="00:11:22:33:44:77"),
        "<reason name='END'/><other/>",
    )
    problems = problems_of(text)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    messages = "\n".join(str(problem) for problem in problems)
    for words in (
        "both",
        "a b",
        "one.xml:3: <varible>",
        "one.xml:4: <varible>",
        "one.xml:5: <variable> lacks",
        "MAC address",
        "password",
        "there is no seat",
        "END ends",
        "<other>",
    ):
        assert words in messages, words
    assert len(problems) == 10, messages


def test_a_misspelt_section_is_not_reported_for_each_reference_into_it() -> None:
    text = whole(service("<operator username='mario'/>"), operators=operator())
    problems = problems_of(text.replace("operators>", "opertors>"))
    assert [problem.message for problem in problems] == [
        "<opertors> is not known here: did you mean <operators>?"
    ]


def test_line_numbers_are_right_past_65535() -> None:
    text = whole("\n" * 70000 + service(type="both"), "\n" * 1000 + seat(mac="x"), operator(seat="y"))
    assert [problem.line for problem in problems_of(text)] == [70002, 71003, 71004]
    assert problems_of("<configuration>" + "\n" * 70000 + "<seats")[0].line == 70001


@pytest.mark.parametrize(
    "secret", ["hunter2", "md5:hunter2", "scrypt:14:8:1:hunter2:hunter2", "md5:hunter2&#10;"]
)
def test_no_message_shows_a_password(secret: str) -> None:
    assert "hunter2" not in str(problems_of(whole(operators=operator(password=secret))))


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE configuration [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<configuration>&x;</configuration>',
        b'<?xml version="1.0"?><!-- a --> <!DOCTYPE configuration SYSTEM "http://h/x.dtd"><configuration/>',
        b"\xef\xbb\xbf<!DOCTYPE configuration><configuration/>",
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE configuration><configuration/>'.encode("utf-16"),
    ],
)
def test_a_doctype_is_refused_whatever_it_says(data: bytes) -> None:
    assert [problem.message for problem in problems_of(data)] == [
        "a DOCTYPE is not accepted: remove it (entities and external files are never read)"
    ]


def test_entities_that_grow_without_end_do_no_harm() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    text = f'<!DOCTYPE configuration [<!ENTITY e0 "x">{entities}]><configuration a="&e29;"/>'
    assert "DOCTYPE" in problems_of(text)[0].message
    assert problems_of(text.encode("utf-16"))


def test_many_comments_before_the_root_cost_nothing() -> None:
    comments = b"<!-- a --><?b c?>\n" * 20000
    assert parse_xml(comments + b"<configuration/>", "one.xml").configuration == Configuration()


def test_schema_hints_of_a_file_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    text = (
        '<configuration xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="file:///nonexistent/other.xsd"/>'
    )
    assert parse_xml(text.encode(), "one.xml").configuration == Configuration()


def test_comments_and_instructions_are_not_part_of_values() -> None:
    text = whole(service("<!-- c --><?p i?>" + trigger("browser", url="https://x/<!-- c -->a<?p i?>b")))
    assert parse_xml(text.encode(), "one.xml").configuration.services[0].triggers[0].url == "https://x/ab"


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_xml(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            whole(
                service(is_queue="true", queue_name="q")
                + service(context="b", name="B", is_queue="1", queue_name="q")
            ),
            "queue q also belongs to the service in line 2",
        ),
        (whole(service() + service(context="b")), "has the same name"),
        (whole(service(queue_name="q")), "queue-name has no effect"),
        (whole(seats=seat(extension="DAHDI/1", answer="notify")), "only a phone of PJSIP/ or SIP/"),
        (whole(service(may_leave="true")), "may-leave has no effect without is-queue"),
        (whole(service(at_ring("any", "yes", on="answer"))), 'again has no effect without on="ring"'),
        (whole(service(at_ring("linux", "no") + at_ring("any", "yes"))), "write again at both"),
        (whole(service(trigger("browser", url="http://x/{CALLERID}"))), "unencrypted"),
        (
            whole(service("<variable name='event'/>" + trigger("browser", url="https://x/{EVENT}"))),
            "built-in",
        ),
        (whole(operators=operator(password="md5:d41d8cd98f00b204e9800998ecf8427e")), "empty password"),
    ],
)
def test_what_is_hardly_meant_is_warned_about(text: str, words: str) -> None:
    checked = parse_xml(text.encode(), "one.xml")
    assert [words in str(warning) for warning in checked.warnings] == [True], checked.warnings


def test_a_file_with_warnings_is_parsed_once_and_their_lines_are_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    real = xml_reading.read_document

    def told(data: bytes, file: str, *more: Any, **named: Any) -> Any:
        read.append(file)
        return real(data, file, *more, **named)

    monkeypatch.setattr(xml_reading, "read_document", told)
    over_two_lines = operator(password="md5:d41d8cd98f00b204e9800998ecf8427e").replace(" ", "\n", 1)
    checked = parse_xml(whole(operators=over_two_lines).encode(), "one.xml")
    assert [warning.line for warning in checked.warnings] == [4] and read == ["one.xml"]


@pytest.mark.parametrize(("written", "read"), [("yes", True), ("no", False), (" yes ", True)])
def test_a_trigger_may_come_again_with_each_ring(written: str, read: bool) -> None:
    checked = parse_xml(whole(service(at_ring("linux", "yes") + at_ring("any", written))).encode(), "one.xml")
    assert checked.warnings == ()
    assert [trigger.again for trigger in checked.configuration.services[0].triggers] == [True, read]


@pytest.mark.parametrize(
    ("written", "read"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1")],
)
def test_an_address_is_read_as_the_system_writes_that_of_a_peer(written: str, read: str) -> None:
    one = parse_xml(whole(seats=seat(address=written)).encode(), "one.xml").configuration
    assert one.seats[0].address == read


def test_operators_may_share_a_seat_and_queues_a_context() -> None:
    text = whole(
        service(is_queue="true", queue_name="a") + service(name="B", is_queue="true", queue_name="b"),
        seat(),
        operator(seat="00:11:22:33:44:55") + operator(username="luigi", seat="00:11:22:33:44:55"),
    )
    assert parse_xml(text.encode(), "one.xml").warnings == ()
