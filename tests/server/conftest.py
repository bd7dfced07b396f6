"""What the tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from astcti_server.demo.pbx import DemoPbx


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    """A PBX of its own for each test."""
    with DemoPbx() as running:
        yield running
