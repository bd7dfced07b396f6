"""A link to Asterisk that runs for a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from astcti_server.ami.link import AmiLink
from astcti_server.ami.link_listener import LinkTimeLimits
from astcti_server.ami.recording import RecordBytes
from astcti_server.ami.requests import AmiRequests
from schemas.server.settings import AmiSettings
from tests.fake.link_listener import FakeListener
from tests.fake.patience import PATIENCE

USUAL: dict[str, Any] = {"username": "astcti", "secret": "secret", "pause": 0.02, "ping": 0.0}
PATIENT = LinkTimeLimits(connect=PATIENCE, login=PATIENCE, farewell=PATIENCE)


class Ami:
    """A link, and what the rest of the server has of it. `changed` are settings."""

    def __init__(
        self,
        port: int,
        listener: FakeListener,
        *,
        limits: LinkTimeLimits = PATIENT,
        clock: Callable[[], float] = time.monotonic,
        record: RecordBytes | None = None,
        **changed: Any,
    ) -> None:
        settings = AmiSettings(port=port, **(USUAL | changed))
        self.requests = AmiRequests(settings.username, clock)
        self.link = AmiLink(settings, self.requests, listener=listener, record=record, limits=limits)


@contextmanager
def running(port: int, listener: FakeListener, **more: Any) -> Iterator[Ami]:
    ami = Ami(port, listener, **more)
    ami.link.start()
    try:
        yield ami
    finally:
        ami.link.stop()
        ami.link.join(PATIENCE)
