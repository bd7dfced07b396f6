"""Recorded calls of each dialect, explained by the configuration that a test gives them."""

from __future__ import annotations

from pathlib import Path

from astcti_server.explain.explanations import CallsOfAMoment
from astcti_server.explain.heard_names import HeardNames, names_in
from astcti_server.replay import Replay
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "ami"
QUEUE_CALLS = {"22-queue-ringall": "PJSIP", "16-queue-ringall": "SIP", "old/1.4-queue": "SIP"}
"""A queue's call that 201 answers, by each way in which Asterisk tells it, and the phones' technology."""

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


def calls_of(recorded: bytes, configuration: Configuration, *, kept: bool = True) -> CallsOfAMoment:
    """Every call of a recording; `kept`: what Asterisk sent can be looked through."""

    def names_heard(uniqueids: frozenset[str]) -> HeardNames | None:
        return names_in(recorded.split(b"\r\n\r\n"), uniqueids) if kept else None

    replay = Replay(configuration, lambda _told: None)
    replay.feed(recorded)
    return replay.calls_so_far(names_heard)
