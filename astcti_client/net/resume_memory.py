"""Up to which event this client was told, from one connection to the next. No I/O; for the network thread."""

from __future__ import annotations

import logging

from astcti_client.net.messages import Resumed
from astcti_client.resume_position import ResumePosition
from schemas.protocol import EPOCH, MOST_SEQ, RESUME_NEW, CommandName, ReplyCode, ResumeMode, Word
from schemas.wire import Reply

logger = logging.getLogger(__name__)


class ResumeMemory:
    """The number of the last event that came, for the next connection to go on from there."""

    def __init__(self, earlier: ResumePosition | None = None) -> None:
        """`earlier`: where an earlier run of the client was."""
        self._epoch = earlier.epoch if earlier else ""
        self._seq = earlier.seq if earlier else 0
        self._earlier = earlier
        self._hole_told = False

    def command(self) -> str:
        """What to say before the log-in."""
        where = f"{self._epoch} {self._seq}" if self._epoch else RESUME_NEW
        return f"{CommandName.RESUME} {where}"

    def resumed(self, reply: Reply) -> Resumed | None:
        """What a 104 says, and remember it; None if it makes no sense."""
        words = reply.information.split()
        if reply.number != ReplyCode.RESUMING or len(words) != 4 or words[0] != Word.RESUME:
            return None
        epoch, seq, mode = words[1:]
        if not EPOCH.fullmatch(epoch) or not (
            seq.isascii() and seq.isdigit() and len(seq) <= len(str(MOST_SEQ))
        ):
            return None
        if mode not in (ResumeMode.FROM, ResumeMode.STATE):
            return None
        self._epoch, self._seq, self._hole_told = epoch, int(seq), False
        return Resumed(ResumeMode(mode), epoch, self._seq)

    def heard(self, seq: int) -> bool:
        """An event came; whether an earlier run of the client handled it."""
        if seq != self._seq + 1 and not self._hole_told:
            self._hole_told = True  # nothing can be done about it; going on loses least
            logger.warning("the server's events are numbered wrongly: %d follows %d", seq, self._seq)
        self._seq = max(self._seq, seq)
        earlier = self._earlier
        return earlier is not None and earlier.epoch == self._epoch and seq <= earlier.known
