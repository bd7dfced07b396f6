"""Says in plain words what happens in the demo PBX."""

from __future__ import annotations

from collections.abc import Callable

from astcti_server.demo.ami.blocks import DemoEvent, for_people

Narrate = Callable[[str], None]

ENDS = {"caller": "the caller hung up", "agent": "the agent hung up"}


class Narrator:
    """A listener of the engine: one sentence for what a person would notice."""

    def __init__(self, narrate: Narrate) -> None:
        self._narrate = narrate
        self._typed: dict[str, str] = {}

    def __call__(self, event: DemoEvent) -> None:
        sentence = self._sentence(event)
        if sentence:
            self._narrate(sentence)

    def _sentence(self, event: DemoEvent) -> str:
        get = event.get
        caller = f"{for_people(get('CallerIDName'))} ({get('CallerIDNum')})"
        match event.name:
            case "VarSet" if get("Variable") == "calldata":
                self._typed[get("Uniqueid")] = get("Value")
                return f"{caller} calls and types {get('Value')}"
            case "Hangup":
                self._typed.pop(get("Uniqueid"), None)
                return ""
            case "QueueCallerJoin":
                return f"{caller} waits in queue {get('Queue')}, position {get('Position')}"
            case "AgentCalled":
                return f"{get('Interface')} rings for {caller}"
            case "AgentConnect":
                typed = self._typed.get(get("Uniqueid"), "")
                return f"{get('MemberName')} answers {caller}" + (f", who typed {typed}" if typed else "")
            case "AgentComplete":
                talked = f"{caller} and {get('MemberName')} talked for {get('TalkTime')} s"
                return f"{talked}; {ENDS.get(get('Reason'), 'the call was transferred')}"
            case "QueueCallerAbandon":
                return f"{caller} gives up after {get('HoldTime')} s in the queue"
            case "OriginateResponse":
                return f"click to call {get('Exten')}: {get('Response').lower()}"
            case _:
                return _member_sentence(event)


def _member_sentence(event: DemoEvent) -> str:
    who, queue = f"{event.get('MemberName')} ({event.get('Interface')})", event.get("Queue")
    match event.name:
        case "QueueMemberAdded":
            return f"{who} joins queue {queue}" + (", in pause" if event.get("Paused") == "1" else "")
        case "QueueMemberRemoved":
            return f"{who} leaves queue {queue}"
        case "QueueMemberPause":
            reason = event.get("PausedReason")
            if event.get("Paused") == "0":
                return f"{who} takes calls of queue {queue} again"
            return f"{who} is in pause in queue {queue}" + (f": {reason}" if reason else "")
        case _:
            return ""
