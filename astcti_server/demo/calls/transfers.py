"""Transfers in the demo PBX, event by event as Asterisk 22 tells them."""

from __future__ import annotations

from astcti_server.demo.calls.call import CallSwitch
from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.dial_call import DialCall, TransferredCall
from astcti_server.demo.calls.queue_call import QueueCall


def blind_transfer(switch: CallSwitch, transferer: Channel, exten: str, context: str) -> Channel:
    """The other party of the transferer's call is sent elsewhere: that party, to be redirected now."""
    transferee, bridge = transferer.peer, transferer.bridge
    assert transferee is not None and bridge is not None
    switch.set_variable(transferee, "BLINDTRANSFER", transferer.name)
    switch.set_variable(transferer, "BLINDTRANSFER", transferee.name)
    switch.emit(
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
    return transferee


def attended_transfer(switch: CallSwitch, first: Channel, second: Channel) -> None:
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
    first_call, second_call = switch.call_of[first.uniqueid], switch.call_of[second.uniqueid]
    switch.set_variable(target, "ATTENDEDTRANSFER", second.name)
    switch.set_variable(second, "ATTENDEDTRANSFER", target.name)
    switch.leave(target)
    switch.leave(first)
    switch.enter(home, target, swap=first)
    switch.say("SoftHangupRequest", first, ("Cause", "1"))
    switch.emit(
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
    switch.connect_line(target, caller.number, caller.caller_name)
    switch.connect_line(caller, target.number, target.caller_name)
    switch.leave(second)
    switch.destroy(away)
    switch.say_hangup(first, 16)
    if isinstance(second_call, DialCall) and second_call.caller is second:
        second_call.handed_over()
    else:
        second_call.over = True
        switch.say_hangup(second, 16)
    TransferredCall(switch, caller, target, dialled=isinstance(first_call, DialCall))
    switch.check_device(first.device)
