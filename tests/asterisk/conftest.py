"""Fixtures: a running Asterisk for the whole session, empty of calls and queue members for each test."""

from collections.abc import Generator, Iterator

import pytest

from tests import needed
from tests.asterisk.rig import CACHE, Asterisk, installed


def _running(version: int) -> Iterator[Asterisk]:
    if not installed(version):
        needed.lacking(f"no Asterisk {version} in {CACHE}, or not root: run tests/asterisk/install.sh")
    with Asterisk(version) as asterisk:
        yield asterisk


@pytest.fixture(scope="session")
def running_asterisk22() -> Iterator[Asterisk]:
    """The session's Asterisk 22; tests use `asterisk22`."""
    yield from _running(22)


@pytest.fixture(scope="session")
def running_asterisk16() -> Iterator[Asterisk]:
    """The session's Asterisk 16; tests use `asterisk16`."""
    yield from _running(16)


@pytest.fixture
def asterisk22(running_asterisk22: Asterisk) -> Asterisk:
    """An Asterisk 22 with PJSIP phones, without calls and queue members."""
    running_asterisk22.reset()
    return running_asterisk22


@pytest.fixture
def asterisk16(running_asterisk16: Asterisk) -> Asterisk:
    """An Asterisk 16 with chan_sip phones, without calls and queue members."""
    running_asterisk16.reset()
    return running_asterisk16


@pytest.fixture(params=[22, 16])
def asterisk(request: pytest.FixtureRequest) -> Asterisk:
    """Both, one after the other."""
    found: Asterisk = request.getfixturevalue(f"asterisk{request.param}")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of Asterisk's log below a failure."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if name.startswith("asterisk") and isinstance(value, Asterisk):
                report.sections.append((f"Asterisk {value.version}", value.log_tail()))
    return report
