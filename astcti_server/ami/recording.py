"""Writes down what Asterisk sends, byte for byte, so that it can be played again. AMI thread only."""

from __future__ import annotations

import logging
import re
from typing import BinaryIO, Final

logger = logging.getLogger(__name__)

_SECRET: Final = re.compile(rb"^((?:Challenge|Key|Secret):[ ]?)[^\r\n]*", re.MULTILINE | re.IGNORECASE)
_END: Final = b"\r\n\r\n"


class Recorder:
    """Records connections one after the other into one file, without what belongs to the login's secrets.

    Until the login is over what was read is held back, so that a secret is found however it was cut.
    """

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._held: bytearray | None = bytearray()
        self._last = _END

    def read(self, data: bytes) -> None:
        """Bytes came."""
        if self._file is None:
            return
        if self._held is not None:
            self._held += data
        else:
            self._write(data)

    def logged_in(self) -> None:
        """The login is over; what comes now has no secrets of ours."""
        if self._file is not None and self._held is not None:
            held, self._held = bytes(self._held), None
            self._write(_SECRET.sub(rb"\1***", held))

    def ended(self) -> None:
        """The connection is over: end a message that was cut, so that the next one begins anew."""
        self.logged_in()
        if self._file is not None and self._last != _END:
            self._write(_END)
        self._held = bytearray()

    def _write(self, data: bytes) -> None:
        if self._file is None or not data:
            return
        self._last = (self._last + data)[-4:]
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError) as error:
            logger.error("The recording ends here, the file cannot be written: %s", error)
            self._file = None
