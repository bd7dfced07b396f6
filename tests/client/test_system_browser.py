"""What the system's browser is: what is started for a page, and what follows if that fails."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from astcti_client.triggers.runner import TriggerRunner
from astcti_client.triggers.system_browser import FAILS_WITHIN, NoBrowserStarts, PageOpening
from schemas.events import Action
from tests.fake.clock import FakeClock
from tests.fake.patience import until

URL = "https://crm.example/ticket?id=12345&name=%22A%22"


class Browsers:
    """Programs that write down with which address they were started, and the environment that has them."""

    def __init__(self, place: Path) -> None:
        self.place, self.clock = place, FakeClock()
        self.environ = {"PATH": str(place), "DISPLAY": ":0"}
        self._opened: list[PageOpening] = []

    def add(self, name: str, then: str = "") -> Path:
        """One that does that afterwards."""
        file = self.place / name
        file.write_text(f'#!/bin/sh\necho "{name} $PPID $@" >> {self.place}/started\n{then}\n')
        file.chmod(0o755)
        return file

    def open(self, environ: Mapping[str, str] | None = None) -> PageOpening:
        opening = PageOpening(
            URL, system="linux", environ={**self.environ, **(environ or {})}, clock=self.clock
        )
        self._opened.append(opening)
        return opening

    def started(self) -> list[str]:
        """What ran so far: name, parent, arguments."""
        file = self.place / "started"
        return file.read_text().splitlines() if file.exists() else []

    def names(self) -> list[str]:
        return [line.split()[0] for line in self.started()]

    def close(self) -> None:
        for opening in self._opened:
            opening.let_go()


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[Browsers]:
    made = Browsers(tmp_path)
    yield made
    made.close()


def taken(opening: PageOpening) -> bool:
    """What it says once it knows."""
    said: list[bool] = []

    def known() -> bool:
        answer = opening.poll()
        said.extend([] if answer is None else [answer])
        return bool(said)

    until(known, "nobody knows whether a browser has the page")
    return said[0]


def test_the_browser_is_started_by_the_client_itself(browsers: Browsers) -> None:
    browsers.add("xdg-open")
    assert taken(browsers.open())
    assert browsers.started() == [f"xdg-open {os.getpid()} {URL}"]


@pytest.mark.parametrize("choice", ["mine", "mine %s", "mine %s &", "mine &", "'mine'", "%s"])
def test_the_variable_names_a_browser_with_arguments_or_without(browsers: Browsers, choice: str) -> None:
    browsers.add("mine")
    browsers.add("xdg-open")
    assert taken(browsers.open({"BROWSER": choice}))
    name = "xdg-open" if choice == "%s" else "mine"
    assert browsers.started() == [f"{name} {os.getpid()} {URL}"]


def test_the_path_of_a_browser_may_have_blanks(browsers: Browsers) -> None:
    assert taken(browsers.open({"BROWSER": str(browsers.add("my browser"))}))
    assert browsers.started() == [f"my browser {os.getpid()} {URL}"]


def test_arguments_of_the_variable_come_before_the_address(browsers: Browsers) -> None:
    browsers.add("mine")
    assert taken(browsers.open({"BROWSER": "mine --new-window"}))
    assert browsers.started() == [f"mine {os.getpid()} --new-window {URL}"]


def test_one_that_fails_is_followed_by_the_next(browsers: Browsers) -> None:
    for name in ("first", "xdg-open", "firefox"):
        browsers.add(name, "exit 3")
    browsers.add("second", "exit 1")
    browsers.add("chromium")
    assert taken(browsers.open({"BROWSER": "first:missing:second"}))
    assert browsers.names() == ["first", "second", "xdg-open", "firefox", "chromium"]


def test_that_none_takes_the_page_is_known(browsers: Browsers) -> None:
    browsers.add("mine", "exit 1")
    browsers.add("xdg-open", "exit 4")
    assert not taken(browsers.open({"BROWSER": "mine"}))
    assert browsers.names() == ["mine", "xdg-open"]


def test_a_browser_that_ends_with_an_error_after_it_was_used_opens_nothing_again(browsers: Browsers) -> None:
    go = browsers.place / "go"
    os.mkfifo(go)
    browsers.add("xdg-open", f"read answer < {go}; exit 1")
    browsers.add("firefox")
    opening = browsers.open()
    assert opening.poll() is None
    browsers.clock.go_on(FAILS_WITHIN)
    go.write_text("ended\n")
    assert taken(opening)
    assert browsers.names() == ["xdg-open"]


def test_a_browser_that_stays_has_a_session_of_its_own_and_is_let_go(browsers: Browsers) -> None:
    process_id = browsers.place / "id"
    browsers.add("xdg-open", f"echo $$ > {process_id}; exec /bin/sleep 600")
    opening = browsers.open()
    until(lambda: process_id.exists() and process_id.read_text().endswith("\n"), "it was not started")
    process = psutil.Process(int(process_id.read_text()))
    assert os.getsid(process.pid) == process.pid
    assert opening.poll() is None
    opening.let_go()
    assert process.is_running()
    process.kill()


@pytest.mark.parametrize("system", ["windows", "linux"])
def test_where_nothing_is_known_to_open_it_a_python_of_our_own_asks_the_system(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(browsers.add("bundle")))
    environ = {"PATH": str(browsers.place)}  # no display
    with contextlib.closing(TriggerRunner(system=system, environ=environ)) as runner:  # type: ignore[arg-type]
        assert runner.perform(Action("browser", url=URL)).done
        until(browsers.started, "nothing was started")
        assert browsers.started() == [f"bundle {os.getpid()} open-page {URL}"]


def test_a_page_for_which_nothing_starts_is_refused_at_once(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(browsers.place / "missing"))
    with pytest.raises(NoBrowserStarts, match="No such file"):
        browsers.open()
    with contextlib.closing(TriggerRunner(system="linux", environ=browsers.environ)) as runner:
        outcome = runner.perform(Action("browser", url=URL))
    assert not outcome.done
    assert outcome.failure == "no-browser"
