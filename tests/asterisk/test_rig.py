"""The rig itself works: what the tests of the server stand on."""

import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.asterisk import phones
from tests.asterisk.ami_session import AmiError, AmiSession
from tests.asterisk.rig import Asterisk
from tests.asterisk.scenes import SCENES, join
from tests.fake.patience import PATIENCE, until

pytestmark = pytest.mark.asterisk


@pytest.fixture
def ami(asterisk: Asterisk) -> Iterator[AmiSession]:
    with AmiSession(asterisk.ami_port) as session:
        session.wait_for("FullyBooted")
        yield session


def test_a_queue_call_with_digits_brings_the_caller_and_201_into_one_bridge(
    asterisk: Asterisk, ami: AmiSession
) -> None:
    SCENES["queue-ringall"].play(asterisk, ami)
    ami.wait_for("VarSet", Variable="calldata", Value="12345")
    ami.wait_until(lambda seen: len(seen.events("BridgeEnter")) == 2, "two BridgeEnter")
    agent, caller = sorted(ami.events("BridgeEnter"), key=lambda m: "caller" in m["Channel"])
    assert agent["Channel"].startswith(asterisk.device("201"))
    assert caller["Channel"].startswith(asterisk.device("caller"))
    assert agent["BridgeUniqueid"] == caller["BridgeUniqueid"]
    assert (caller["CallerIDNum"], caller["CallerIDName"]) == ("3331234567", "Demo Caller")


def test_an_attended_transfer_ends_with_the_caller_and_202(asterisk: Asterisk, ami: AmiSession) -> None:
    SCENES["attended-transfer"].play(asterisk, ami)
    ami.wait_for("AttendedTransfer", Result="Success")
    last = ami.wait_for("AgentComplete")
    assert last["Channel"].startswith(asterisk.device("caller"))


def test_reset_ends_calls_and_memberships(asterisk: Asterisk, ami: AmiSession) -> None:
    join(asterisk, ami, "201")
    with phones.never_answers(asterisk, "201"), phones.caller(asterisk, "101", "12345"):
        ami.wait_for("Newstate", ChannelStateDesc="Ringing")
        asterisk.reset()
        assert asterisk.channels() == []
        assert asterisk.members() == []


def test_a_restart_is_a_shutdown_event_and_then_a_new_asterisk_on_the_same_port(
    asterisk: Asterisk, ami: AmiSession
) -> None:
    asterisk.restart()
    with pytest.raises(AmiError, match="closed by Asterisk"):
        ami.wait_for("Nothing")
    assert ami.events("Shutdown")
    with AmiSession(asterisk.ami_port) as again:
        assert again.wait_for("FullyBooted")


def test_two_asterisks_of_one_version_run_side_by_side(asterisk22: Asterisk) -> None:
    with Asterisk(22) as other:
        assert "Asterisk 2" in other.cli("core show version")
        assert other.ami_port != asterisk22.ami_port


def test_ami_is_there_over_tls_with_a_certificate_to_check(asterisk: Asterisk) -> None:
    trusting = ssl.create_default_context(cafile=str(asterisk.ca_file))
    with (
        socket.create_connection(("127.0.0.1", asterisk.ami_tls_port), PATIENCE) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.recv(100).startswith(b"Asterisk Call Manager/")


def test_the_weak_user_may_log_in_and_do_nothing(asterisk: Asterisk) -> None:
    with AmiSession(asterisk.ami_port, "weak", "weak") as session:
        response = session.action("QueueAdd", Queue="astcti", Interface=asterisk.device("201"))
        assert (response["Response"], response["Message"]) == ("Error", "Permission denied")


def test_a_phone_that_fails_shows_its_sip_messages(asterisk: Asterisk) -> None:
    with (
        phones.never_answers(asterisk, "201"),
        phones.caller(asterisk, "301") as calling,
        pytest.raises(phones.PhoneError, match="INVITE sip:301"),
    ):
        until(lambda: "INVITE sip:301" in calling.story())
        calling.wait(0.1)
