"""Asterisk's configuration files and filters of events, read as Asterisk reads them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from astcti_server.doctor.asterisk_conf import AsteriskConf, from_get_config, read_conf
from astcti_server.doctor.event_filters import disabled_events, hidden_events
from astcti_server.doctor.manager_classes import grants, least_user
from schemas.configuration.model import Configuration
from tests.server.doctor.conftest import CONFIGURATION

TEXT = """
; a comment with [section]
[general]            ; behind
enabled = yes
;-- a long
[not] one = 1
--;
[template](!)
read = call,agent
writetimeout = 100
[astcti](template)
secret = hidden
read => system,call
eventfilter = !Event: a\\;b
[astcti](+)
writetimeout=5000
#include more.conf
#tryinclude nowhere.conf
"""


def test_a_file_with_templates_additions_comments_and_includes(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text(TEXT)
    (tmp_path / "more.conf").write_text("[other]\nread = all\n")
    conf = read_conf(tmp_path / "manager.conf")
    assert conf is not None and conf.complete
    assert conf.sections.keys() == {"general", "astcti", "other"}
    assert conf.values("astcti", "read") == ["call,agent", "system,call"]
    assert conf.value("astcti", "writetimeout") == "5000"
    assert conf.value("astcti", "eventfilter") == "!Event: a;b"
    assert conf.value("astcti", "secret") is None
    assert "hidden" not in repr(conf)


@pytest.mark.parametrize("line", ["#exec /bin/make-users", "#include nowhere.conf", "#include manager.conf"])
def test_a_file_of_which_a_part_is_not_known_says_so(tmp_path: Path, line: str) -> None:
    (tmp_path / "manager.conf").write_text(f"[general]\n{line}\n")
    conf = read_conf(tmp_path / "manager.conf")
    assert conf is not None and not conf.complete


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "."])
def test_an_include_that_is_no_file_is_not_read(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "manager.conf").write_text(f"[general]\nenabled = yes\n#include {name}\n")
    conf = read_conf(tmp_path / "manager.conf")
    assert conf is not None and not conf.complete
    assert conf.value("general", "enabled") == "yes"


def test_a_secret_is_left_out_where_it_is_inherited_too(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text("[t](!)\nSecret = hidden\nread = all\n[a](t)\nmd5secret=x\n")
    conf = read_conf(tmp_path / "manager.conf")
    assert conf is not None and conf.sections == {"a": (("read", "all"),)}


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_conf(tmp_path / "manager.conf") is None


def test_what_getconfig_tells() -> None:
    headers = [
        ("Response", "Success"),
        ("Category-000000", "general"),
        ("Category-000001", "astcti"),
        ("Templates-000001", "t"),
        ("Line-000001-000000", "secret=hidden"),
        ("Line-000001-000001", "eventfilter(name(Newexten),action(exclude))="),
        ("Line-000001-000002", "read=call,agent"),
    ]
    conf = from_get_config("manager.conf", headers)
    assert conf.sections["general"] == ()
    assert conf.value("astcti", "read") == "call,agent"
    assert "hidden" not in repr(conf)
    assert hidden_events(conf, "astcti", CONFIGURATION, "11.0.0") == ("Newexten",)


def filtered(*lines: tuple[str, str]) -> AsteriskConf:
    return AsteriskConf("manager.conf", {"astcti": lines})


@pytest.mark.parametrize(
    ("lines", "hidden"),
    [
        ([], set()),
        ([("eventfilter", "!Event: RTCP")], set()),
        ([("eventfilter", "!Event: Newexten")], {"Newexten"}),
        ([("eventfilter", "Event: (New|Queue|Agent|Hangup|Dial|Bridge|VarSet)")], set()),
        ([("eventfilter", "Event: New"), ("eventfilter", "Event: Hangup")], "those that are named"),
        ([("eventfilter", "Channel: SIP/201")], "all of the caller"),
        ([("eventfilter", "!Event: Queue"), ("eventfilter", "Event: .")], "of queues"),
        ([("eventfilter(action(exclude),name(VarSet))", "")], {"VarSet"}),
        ([("eventfilter(action(exclude),name(VarSet),header(Channel),method(exact))", "DAHDI/1")], set()),
        ([("eventfilter(action(exclude),header(Channel),method(contains))", "trunk")], "all of the caller"),
        ([("eventfilter", "!Event: [[:alpha:]]+exten")], {"Newexten"}),
        ([("eventfilter", "!Event: [[:alpha")], set()),
    ],
)  # fmt: skip
def test_which_events_are_hidden(lines: list[tuple[str, str]], hidden: object) -> None:
    found = set(hidden_events(filtered(*lines), "astcti", CONFIGURATION, "11.0.0"))
    if hidden == "those that are named":
        assert "VarSet" in found and "Newchannel" not in found
    elif hidden == "all of the caller":
        assert {"Newexten", "Newchannel", "VarSet"} <= found
    elif hidden == "of queues":
        assert found and all(name.startswith("Queue") for name in found)
    else:
        assert found == hidden


def test_other_versions_need_other_events() -> None:
    conf = filtered(("eventfilter", "!Event: (Link|Bridge)"))
    assert hidden_events(conf, "astcti", CONFIGURATION, "1.0") == ("Link",)
    assert hidden_events(conf, "astcti", CONFIGURATION, "1.3") == ("Bridge",)
    assert hidden_events(conf, "astcti", CONFIGURATION, "9.0.0") == ("BridgeEnter", "BridgeLeave")


def test_events_that_are_switched_off_for_everybody() -> None:
    conf = AsteriskConf("manager.conf", {"general": (("disabledevents", "varset , Cdr"),)})
    assert disabled_events(conf, CONFIGURATION, "11.0.0") == ("VarSet",)
    assert disabled_events(conf, Configuration(), "11.0.0") == ()


@pytest.mark.parametrize(
    ("line", "granted"),
    [("system, Call", True), ("all", True), ("dialplan", False), ("", False), (None, False)],
)
def test_what_a_line_of_classes_grants(line: str | None, granted: bool) -> None:
    assert grants(line, ("call",)) is granted


def test_the_least_user_by_configuration_and_version() -> None:
    modern = least_user(CONFIGURATION, "11.0.0", "cti", "10.0.0.5")
    assert "[cti]\n" in modern and "permit = 10.0.0.5/255.255.255.255\n" in modern
    assert "read = system,call,agent,dialplan\nwrite = call,agent,originate,reporting\n" in modern
    old = least_user(CONFIGURATION, "1.0", "cti", "::1")
    assert "deny = ::/0\npermit = ::1/128\n" in old
    assert "read = system,call,agent\nwrite = call,agent\n" in old
    assert "read = system,call,dialplan\n" in least_user(Configuration(), "11.0.0", "cti", "")


@pytest.mark.parametrize(
    "text",
    [
        "[a]\nx=1\n" + "[a](a,a)\n" * 60,  # twice and more what was there, each time
        "#include *.conf\n#include *\n" * 3,  # each includes all
        "".join(f"[t{number}](t{number - 1},t{number - 1})\nx=1\n" for number in range(60)),
    ],
)
def test_a_file_that_grows_while_it_is_read_comes_to_an_end(tmp_path: Path, text: str) -> None:
    (tmp_path / "manager.conf").write_text(text)
    (tmp_path / "other.conf").write_text("#include *.conf\n")
    began = time.process_time()
    conf = read_conf(tmp_path / "manager.conf")
    assert conf is not None and not conf.complete
    assert time.process_time() - began < 20  # half a second; without a bound it has no end
