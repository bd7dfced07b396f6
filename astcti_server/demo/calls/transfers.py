"""Transfers in the demo PBX, event by event as Asterisk 22 tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.dial_call import DialCall, Talk
from astcti_server.demo.calls.queue_call import QueueCall

if TYPE_CHECKING:
    from astcti_server.demo.calls.engine import Engine


def blind_transfer(engine: Engine, transferer: Channel, exten: str, context: str) -> None:
    """Send the other party of the transferer's call elsewhere; the transferer is out at once."""
    transferee, bridge = transferer.peer, transferer.bridge
    assert transferee is not None and bridge is not None
    engine.set_variable(transferee, "BLINDTRANSFER", transferer.name)
    engine.set_variable(transferer, "BLINDTRANSFER", transferee.name)
    engine.emit(
        "BlindTransfer",
        "call",
        [
            ("Result", "Success"),
            *transferer.fields("Transferer"),
            *transferee.fields("Transferee"),
            *bridge.fields(),
            ("IsExternal", "Yes"),
            ("Context", context),
            ("Extension", exten),
        ],
    )
    engine.redirect(transferee, context, exten)


def attended_transfer(engine: Engine, first: Channel, second: Channel) -> None:
    """The transferer's first call gets the party of its second one, in the transferer's place."""
    caller, target, home, away = first.peer, second.peer, first.bridge, second.bridge
    assert caller is not None and target is not None and home is not None and away is not None
    fields = [
        *second.fields("OrigTransferer"),
        *away.fields("Orig"),
        *first.fields("SecondTransferer"),
        *home.fields("Second"),
        *target.fields("Transferee"),
        *caller.fields("TransferTarget"),
    ]
    first_call, second_call = engine.call_of[first.uniqueid], engine.call_of[second.uniqueid]
    engine.set_variable(target, "ATTENDEDTRANSFER", second.name)
    engine.set_variable(second, "ATTENDEDTRANSFER", target.name)
    engine.leave(target)
    engine.leave(first)
    engine.enter(home, target, swap=first)
    engine.say("SoftHangupRequest", first, ("Cause", "1"))
    engine.emit(
        "AttendedTransfer",
        "call",
        [
            ("Result", "Success"),
            *fields,
            ("IsExternal", "No"),
            ("DestType", "Bridge"),
            ("DestBridgeUniqueid", home.uniqueid),
        ],
    )
    first_call.over = True
    if isinstance(first_call, QueueCall):
        first_call.transferred()
    engine.connect_line(target, caller.number, caller.caller_name)
    engine.connect_line(caller, target.number, target.caller_name)
    engine.leave(second)
    engine.destroy(away)
    engine.say_hangup(first, 16)
    if isinstance(second_call, DialCall) and second_call.caller is second:
        second_call.handed_over()
    else:
        second_call.over = True
        engine.say_hangup(second, 16)
    Talk(engine, caller, target, dialled=isinstance(first_call, DialCall))
    engine.check_device(first.device)
