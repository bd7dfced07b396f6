"""Screens on which there is little room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import needed
from tests.client.ui.tools.desktop import Desktop, missing

SIZES = ("800x480", "1366x768")


@pytest.fixture(scope="session")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Desktop]]:
    """By their size. They last: Tk ends the whole process when a display that it ever used is gone."""
    if lacking := missing():
        needed.lacking(f"windows cannot be tested here, missing: {', '.join(lacking)}")
    made = {size: Desktop(tmp_path_factory.mktemp("screen"), size=size) for size in SIZES}
    yield made
    for display in made.values():
        display.close()


@pytest.fixture
def desktop(screens: dict[str, Desktop], request: pytest.FixtureRequest) -> Desktop:
    """The screen that `open_client` opens its windows on: the smallest, or that of the test's parameter."""
    return screens[getattr(request, "param", SIZES[0])]
