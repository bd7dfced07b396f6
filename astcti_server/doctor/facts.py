"""What `doctor` knows before it judges: frozen values, gathered by the `gather_*` modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from astcti_server.config.holding import HeldFile
from astcti_server.doctor.asterisk_conf import AsteriskConf
from schemas.configuration.model import Configuration
from schemas.problems import Problem
from schemas.server.file_checks import Validity
from schemas.server.settings import ServerSettings

ManagerStage = Literal["host-name", "connect", "tls", "greeting", "login", "up"]
"""How far a manager session came: what it failed at, or `up`."""
ServerState = Literal["running", "not-running", "not-allowed", "no-answer"]


@dataclass(frozen=True)
class SystemUser:
    """A user of this machine, whose rights are looked at."""

    name: str
    user: int
    groups: frozenset[int]


@dataclass(frozen=True)
class LookedAtFile:
    """A file that the server needs, and what its modes allow."""

    path: Path
    content: str
    """What is in it, in words: `passwords`."""
    closed_at: str = ""
    """Where the server's user is turned away; empty if he may read the file (and write it, if it is a
    directory)."""
    open_to_others: str = ""
    """That other users of the machine can get at it, in words, with what to do; empty if they cannot."""


@dataclass(frozen=True)
class FileFacts:
    """The configuration directory, and the files of the server."""

    directory: Path
    in_force: Path | None = None
    settings: ServerSettings | None = None
    configuration: Configuration | None = None
    problems: tuple[Problem, ...] = ()
    """Why a server would not start."""
    refused: tuple[Problem, ...] = ()
    """What is wrong with newer files than the one in force."""
    warnings: tuple[Problem, ...] = ()
    held: tuple[HeldFile, ...] = ()
    server_user: SystemUser | None = None
    """Who runs the server, or would run it; None if that is not known."""
    files: tuple[LookedAtFile, ...] = ()
    state: LookedAtFile | None = None
    """The state directory; None while there is none."""
    validity: Validity | None = None
    """Of the certificate for clients."""
    authority_wrong: str = ""
    """What is wrong with the age of `ca-file`."""


@dataclass(frozen=True)
class ServerFacts:
    """The running server, as it answers at its control socket."""

    state: ServerState = "not-running"
    reason: str = ""
    """Why it does not answer."""
    control: Path = Path("control.sock")
    status: Mapping[str, Any] = field(default_factory=dict)
    """The answer to STATUS; empty without one."""
    seen: Mapping[str, Any] = field(default_factory=dict)
    """The answer to SEEN; empty without one (an older server, or somebody who may only look)."""
    earlier: Mapping[str, Any] = field(default_factory=dict)
    """The answer to STATUS before Asterisk was asked."""


@dataclass(frozen=True)
class ListedMember:
    """A queue member as QueueStatus lists it."""

    queue: str
    interface: str
    name: str
    membership: str
    """`dynamic`, `static` or `realtime`."""


@dataclass(frozen=True)
class PbxFacts:
    """What Asterisk says of queues, dialplan and phones. None: it could not be asked."""

    queues: frozenset[str] | None = None
    members: tuple[ListedMember, ...] = ()
    contexts: Mapping[str, bool | None] = field(default_factory=dict)
    """Of each context of the configuration: whether it is there."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Of each device of a seat its state: `NOT_INUSE`, `UNAVAILABLE`; `INVALID` where nobody has such a
    device; empty if it is not known."""
    managers: int | None = None
    """Sessions of the configured manager user, without this one."""


@dataclass(frozen=True)
class ManagerFacts:
    """A manager session of `doctor`'s own."""

    stage: ManagerStage = "host-name"
    failure: str = ""
    """Why it ended at that stage, with what to check; empty if it is `up`."""
    own_address: str = ""
    """The address that Asterisk sees this machine under."""
    certificate_ends: float | None = None
    """Of Asterisk's certificate, in seconds since 1970; None without TLS."""
    manager: str = ""
    """The version of the manager interface."""
    version: str = ""
    """Asterisk's own, if it may be asked."""
    actions: frozenset[str] | None = None
    """Names in lower case of the actions that the user may ask for; None if they are not known."""
    events: frozenset[str] = frozenset()
    """Names of the events that came."""
    provoked: frozenset[str] = frozenset()
    """Names of the events that were made: each came if its class is there and nothing hides it."""
    clock_ahead: float | None = None
    """Seconds that Asterisk's clock is ahead of this machine's."""
    clock_within: float = 0.0
    """How far off that may be."""
    manager_conf: AsteriskConf | None = None
    queues_conf: AsteriskConf | None = None
    features_conf: AsteriskConf | None = None
    pbx: PbxFacts = PbxFacts()


@dataclass(frozen=True)
class Facts:
    """Everything. `now`: when it was gathered, in seconds since 1970."""

    now: float
    files: FileFacts
    server: ServerFacts
    manager: ManagerFacts | None = None
    """None without valid settings."""
