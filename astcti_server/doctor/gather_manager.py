"""Asks Asterisk, in a session of its own: what the user may do, queues, contexts, phones, its files.

All actions are read-only, but for what `provoke` makes.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.doctor.asterisk_conf import AsteriskConf, from_get_config, read_conf
from astcti_server.doctor.check_pbx import UNKNOWN, other_driver
from astcti_server.doctor.facts import ListedMember, ManagerFacts
from astcti_server.doctor.manager_probe import ManagerProbe, ProbeFailedError, ProbeTimeLimits, own_address
from astcti_server.doctor.provoking import provoke
from schemas.configuration.model import Configuration, queue_key
from schemas.server.settings import ServerSettings

PINGS: Final = 3  # the quickest of them tells the clock best
ETC: Final = Path("/etc/asterisk")
NO_NUMBER: Final = "astcti-doctor"
"""An extension that hardly a context has: with it the answer about a context is short."""


class ManagerGatherer:
    """Gathers once. `clock` tells seconds since 1970."""

    def __init__(
        self,
        settings: ServerSettings,
        configuration: Configuration,
        *,
        etc: Path | None = None,
        provoking: bool = False,
        limits: ProbeTimeLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`etc`: where Asterisk's files can be read; None: in its usual place, if it runs on this machine.

        `provoking`: make harmless events, so that each class is known.
        """
        self._settings = settings
        self._ami = settings.ami
        self._configuration = configuration
        self._etc = etc or (ETC if is_this_machine(settings.ami.host) else None)
        self._provoking = provoking
        self._limits = limits or ProbeTimeLimits()
        self._clock = clock
        self.facts = ManagerFacts(own_address=own_address(self._ami.host, self._ami.port))
        """Whatever is known so far."""

    def gather(self) -> ManagerFacts:
        """Everything that can be known; a session that cannot be had, or breaks, is a fact, too."""
        self._read_files()
        try:
            with ManagerProbe(self._ami, self._limits) as probe:
                self._learn(stage="up", manager=probe.manager, certificate_ends=probe.certificate_ends)
                self._ask(probe)
        except ProbeFailedError as failed:
            self._learn(stage=failed.stage, failure=str(failed))
        return self.facts

    def _learn(self, **changed: object) -> None:
        self.facts = replace(self.facts, **changed)  # type: ignore[arg-type]  # names of its fields

    def _ask(self, probe: ManagerProbe) -> None:
        self._ask_rights(probe)
        self._ask_clock(probe)
        self._ask_files(probe)
        self._ask_queues(probe)
        self._ask_contexts(probe)
        self._ask_devices(probe)
        self._ask_managers(probe)
        # Since 1.6.2 it comes right after the login; while Asterisk starts, when it is done.
        probe.await_event(lambda names: "FullyBooted" in names)
        if self._provoking:
            mine = [q for q in self.facts.pbx.queues or () if queue_key(q) in self._configuration.queues]
            self._learn(provoked=provoke(probe, self.facts.actions, min(mine, default="")))
        self._learn(events=probe.events)

    def _may(self, action: str) -> bool:
        return self.facts.actions is None or action.lower() in self.facts.actions

    def _ask_rights(self, probe: ManagerProbe) -> None:
        listed = probe.ask(actions.list_commands())
        if listed.ok and listed.response is not None:
            names = frozenset(key.lower() for key, _value in listed.response.items())
            if {"ping", "logoff"} <= names:
                self._learn(actions=names)
        if self.facts.actions is not None and self._may("CoreSettings"):
            told = probe.ask(actions.core_settings())
            if told.ok and told.response is not None:
                self._learn(version=told.response.get("AsteriskVersion"))

    def _ask_clock(self, probe: ManagerProbe) -> None:
        """From 1.6 on the answer to Ping has Asterisk's time."""
        best: tuple[float, float] | None = None
        for _ in range(PINGS):
            before = self._clock()
            outcome = probe.ask(actions.ping())
            after = self._clock()
            stamp = outcome.response.get("Timestamp") if outcome.response is not None else ""
            try:
                ahead = float(stamp) - (before + after) / 2
            except ValueError:
                return
            if best is None or after - before < best[0]:
                best = after - before, ahead
        if best is not None:
            self._learn(clock_ahead=best[1], clock_within=best[0] / 2)

    def _read_files(self) -> None:
        if self._etc is not None:
            self._learn(
                manager_conf=read_conf(self._etc / "manager.conf"),
                queues_conf=read_conf(self._etc / "queues.conf"),
                features_conf=read_conf(self._etc / "features.conf"),
            )

    def _ask_files(self, probe: ManagerProbe) -> None:
        """What Asterisk itself says of its files is better than what stands on a disk here."""
        if self.facts.actions is None or not self._may("GetConfig"):
            return
        for kind in ("manager", "queues", "features"):
            name, field = f"{kind}.conf", f"{kind}_conf"
            outcome = probe.ask(AmiAction("GetConfig", (("Filename", name),)))
            if outcome.ok and outcome.response is not None:
                conf: AsteriskConf = from_get_config(name, outcome.response.items())
                self._learn(**{field: conf})

    def _learn_of_pbx(self, **changed: object) -> None:
        self._learn(pbx=replace(self.facts.pbx, **changed))  # type: ignore[arg-type]  # names of its fields

    def _ask_queues(self, probe: ManagerProbe) -> None:
        outcome = probe.ask(actions.queue_status(), actions.LIST_WITHIN)
        if not outcome.ok:
            return
        queues = {event.get("Queue") for event in outcome.events if event.name == "QueueParams"}
        there = {queue_key(queue) for queue in queues}
        for service in self._configuration.services:  # one that is in a database is loaded when it is named
            if service.enabled and service.queue and queue_key(service.queue) not in there:
                named = probe.ask(actions.queue_status(service.queue))
                queues |= {event.get("Queue") for event in named.events if event.name == "QueueParams"}
        members = [
            ListedMember(
                event.get("Queue"),
                event.get("Location") or event.get("Interface"),
                event.get("Name") or event.get("MemberName"),
                event.get("Membership").lower(),
            )
            for event in outcome.events
            if event.name == "QueueMember"
        ]
        self._learn_of_pbx(queues=frozenset(queues), members=tuple(members))

    def _ask_contexts(self, probe: ManagerProbe) -> None:
        names = {service.context for service in self._configuration.services if service.enabled}
        if not self._may("ShowDialPlan"):
            return
        found: dict[str, bool | None] = {}
        for context in sorted({*names, *self._settings.transfer}):
            outcome = probe.ask(actions.show_dialplan(context, NO_NUMBER))
            if outcome.ok or "find extension" in outcome.message:
                found[context] = True
            else:
                found[context] = False if "find context" in outcome.message else None
        self._learn_of_pbx(contexts=found)

    def _ask_devices(self, probe: ManagerProbe) -> None:
        """DEVICE_STATE (func_devstate, from 1.6 on) knows phones of every kind, hints and Local channels."""
        if not self._may("Getvar"):
            return
        found = {device: _state(probe, device) for device in devices_of(self._configuration)}
        for device in [device for device, state in found.items() if state == UNKNOWN]:
            other = other_driver(device)
            if other and other not in found:
                found[other] = _state(probe, other)
        self._learn_of_pbx(devices=found)

    def _ask_managers(self, probe: ManagerProbe) -> None:
        if self.facts.actions is None or not self._may("Command"):
            return
        outcome = probe.ask(AmiAction("Command", (("Command", "manager show connected"),)))
        if outcome.ok and outcome.response is not None:
            output = outcome.response.get_all("Output") or outcome.response.raw.decode(
                errors="replace"
            ).split("\n")
            users = [line.split()[0] for line in output if line.split()]
            self._learn_of_pbx(managers=users.count(self._ami.username[:15]) - 1)


def _state(probe: ManagerProbe, device: str) -> str:
    """The state of a device; empty if it cannot be asked."""
    if device.startswith("hint:"):
        return _state_of_hint(probe, device.removeprefix("hint:"))
    try:
        action = actions.getvar(f"DEVICE_STATE({device})")
        outcome = probe.ask(action)
    except ValueError:  # a name that cannot be sent
        return ""
    value = outcome.response.get("Value") if outcome.ok and outcome.response is not None else ""
    if value in ("", "(null)", "UNKNOWN") and device.upper().startswith("SIP/"):
        shown = probe.ask(AmiAction("SIPshowpeer", (("Peer", device.partition("/")[2]),)))
        return "INVALID" if "not found" in shown.message.lower() else ""
    return "" if value == "(null)" else value


def _state_of_hint(probe: ManagerProbe, place: str) -> str:
    """The state of `extension@context`: app_queue looks it up among the hints itself, it is no device."""
    extension, _, context = place.partition("@")
    action = AmiAction("ExtensionState", (("Exten", extension), ("Context", context or "default")))
    outcome = probe.ask(action)
    if not outcome.ok or outcome.response is None:
        return ""
    return (
        UNKNOWN if outcome.response.get("Status") == "-1" else outcome.response.get("StatusText") or "KNOWN"
    )


def devices_of(configuration: Configuration) -> list[str]:
    """Every device that a seat names."""
    found: Iterable[str] = (
        device
        for seat in configuration.seats
        for device in (seat.extension, seat.queue_interface, seat.state_interface)
    )
    return list(dict.fromkeys(device for device in found if device))


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its loopback address."""
    try:
        return all(ipaddress.ip_address(found[4][0]).is_loopback for found in socket.getaddrinfo(host, None))
    except (OSError, ValueError):
        return False
