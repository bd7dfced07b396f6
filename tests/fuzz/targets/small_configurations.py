"""Configurations that are read quickly, for the targets that need one."""

from __future__ import annotations

from functools import cache, lru_cache

from schemas import xml_reading
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger


def keep_schemas() -> None:
    """Build each schema once in this process: the programs do for each file, which takes ten times the rest."""
    if not hasattr(xml_reading.XmlSchema, "cache_info"):
        setattr(xml_reading, "XmlSchema", lru_cache(xml_reading.XmlSchema))  # noqa: B010


@cache
def small_configurations() -> tuple[Configuration, ...]:
    """Valid ones, each with something that few have."""
    md5 = "md5:098f6bcd4621d373cade4e832627b4f6"
    triggers = (
        Trigger("browser", url="https://h/?{X}&n={CALLERID}"),
        Trigger("application", on="ring", application="/usr/bin/crm", parameters="-t {X}", again=True),
        Trigger("internal-browser", on="hangup", url="https://h/{UNIQUEID}"),
    )
    seats = (
        Seat("00:11:22:33:44:55", "SIP/1", "SIP/1", "", "192.0.2.7", "First row"),
        Seat("00:11:22:33:44:66", "PJSIP/2", "Local/2@x/n", "PJSIP/2"),
    )
    operators = (
        Operator("m", "M", md5, seats[0].mac, begin_in_pause=True),
        Operator("n", "N\u00e8", md5, enabled=False),
    )
    bindings = (Binding("m", 3), Binding("n"))
    services = (
        Service("D", "d", "inbound", True, "q", True, ("x",), triggers, bindings),
        Service("E", "e", "outbound", variables=("x", "y"), operators=(Binding("m"),)),
        Service("F", "d", "inbound", True, "r", False),
    )
    return (
        Configuration(services[:1], seats[:1], (operators[0], operators[1]), ("Lunch", "Training")),
        Configuration(services, seats, operators, ("L",)),
        Configuration((services[0],), seats, operators),
        Configuration((), seats, operators),
        Configuration((services[1],), seats[:1], operators[:1], ("a", "b", "c")),
    )
