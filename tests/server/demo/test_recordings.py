"""The demo PBX against a real Asterisk 22: the same calls have to give the same events, field by field.

Events about different things (a leg, the dialling of a leg, a bridge, a device, a member) may come in any
order, as they do in Asterisk; those about one thing are compared in theirs. Left out is what has to do with
sound, with the phones' registration, and with the text of SIP messages; and how far a phone had got with
its ringing when it is told that it is called, for that is a race in Asterisk.
"""

from pathlib import Path

import pytest

from astcti_server.demo.calls.dialplan import Extension
from tests.fake.pbx import StillEngine

FIXTURES = Path(__file__).parents[2] / "fixtures" / "ami"

LEFT_OUT = {
    "TestEvent",
    "RTCPSent",
    "RTCPReceived",
    "DTMFBegin",
    "DTMFEnd",
    "FullyBooted",
    "SuccessfulAuth",
    "Hold",
    "Unhold",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "PeerStatus",
    "ContactStatus",
    "QueueMemberRemoved",
}
SIP_VARIABLES = ("RTP", "RINGTIME", "SIP", "__SIP", "BRIDGEP", "BLINDTRANSFER", "ATTENDEDTRANSFER")
TIMES = ("TIME", "TIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS")
DIFFERENT = {
    "BridgeTechnology",
    "OrigBridgeTechnology",
    "SecondBridgeTechnology",
    "LastCall",
    "LastPause",
    "LoginTime",
    "HoldTime",
    "TalkTime",
    "RingTime",
    "Ringinuse",
    "InCall",
    "ActionID",
}
DIALLING = {"AgentCalled", "DialBegin", "DialState", "DialEnd"}
RACING = ("DestChannelState", "DestConnectedLine", "DestExten")


def recorded(name):
    for block in (FIXTURES / f"{name}.ami").read_bytes().decode().split("\r\n\r\n"):
        fields = [line.partition(": ")[::2] for line in block.split("\r\n")]
        if fields[0][0] == "Event":
            yield fields


def played(pbx):
    for event in pbx.events:
        yield [("Event", event.name), ("Privilege", f"{event.privilege},all"), *event.fields]


def is_compared(values):
    if values["Event"] in LEFT_OUT or values.get("Variable", "").startswith(SIP_VARIABLES):
        return False
    if values["Event"] == "DeviceStateChange":
        return values["Device"].startswith("PJSIP/") and values["State"] in {"RINGING", "INUSE"}
    return values["Event"] != "QueueMemberStatus" or values["Status"] != "5"


def stories(events):
    """What is told about each thing, with names and ids replaced by the order of their appearance."""
    known: dict[tuple[str, str], str] = {}
    told: dict[object, list[list[tuple[str, str]]]] = {}

    def number(kind, value):
        return known.setdefault((kind, value), f"{kind}{sum(known_kind == kind for known_kind, _ in known)}")

    for fields in events:
        values = dict(fields)
        if not is_compared(values):
            continue
        story = []
        for key, value in fields:
            if values["Event"] == "HangupRequest" and key in {"Cause", "TechCause"}:
                continue
            if key.endswith(("Uniqueid", "Linkedid")) and value != "<unknown>":
                value = number("bridge" if "Bridge" in key else "id", value)
            elif value.startswith("PJSIP/") and "-" in value:
                value = number("channel", value)
            elif differs(key, values):
                value = "*"
            story.append((key, value))
        told.setdefault(about(values, number), []).append(story)
    return told


def differs(key, values):
    if key == "Value":
        return values["Variable"].endswith(TIMES)
    if key == "AppData":
        return values["Application"] in {"Read", "Dial"}
    if key == "Status":
        return values["Event"] == "QueueMemberPause" or values["Event"] == "QueueMemberAdded"
    if key == "BridgeNumChannels":
        return values["Event"] == "BridgeLeave"
    return key in DIFFERENT or (values["Event"] in DIALLING and key.startswith(RACING))


def about(values, number):
    if values["Event"] == "DeviceStateChange":
        return values["Device"]
    for key in ("BridgeUniqueid", "OrigBridgeUniqueid", "DestUniqueid", "Uniqueid"):
        if key in values:
            subject = number("bridge" if "Bridge" in key else "id", values[key])
            if values["Event"] == "BridgeLeave":  # which of two threads is first is a race
                return "leaving", number("id", values["Uniqueid"])
            return f"dialling {subject}" if values["Event"] in DIALLING else subject
    return values["Queue"], values["Interface"]


@pytest.fixture
def pbx():
    pbx = StillEngine()
    for phone in pbx.phones.values():
        if phone.device != "PJSIP/caller":
            phone.context = "phones"
            pbx.dialplan.add("phones", phone.number, Extension(device=phone.device))
    pbx.dialplan.add("direct", "301", Extension(device="PJSIP/201", variables={"calldata": "direct"}))
    return pbx


def direct(pbx):
    return pbx.incoming_call(context="direct", exten="301")


def queue_ringall(pbx):
    pbx.log_in("PJSIP/201", "PJSIP/202")
    pbx.incoming_call(digits="12345")
    pbx.answer("PJSIP/201")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/201")


def queue_caller_gives_up(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call(digits="12345")
    pbx.wheel.advance(1.0)
    pbx.hang_up(caller)


def queue_autopause(pbx):
    pbx.queues.create("nervous").autopause = True
    pbx.dialplan.add("astctidemo", "104", Extension(queue="nervous", variables={"calldata": "nervous"}))
    pbx.log_in("PJSIP/201", queue="nervous")
    caller = pbx.incoming_call(exten="104")
    pbx.wheel.advance(15.0)
    pbx.hang_up(caller, requested=False)


def direct_call(pbx):
    direct(pbx)
    pbx.answer("PJSIP/201")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/201")


def direct_busy(pbx):
    pbx.rings_at_once = False
    direct(pbx)
    pbx.refuse("PJSIP/201")


def pickup(pbx):
    direct(pbx)
    pbx.pick_up("PJSIP/203", "PJSIP/201")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/203")


def blind_transfer(pbx):
    direct(pbx)
    pbx.answer("PJSIP/201")
    pbx.transfer_blind("PJSIP/201", "202")
    pbx.answer("PJSIP/202")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/202")


def attended_transfer(pbx):
    pbx.log_in("PJSIP/201")
    pbx.incoming_call(digits="12345")
    pbx.answer("PJSIP/201")
    pbx.dial_from("PJSIP/201", "202")
    pbx.answer("PJSIP/202")
    pbx.transfer_attended("PJSIP/201")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/202")


def outbound_call(pbx):
    pbx.dial_from("PJSIP/201", "0551234", "outbound")
    pbx.answer("PJSIP/caller")
    pbx.wheel.advance(1.0)
    pbx.hang_up("PJSIP/caller")


def pause_with_reason(pbx):
    pbx.add_queue("astcti2", "astctidemo", "102")
    pbx.log_in("PJSIP/201")
    pbx.log_in("PJSIP/201", queue="astcti2")
    pbx.queues.pause("PJSIP/201", True, "Lunch")
    pbx.queues.pause("PJSIP/201", False)


@pytest.mark.parametrize(
    "scene",
    [
        queue_ringall,
        queue_caller_gives_up,
        queue_autopause,
        direct_call,
        direct_busy,
        pickup,
        blind_transfer,
        attended_transfer,
        outbound_call,
        pause_with_reason,
    ],
    ids=lambda scene: scene.__name__,
)
def test_a_scene_is_told_as_the_recorded_asterisk_22_tells_it(pbx, scene):
    scene(pbx)
    expected = stories(recorded("22-" + scene.__name__.replace("_", "-")))
    told = stories(played(pbx))
    assert set(told) == set(expected)
    for subject, story in expected.items():
        assert told[subject] == story, subject
    assert pbx.channels == {}
