"""What each operator does at one moment, and who may see it. Values and rules; no I/O, no clock.

Whoever gathers the facts hands over a frozen `TeamSnapshot`, so that it may be another thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.configuration.model import Configuration
from schemas.protocol import ColleagueState

PhoneUse = Literal["", "ringing", "talking"]


@dataclass(frozen=True, slots=True)
class SeatedFacts:
    """What is known of an operator who is logged in."""

    extension: str
    """Empty as long as no seat is known."""
    paused: bool = False
    reachable: bool = True
    """Whether calls can reach him: False if he is in none of the queues where he belongs."""
    phone: PhoneUse = ""


@dataclass(frozen=True, slots=True)
class TeamSnapshot:
    """Everybody who is logged in, by user name, at one moment."""

    pbx_up: bool
    seated: Mapping[str, SeatedFacts]


class ColleagueRow(NamedTuple):
    """One operator as others see him."""

    username: str
    extension: str
    """Where he sits, or where he is to sit; empty where neither is known."""
    state: ColleagueState
    full_name: str


def state_of(facts: SeatedFacts | None, pbx_up: bool) -> ColleagueState:
    """The one state that matters most to who wants to call: None is somebody who is not logged in."""
    if facts is None:
        return ColleagueState.OFFLINE
    if not pbx_up or not facts.extension:
        return ColleagueState.UNREACHABLE
    if facts.phone:
        return ColleagueState(facts.phone)
    if facts.paused:
        return ColleagueState.PAUSED
    return ColleagueState.READY if facts.reachable else ColleagueState.UNREACHABLE


def colleague_rows(configuration: Configuration, snapshot: TeamSnapshot) -> dict[str, ColleagueRow]:
    """Every enabled operator of some service, by user name, in the order of the configuration."""
    rows: dict[str, ColleagueRow] = {}
    for operator in configuration.operators:
        username = operator.username
        if not operator.enabled or username not in configuration.services_by_operator:
            continue
        facts = snapshot.seated.get(username)
        seat = configuration.seat_by_mac.get(operator.seat)
        extension = (facts.extension if facts else "") or (seat.extension if seat else "")
        rows[username] = ColleagueRow(
            username, extension, state_of(facts, snapshot.pbx_up), operator.full_name
        )
    return rows


def team_of(configuration: Configuration, username: str) -> frozenset[str]:
    """The user names of all who serve a service of this operator, with himself and those who are disabled."""
    services = configuration.services_of(username)
    return frozenset(binding.username for service in services for binding in service.operators)
