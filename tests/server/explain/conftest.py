"""Recorded calls of each dialect, explained by the configuration that a test gives them."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType

from astcti_server.explain.explanations import CallsOfAMoment, NamesHeard
from astcti_server.explain.heard_names import names_in, nothing_kept
from astcti_server.replay import Replay
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.fake.asterisk import FakeAsterisk

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
QUEUE_CALLS = {"22-queue-ringall": "PJSIP", "16-queue-ringall": "SIP", "old/1.4-queue": "SIP"}
"""A queue's call that 201 answers, by each way in which Asterisk tells it, and the phones' technology."""

_ANSWERS = (
    b"Status",
    b"StatusComplete",
    b"QueueParams",
    b"QueueEntry",
    b"QueueStatusComplete",
    b"FullyBooted",
)
_PHONE = re.compile(rb"\b(?:PJSIP|SIP)/[A-Za-z0-9_.]+(?=-[0-9a-f]{8})")
_OUTSIDE = ("caller", "caller2", "trunk")
MAC = "02:00:00:00:02:{:02x}"


def demo(**changed: object) -> Service:
    """The specification's example service, for the operators of 201 and 202."""
    fields: dict[str, object] = {
        "name": "Demo",
        "context": "astctidemo",
        "type": "inbound",
        "is_queue": True,
        "queue_name": "astcti",
        "variables": ("calldata",),
        "triggers": (Trigger("browser", url="https://crm.example/?id={CALLDATA}"),),
        "operators": (Binding("mario"), Binding("luisa"), Binding("anna")),
    }
    return Service(**{**fields, **changed})  # type: ignore[arg-type]


def office(*services: Service, technology: str = "PJSIP", extensions: tuple[str, ...] = ()) -> Configuration:
    """mario at 201, luisa at 202, anna at 203."""
    phones = extensions or tuple(f"{technology}/{number}" for number in (201, 202, 203))
    people = ("mario", "luisa", "anna")
    return Configuration(
        services,
        tuple(Seat(MAC.format(index), phone) for index, phone in enumerate(phones)),
        tuple(
            Operator(name, name.title(), "md5:5ebe2294ecd0e0f08eab7690d2a6ee69", seat=MAC.format(index))
            for index, name in enumerate(people)
        ),
    )


def transcript(name: str) -> bytes:
    return (RECORDINGS / f"{name}.ami").read_bytes()


def names_heard_in(recorded: bytes) -> NamesHeard:
    """Looks through a recording for what the server never looked at."""
    return lambda uniqueids: names_in(recorded.split(b"\r\n\r\n"), uniqueids)


def calls_of(recorded: bytes, configuration: Configuration, *, kept: bool = True) -> CallsOfAMoment:
    """Every call of a recording; `kept`: what Asterisk sent can be looked through."""
    replay = Replay(configuration, lambda _told: None)
    replay.feed(recorded)
    return replay.calls_so_far(names_heard_in(recorded) if kept else nothing_kept)


def of_every_phone(recorded: bytes) -> Configuration:
    """Every phone of a recording but those outside is a seat, its operator bound to the example service."""
    phones = sorted({phone.decode() for phone in _PHONE.findall(recorded)})
    inside = [phone for phone in phones if phone.partition("/")[2] not in _OUTSIDE]
    seats = tuple(Seat(MAC.format(index), phone) for index, phone in enumerate(inside))
    operators = tuple(
        Operator(f"at-{seat.extension}", "Operator", "md5:" + "0" * 32, seat=seat.mac) for seat in seats
    )
    service = demo(operators=tuple(Binding(operator.username) for operator in operators))
    return Configuration((service,), seats, operators)


class PlayedRecording:
    """An Asterisk of the recording's version. Use as a context manager; the server logs in meanwhile."""

    def __init__(self, name: str) -> None:
        banner, _, rest = (RECORDINGS / f"{name}.ami").read_bytes().partition(b"\r\n")
        self.asterisk = FakeAsterisk(banner=banner)
        self._blocks = [block for block in rest.split(b"\r\n\r\n") if _is_told_unasked(block)]

    @property
    def port(self) -> int:
        return self.asterisk.port

    def __enter__(self) -> PlayedRecording:
        self.asterisk.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.asterisk.__exit__(kind, error, trace)

    def play(self, until: bytes = b"") -> None:
        """Send what is left, or everything before the first event that begins so."""
        while self._blocks and not (until and self._blocks[0].startswith(until)):
            self.asterisk.send(self._blocks.pop(0) + b"\r\n\r\n")


def _is_told_unasked(block: bytes) -> bool:
    name = block.partition(b"\r\n")[0].removeprefix(b"Event: ")
    return block.startswith(b"Event: ") and name not in _ANSWERS and b"\r\nActionID: " not in block
