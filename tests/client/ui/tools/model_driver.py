"""Lines of the server for a model without a connection."""

from __future__ import annotations

from astcti_client.net.messages import IssuedCommand, ServerReply
from astcti_client.ui.state.seat_changes import SeatChange
from astcti_client.ui.state.seat_model import SeatModel
from schemas.wire import Reply, parse_server_line


def hear_reply(model: SeatModel, line: str, answers: str = "") -> list[SeatChange]:
    """The model hears a numbered line, as the answer to a command if one is given."""
    reply = parse_server_line(line.encode())
    assert isinstance(reply, Reply)
    return model.hear(ServerReply(line, reply, IssuedCommand(1, answers) if answers else None))
