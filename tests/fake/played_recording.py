"""A recording's events, sent to a server that runs, as far as a test wants it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from tests.fake.asterisk import FakeAsterisk

RECORDINGS = Path(__file__).resolve().parents[1] / "fixtures" / "ami"
_ANSWERS = (
    b"Status",
    b"StatusComplete",
    b"QueueParams",
    b"QueueEntry",
    b"QueueStatusComplete",
    b"FullyBooted",
)


class PlayedRecording:
    """An Asterisk of the recording's version. Use as a context manager; the server logs in meanwhile."""

    def __init__(self, name: str) -> None:
        banner, _, rest = (RECORDINGS / f"{name}.ami").read_bytes().partition(b"\r\n")
        self.asterisk = FakeAsterisk(banner=banner)
        self._blocks = [block for block in rest.split(b"\r\n\r\n") if _is_told_unasked(block)]

    @property
    def port(self) -> int:
        return self.asterisk.port

    def __enter__(self) -> PlayedRecording:
        self.asterisk.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.asterisk.__exit__(kind, error, trace)

    def play(self, until: bytes = b"") -> None:
        """Send what is left, or everything before the first event that begins so."""
        while self._blocks and not (until and self._blocks[0].startswith(until)):
            self.asterisk.send(self._blocks.pop(0) + b"\r\n\r\n")


def _is_told_unasked(block: bytes) -> bool:
    name = block.partition(b"\r\n")[0].removeprefix(b"Event: ")
    return block.startswith(b"Event: ") and name not in _ANSWERS and b"\r\nActionID: " not in block
