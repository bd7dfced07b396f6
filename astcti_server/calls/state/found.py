"""What is known of two who were found connected when the channels were read. Frozen."""

from __future__ import annotations

from typing import NamedTuple

from schemas.protocol import KEPT_FOR


class Found(NamedTuple):
    """Which clients are told of the conversation as if it began now, and how old it may be."""

    repeat: bool
    """No pop-up for a client that does not resume."""
    news: bool
    """A pop-up for a client that resumes: it will know whether it had that already."""
    at_start: bool
    """The server had just begun, so nobody knows who was told of it: as good as told, and not shown."""
    began: float | None
    """The earliest moment at which it can have begun, of the tracker's clock; None if that is not known."""

    def is_recent(self, now: float) -> bool:
        """Whether who sits down now is to have a pop-up for it: nobody knows that he lacks one."""
        return self.at_start and self.began is not None and now - self.began < KEPT_FOR
