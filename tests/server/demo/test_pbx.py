"""The demo PBX as an AMI server: connections, permissions, actions, lists, and the calls it plays."""

import hashlib
import socket
import threading

import pytest

from astcti_server.demo.ami.manager import AmiUser
from astcti_server.demo.narrator import Narrator
from astcti_server.demo.pbx import DemoPbx
from astcti_server.demo.player import Player, Tempo
from tests.fake.patience import PATIENCE
from tests.fake.pbx import AmiClient, StillEngine

USERS = (AmiUser(), AmiUser("reader", "r", frozenset({"agent"}), frozenset({"call"})))


@pytest.fixture
def pbx():
    with DemoPbx(users=USERS, login_pause=0.0) as pbx:
        yield pbx


@pytest.fixture
def connect(pbx):
    clients = []

    def connect(*, log_in=True):
        client = AmiClient(pbx.address)
        clients.append(client)
        if log_in:
            client.log_in()
            client.until("Event", "FullyBooted")
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


def test_it_greets_as_asterisk_22(connect):
    assert connect(log_in=False).banner == b"Asterisk Call Manager/11.0.0\r\n"


def test_login_with_a_challenge(connect):
    client = connect(log_in=False)
    challenge = client.ask("Challenge", AuthType="MD5")["Challenge"]
    key = hashlib.md5((challenge + "astcti").encode()).hexdigest()
    answer = client.ask("Login", AuthType="MD5", Username="astcti", Key=key, ActionID="7")
    assert answer == {"Response": "Success", "ActionID": "7", "Message": "Authentication accepted"}
    assert client.read()["Event"] == "FullyBooted"


@pytest.mark.parametrize(
    "headers",
    [
        {"Username": "astcti", "Secret": "wrong"},
        {"Username": "nobody", "Secret": "astcti"},
        {"Username": "astcti", "AuthType": "MD5", "Key": hashlib.md5(b"astcti").hexdigest()},
    ],
)
def test_a_wrong_login_is_refused_and_the_connection_closed(connect, headers):
    client = connect(log_in=False)
    assert client.ask("Login", **headers)["Message"] == "Authentication failed"
    assert client.read() == {}


def test_before_the_login_nothing_is_allowed(connect):
    client = connect(log_in=False)
    assert client.ask("QueueStatus")["Message"] == "Permission denied"


def test_ping_events_and_logoff(client):
    assert client.ask("Ping", ActionID="1")["Ping"] == "Pong"
    assert client.ask("Events", EventMask="off")["Events"] == "Off"
    assert client.ask("Events", EventMask="call,agent")["Events"] == "On"
    assert client.ask("Logoff")["Response"] == "Goodbye"
    assert client.read() == {}


def test_an_unknown_action_and_one_without_a_name(client):
    assert client.ask("Dance")["Message"].startswith("Invalid/unknown command: Dance. Use Action:")
    assert client.ask("")["Message"] == "Missing action in request"


def test_a_user_may_only_do_and_hear_what_its_classes_allow(connect, client):
    reader = connect(log_in=False)
    reader.log_in("reader", "r")
    answer = reader.ask("QueueAdd", Queue="astcti", Interface="PJSIP/201")
    assert answer["Message"] == "Permission denied"
    listed = reader.ask("ListCommands")
    assert "Hangup" in listed
    assert "QueueAdd" not in listed
    client.ask("QueueAdd", Queue="astcti", Interface="PJSIP/201")
    assert reader.read()["Event"] == "QueueMemberAdded", "no DeviceStateChange before it: that is class call"


def test_a_response_comes_before_the_events_that_its_action_caused(client):
    client.send(
        "QueueAdd", Queue="astcti", Interface="PJSIP/201", MemberName="Mario", Penalty="3", Paused="true"
    )
    blocks = [client.read() for _ in range(3)]
    assert blocks[0]["Message"] == "Added interface to queue"
    assert blocks[1]["Event"] == "DeviceStateChange"
    assert blocks[2]["Event"] == "QueueMemberAdded"
    assert (blocks[2]["MemberName"], blocks[2]["Penalty"], blocks[2]["Paused"]) == ("Mario", "3", "1")


def test_every_connection_hears_the_events(connect):
    first, second = connect(), connect()
    first.ask("QueueAdd", Queue="astcti", Interface="PJSIP/201")
    assert first.until("Event", "QueueMemberAdded") == second.until("Event", "QueueMemberAdded")


def test_the_queue_actions_in_asterisks_words(client):
    for name, headers, message in (
        ("QueueAdd", {"Queue": "astcti"}, "'Interface' not specified."),
        (
            "QueueAdd",
            {"Queue": "none", "Interface": "PJSIP/201"},
            "Unable to add interface to queue: No such queue",
        ),
        ("QueueAdd", {"Queue": "astcti", "Interface": "PJSIP/201"}, "Added interface to queue"),
        ("QueueAdd", {"Queue": "astcti", "Interface": "PJSIP/201"}, "Unable to add interface: Already there"),
        ("QueuePause", {"Interface": "PJSIP/201", "Paused": "true"}, "Interface paused successfully"),
        ("QueuePause", {"Interface": "PJSIP/201", "Paused": "false"}, "Interface unpaused successfully"),
        ("QueuePause", {"Interface": "PJSIP/299", "Paused": "true"}, "Interface not found"),
        ("QueuePenalty", {"Interface": "PJSIP/201", "Penalty": "4"}, "Interface penalty set successfully"),
        ("QueueRemove", {"Queue": "astcti", "Interface": "PJSIP/201"}, "Removed interface from queue"),
        (
            "QueueRemove",
            {"Queue": "astcti", "Interface": "PJSIP/201"},
            "Unable to remove interface: Not there",
        ),
    ):
        assert client.ask(name, **headers)["Message"] == message


def test_queue_status_lists_queues_members_and_callers(pbx, client):
    pbx.do(lambda engine: engine.queues.add("astcti", "Local/201@agents/n", state_interface="PJSIP/201"))
    pbx.do(lambda engine: engine.incoming_call("0551234"))
    assert client.ask("QueueStatus", ActionID="9") == {
        "Response": "Success",
        "ActionID": "9",
        "EventList": "start",
        "Message": "Queue status will follow",
    }
    assert client.read()["Event"] == "QueueParams"
    member, caller, end = client.read(), client.read(), client.read()
    assert (member["Event"], member["Location"]) == ("QueueMember", "Local/201@agents/n")
    assert (caller["Event"], caller["CallerIDNum"], caller["ActionID"]) == ("QueueEntry", "0551234", "9")
    assert (end["Event"], end["ListItems"]) == ("QueueStatusComplete", "3")


def test_status_lists_the_channels_with_their_bridge_and_variables(pbx, client):
    pbx.do(lambda engine: engine.queues.add("astcti", "PJSIP/201"))
    pbx.do(lambda engine: engine.incoming_call(digits="12345"))
    pbx.do(lambda engine: engine.answer("PJSIP/201"))
    client.ask("Status", Variables="calldata")
    caller, agent = client.read(), client.read()
    assert caller["Variable"] == "calldata=12345"
    assert caller["BridgeID"] == agent["BridgeID"] != ""
    end = client.read()
    assert (end["Event"], end["Items"]) == ("StatusComplete", "2")
    assert client.ask("CoreShowChannels")["Message"] == "Channels will follow"


def test_originate_hangup_and_redirect(pbx, client):
    answer = client.ask(
        "Originate",
        Channel="PJSIP/201",
        Context="outbound",
        Exten="0551234",
        Priority="1",
        Async="true",
        ActionID="5",
    )
    assert answer["Message"] == "Originate successfully queued"
    pbx.do(lambda engine: engine.answer("PJSIP/201"))
    told = client.until("Event", "OriginateResponse")
    assert (told["ActionID"], told["Response"], told["Reason"]) == ("5", "Success", "4")
    theirs = pbx.do(lambda engine: engine.answer("PJSIP/caller").name)
    answer = client.ask("Redirect", Channel=theirs, Context="astctidemo", Exten="202", Priority="1")
    assert answer["Message"] == "Redirect successful"
    client.until("DestChannel")
    assert client.ask("Hangup", Channel=theirs)["Message"] == "Channel Hungup"
    assert client.ask("Hangup", Channel=theirs)["Message"] == "No such channel"
    assert pbx.do(lambda engine: engine.channels) == {}


def test_originate_refuses_what_cannot_be_dialled(client):
    answer = client.ask("Originate", Channel="PJSIP/201", Context="nowhere", Exten="1", Priority="1")
    assert answer["Message"] == "Extension does not exist."


def test_variables_are_read_and_set(pbx, client):
    name = pbx.do(lambda engine: engine.incoming_call().name)
    assert client.ask("Setvar", Channel=name, Variable="ticket", Value="42")["Message"] == "Variable Set"
    assert client.ask("Getvar", Channel=name, Variable="ticket")["Value"] == "42"


def test_filters_keep_events_away(client):
    assert client.ask("Filter", Operation="Add", Filter="!Event: DeviceStateChange")["Response"] == "Success"
    assert client.ask("Filter", Operation="Add", Filter="(")["Message"].startswith("Filter did not compile")
    client.ask("QueueAdd", Queue="astcti", Interface="PJSIP/201")
    assert client.read()["Event"] == "QueueMemberAdded"


def test_a_client_that_vanishes_disturbs_nobody(pbx, client):
    other = socket.create_connection(pbx.address, PATIENCE)
    other.sendall(b"Action: Login\r\nUsername: astcti\r\nSecret: astcti\r\n\r\nAction: Queue")
    other.close()
    assert client.ask("Ping")["Ping"] == "Pong"


def test_cut_connections_can_come_back(pbx, connect):
    client = connect()
    pbx.drop_connections()
    assert client.read() == {}
    assert connect().ask("Ping")["Ping"] == "Pong"


def test_a_port_that_is_taken_is_an_error_at_the_start(pbx):
    with pytest.raises(OSError, match="in use"):
        DemoPbx(*pbx.address).start()


def test_a_mistake_inside_ends_only_what_it_came_from(pbx, client, caplog):
    def stumble():
        raise RuntimeError("a mistake of ours")

    pbx.do(lambda engine: engine.scheduler.later(0.0, stumble))
    pbx.do(lambda engine: None)
    assert client.ask("Ping")["Ping"] == "Pong"
    assert "a mistake of ours" in caplog.text


def test_a_mistake_of_the_caller_comes_back_to_the_caller(pbx):
    with pytest.raises(ValueError, match="no call"):
        pbx.do(lambda engine: engine.answer("PJSIP/201"))


def test_it_says_in_plain_words_what_happens():
    heard, talking = [], threading.Event()

    def narrate(text):
        heard.append(text)
        if " answers " in text:
            talking.set()

    with DemoPbx(tempo=Tempo(0.05, 0.02, 0.02, gives_up=0.0), narrate=narrate) as pbx:
        pbx.do(lambda engine: engine.queues.add("astcti", "PJSIP/201", name="Mario"))
        assert talking.wait(PATIENCE)
    assert any(text.endswith("joins queue astcti") for text in heard)
    assert any("calls and types" in text for text in heard)


# -- the people who play, with time that stands still -----------------------------------------------------


def play(seed=3, seconds=600.0, members=("PJSIP/201", "PJSIP/202"), **tempo):
    pbx = StillEngine(seed)
    pbx.log_in(*members)
    said: list[str] = []
    pbx.listeners.append(Narrator(said.append))
    player = Player(pbx, Tempo(**tempo))
    player.start()
    pbx.wheel.advance(seconds)
    return pbx, player, said


def test_played_calls_are_answered_and_ended_by_either_side_and_some_give_up():
    pbx, player, said = play()
    text = "\n".join(said)
    for what in ("the caller hung up", "the agent hung up", "gives up", " answers ", "position 1"):
        assert what in text
    assert len({line.split(" calls")[0] for line in said if " calls and types " in line}) > 4
    player.stop()
    pbx.wheel.advance(120.0)
    assert pbx.channels == {}


def test_names_are_told_as_people_write_them():
    _, _, said = play()
    assert any(line.startswith("Siobhán O'Brien (") for line in said)
    assert not any("\\" in line for line in said)


def test_without_members_callers_wait_and_nobody_rings():
    pbx, _, said = play(seconds=30.0, members=())
    assert any("waits in queue" in text for text in said)
    assert not any(event.name == "AgentCalled" for event in pbx.events)
    pbx.log_in("PJSIP/201")
    pbx.wheel.advance(5.0)
    assert any(event.name == "AgentCalled" for event in pbx.events)


def test_the_same_seed_plays_the_same_calls_and_another_one_others():
    assert play(1)[0].events == play(1)[0].events
    assert play(1)[2] != play(2)[2]
