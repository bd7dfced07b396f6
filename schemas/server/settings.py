"""The settings of the server itself as frozen values: what server.xml is loaded into.

Standard library only. Times are in seconds. The defaults here are those of `server.xsd`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EventScope = Literal["services", "all"]
OnStop = Literal["remove", "keep"]
AmiAuth = Literal["md5", "plain"]


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where Asterisk's manager interface is, and how to stay connected to it."""

    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038
    tls: bool = False
    ca_file: str = ""
    auth: AmiAuth = "md5"
    """`plain`: where Asterisk offers no challenge, the secret itself may be sent."""
    retries: int | None = None
    """Attempts after the first one; None is for ever."""
    pause: float = 5.0
    ping: float = 20.0
    encoding: str = "cp1252"
    """For bytes of Asterisk that are no UTF-8."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where clients connect. With a certificate they use TLS."""

    address: str = "127.0.0.1"
    port: int = 5000
    certificate: str = ""
    key: str = ""
    plain: bool = False
    before_pbx: bool = False
    """Whether clients are accepted before the first login to Asterisk."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Limits of the clients."""

    keep_alive: float = 60.0
    grace: float = 10.0
    max: int = 2000
    max_per_address: int = 200
    login_time: float = 15.0
    login_failures: int = 3
    outbox: int = 1048576
    """Bytes that may wait for one client."""
    late_pop_up: float = 30.0
    """How old a call answered while Asterisk could not be heard may be and still pop up; 0: none does."""
    command_burst: int = 20
    """ORIG, HANGUP, TRANSFER and PAUSE that an operator may give at once."""
    command_rate: float = 2.0
    """How many a second may follow."""


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How the calls that are known are kept right."""

    compare: float = 300.0
    """Between two looks whether Asterisk still has them; 0: never."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How the membership of queues is kept right."""

    reconcile: float = 300.0
    leftover_grace: float = 60.0
    on_stop: OnStop = "remove"


@dataclass(frozen=True, slots=True)
class OriginateSettings:
    """What operators may call."""

    any_priority: bool = False
    """Whether ORIG may begin elsewhere than at priority 1, and so leave out steps that the dialplan has."""


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """How much is logged, and where; an empty file is standard error."""

    level: str = "info"
    file: str = ""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where it is written who did what; an empty file: nowhere."""

    file: str = ""


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where figures for Prometheus can be fetched, and whether the server is well; off unless it is there."""

    address: str = "127.0.0.1"
    port: int = 9105


@dataclass(frozen=True, slots=True)
class KeptAmiSettings:
    """How much of what Asterisk said is kept in memory, for `report`."""

    bytes: int = 16777216
    """Compressed; 0: nothing is kept."""
    minutes: int = 15


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Everything that server.xml says."""

    ami: AmiSettings
    events: EventScope = "services"
    listen: ListenSettings = ListenSettings()
    clients: ClientSettings = ClientSettings()
    calls: CallSettings = CallSettings()
    queues: QueueSettings = QueueSettings()
    originate: OriginateSettings = OriginateSettings()
    transfer: tuple[str, ...] = ()
    """Contexts that calls may be transferred to beside those of the operator's own inbound services."""
    kept_ami: KeptAmiSettings = KeptAmiSettings()
    logging: LoggingSettings = LoggingSettings()
    audit: AuditSettings = AuditSettings()
    metrics: MetricsSettings | None = None
