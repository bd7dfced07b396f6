"""Asks the running server through its control socket."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from astcti_server.control.asking import (
    ControlConnection,
    NoAnswerError,
    NotAllowedError,
    NotRunningError,
    RequestRefusedError,
)
from astcti_server.control.ports import ControlDocument
from astcti_server.doctor.facts import ServerFacts
from schemas.protocol import ControlCommand

NOTHING_SAID: Final[ControlDocument] = {}


def gather_server(control: Path) -> ServerFacts:
    """What it says; that it says nothing is a fact, too."""
    try:
        with ControlConnection(control) as connection:
            status = connection.document(ControlCommand.STATUS)
            try:
                seen = connection.document(ControlCommand.SEEN)
            except (NotAllowedError, RequestRefusedError):  # only root may, or it is of an older release
                seen = NOTHING_SAID
            return ServerFacts("running", "", control, status, seen)
    except NotRunningError as error:
        return ServerFacts("not-running", str(error), control)
    except (NotAllowedError, RequestRefusedError) as error:
        return ServerFacts("not-allowed", str(error), control)
    except NoAnswerError as error:
        return ServerFacts("no-answer", str(error), control)
