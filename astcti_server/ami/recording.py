"""What of Asterisk's bytes is recorded, so that they can be played again. AMI thread only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

RecordBytes: TypeAlias = Callable[[bytes], object]
"""Takes the next bytes of a recording; it must neither wait nor raise."""

MOST_HELD: Final = 1 << 20  # a login has some hundred bytes
_SECRET: Final = re.compile(rb"^((?:Challenge|Key|Secret):[ ]?)[^\r\n]*", re.MULTILINE | re.IGNORECASE)
_END: Final = b"\r\n\r\n"


class Recorder:
    """Records connections one after the other, without what belongs to the login's secrets.

    Until the login is over what was read is held back, so that a secret is found however it was cut.
    """

    def __init__(self, record: RecordBytes | None) -> None:
        self._record = record
        self._held: bytearray | None = bytearray()
        self._last = _END

    def read(self, data: bytes) -> None:
        """Bytes came."""
        if self._record is None:
            return
        if self._held is None:
            self._write(data)
        elif len(self._held) + len(data) <= MOST_HELD:
            self._held += data

    def logged_in(self) -> None:
        """The login is over; what comes now has no secrets of ours."""
        if self._record is not None and self._held is not None:
            held, self._held = bytes(self._held), None
            self._write(_SECRET.sub(rb"\1***", held))

    def ended(self) -> None:
        """The connection is over: end a message that was cut, so that the next one begins anew."""
        self.logged_in()
        if self._record is not None and self._last != _END:
            self._write(_END)
        self._held = bytearray()

    def _write(self, data: bytes) -> None:
        if self._record is not None and data:
            self._last = data[-4:] if len(data) >= 4 else (self._last + data)[-4:]
            self._record(data)
