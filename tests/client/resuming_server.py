"""A model of a server that resumes sessions, as docs/protocol.md has it. No I/O: lines in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas import event_xml
from schemas.events import CallEvent

LONG_KEPT = 256


@dataclass
class ResumingServer:
    """One operator at one seat, and what he is told of his calls."""

    outgoing: bytearray = field(default_factory=bytearray)
    log: list[CallEvent] = field(default_factory=list)
    epoch: str = ""
    heard: list[str] = field(default_factory=list)
    """What the client said, without its log-in."""
    running: dict[str, CallEvent] = field(default_factory=dict)
    """The last event of each call that goes on."""
    shown: set[str] = field(default_factory=set)
    """The calls whose answer the client says to have shown."""
    _epochs: int = 0
    _resume: str = ""
    _seated: bool = False

    def connect(self) -> None:
        """A client connects."""
        self.outgoing.clear()
        self._resume, self._seated = "", False
        self._say("100 WELCOME")

    def lose(self) -> None:
        """The connection is lost; what was not read of it, too."""
        self.outgoing.clear()
        self._seated = False

    def forget(self) -> None:
        """Know nothing any more of what was told, as after a restart."""
        self.epoch = ""

    def hear(self, line: str) -> None:
        """The client says a line."""
        verb, _, rest = line.partition(" ")
        if verb in ("RESUME", "SHOWN"):
            self.heard.append(line)
        match verb:
            case "CAPA":
                self._say("110 CAPA MAC RESUME")
            case "RESUME":
                self._resume = rest
                self._say("100 OK")
            case "USER" | "NOOP":
                self._say("100 OK")
            case "PASS":
                self._say("102 OK")
                self._seat()
            case "SERVICES":
                self._say("220 END")
            case "REASONS":
                self._say("230 END")
            case "SHOWN":
                self._was_shown(int(rest.split()[0]))
            case _:
                raise AssertionError(line)

    def happens(self, event: CallEvent) -> None:
        """Something happens to a call of the seat."""
        if event.id == "Hangup":
            del self.running[event.call.uniqueid]
        else:
            self.running[event.call.uniqueid] = event
        if self.epoch:
            self._tell(event)

    def _seat(self) -> None:
        words = self._resume.split()
        if len(words) == 2 and words[0] == self.epoch and len(self.log) - int(words[1]) <= LONG_KEPT:
            seq = int(words[1])
            self._say(f"104 RESUME {self.epoch} {seq} from")
            for event in self.log[seq:]:
                self._write(event._replace(late=event.call.uniqueid not in self.running))
            self._seated = True
        else:
            self._epochs += 1
            self.epoch, self.log = f"{self._epochs:016x}", []
            self._say(f"104 RESUME {self.epoch} 0 state")
            self._seated = True
            for key, event in self.running.items():
                again = event.id == "Link" and key in self.shown
                self._tell(event._replace(repeat=again, triggers=() if again else event.triggers))
        self._say("105 RESUME END")

    def _tell(self, event: CallEvent) -> None:
        numbered = event._replace(seq=len(self.log) + 1)
        self.log.append(numbered)
        if self._seated:
            self._write(numbered)

    def _was_shown(self, seq: int) -> None:
        event = self.log[seq - 1]
        if event.id == "Link":
            self.shown.add(event.call.uniqueid)

    def _write(self, event: CallEvent) -> None:
        self.outgoing += event_xml.encode(event)

    def _say(self, line: str) -> None:
        self.outgoing += line.encode() + b"\n"
