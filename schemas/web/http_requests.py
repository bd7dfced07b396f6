"""What comes to the web servers in these programs, where waitress's own reading of it takes too long.

The only module here that needs waitress; the seats' PCs never load it. Any thread.
"""

from __future__ import annotations

import re
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError

# Says no at the first character that does not fit. The expression of waitress (3.0.2, `first_line_re`) tries
# each part of an address as its host: 4,500 bytes take it five seconds, in which no other thread runs.
_FIRST_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++ [^ ]++(?: HTTP/[0-9]\.[0-9])?")


class QuickRequestParser(HTTPRequestParser):  # type: ignore[misc]  # it has no types
    """Refuses at once a first line that waitress would refuse after trying everything."""

    def parse_header(self, header_plus: bytes) -> Any:
        """As waitress does, which calls it. Raises ParsingError."""
        if not _FIRST_LINE.fullmatch(header_plus.partition(b"\r\n")[0].rstrip()):
            raise ParsingError("Start line is invalid")
        return super().parse_header(header_plus)


def read_requests_quickly() -> None:
    """Have every waitress of this process use that parser. Before the first server is made."""
    HTTPChannel.parser_class = QuickRequestParser
