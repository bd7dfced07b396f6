"""The client's figures: what is seen on a screen, what is made of it, and what is said without one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import needed
from tests.bench.lacking import Lacking, require_modules
from tests.bench.machine import Machine
from tests.bench.processes.server_process import PROJECT
from tests.bench.processor_time import wake_ups
from tests.bench.report import Report
from tests.bench.scenarios.desk import client, report_notices
from tests.bench.scenarios.growth import Grown, Held, growth, report_growth
from tests.client.ui.tools.desktop import Desktop, missing
from tests.fake.patience import PATIENCE

MACHINE = Machine("cpython 3.11.2, /usr/bin/python3", "optimised", 25.0, "Linux 6.1", "A processor", 2)


@pytest.fixture
def report() -> Report:
    report = Report(MACHINE)
    report.scenario("client", "The client's window")
    return report


def written(report: Report, folder: Path) -> dict[str, Any]:
    report.write(folder / "run.json")
    (scenario,) = json.loads((folder / "run.json").read_text())["scenarios"]
    return {figure["what"]: figure for figure in scenario["figures"]}


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    if lacking := missing():
        needed.lacking(f"windows cannot be tested here, missing: {', '.join(lacking)}")
    display = Desktop(tmp_path)
    yield display
    display.close()


def test_one_late_notice_in_a_hundred_is_the_99th_percentile_and_no_median(
    report: Report, tmp_path: Path
) -> None:
    report_notices(report, [50.0] * 99 + [400.0])

    figures = written(report, tmp_path)
    half = figures["from the server's line to the notice, p50"]
    assert (half["median"], half["values"]) == (50.0, [50.0] * 5)
    late = figures["from the server's line to the notice, p99"]
    assert (late["median"], late["target"], late["met"]) == (400.0, 150, False)


def test_the_medians_are_those_of_the_calls_in_their_order(report: Report, tmp_path: Path) -> None:
    report_notices(report, [10.0, 10.0, 20.0, 20.0, 30.0, 30.0, 40.0, 40.0, 50.0, 50.0])

    figures = written(report, tmp_path)
    assert figures["from the server's line to the notice, p50"]["values"] == [10.0, 20.0, 30.0, 40.0, 50.0]


def test_fewer_calls_than_parts_have_a_median_each(report: Report, tmp_path: Path) -> None:
    report_notices(report, [10.0, 30.0])

    assert written(report, tmp_path)["from the server's line to the notice, p50"]["values"] == [10.0, 30.0]


def test_a_process_that_waits_and_goes_on_wakes_up() -> None:
    before = wake_ups(os.getpid())
    for _ in range(20):
        time.sleep(0.001)

    assert wake_ups(os.getpid()) - before >= 20


def test_a_part_that_is_not_installed_is_named_with_what_brings_it() -> None:
    require_modules(["json"], "client")
    with pytest.raises(Lacking, match=r"missing: no_such_module; .*\.\[client\]"):
        require_modules(["json", "no_such_module"], "client")


def test_without_a_screen_the_scenario_is_left_out_and_the_run_goes_on(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)

    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--results", str(tmp_path / "results"), "client"],
        cwd=PROJECT,
        env=os.environ | {"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "LEFT OUT: missing: Xvfb, openbox" in done.stdout
    assert "tests/system-packages.sh" in done.stdout
    (file,) = (tmp_path / "results").glob("*.json")
    content = json.loads(file.read_text())
    assert content["scenarios"][0]["left_out"].startswith("missing: Xvfb")
    assert content["missed"] == 0


def test_a_window_that_is_no_notice_is_not_taken_for_one(desktop: Desktop) -> None:
    from Xlib.display import Display

    from tests.bench.processes.screen_watch import NOTICE, NotSeen, ScreenWatch

    watch, other = ScreenWatch(desktop.display), Display(desktop.display)
    screen = other.screen()

    def show(name: str) -> int:
        window = screen.root.create_window(10, 10, 80, 40, 0, screen.root_depth, override_redirect=True)
        window.set_wm_class(name, name)
        window.map()
        other.sync()
        return int(window.id)

    show("Something")
    with pytest.raises(NotSeen, match="no notice"):
        watch.await_notice(0.2)
    window = show(NOTICE)
    seen = watch.await_notice(PATIENCE)
    assert seen.window == window
    assert seen.drawn >= seen.mapped
    with pytest.raises(NotSeen, match="did not leave"):
        watch.await_gone(window, 0.2)
    other.close()
    watch.await_gone(window, PATIENCE)
    watch.close()


def test_the_real_client_is_seen_to_start_to_tell_of_calls_and_to_go_to_the_tray(
    desktop: Desktop, report: Report, tmp_path: Path
) -> None:
    client(report, calls=2, idle=0.2, starts=(2, 2))

    figures = written(report, tmp_path)
    for what in (
        "from its start to the window",
        "from its start to the icon in the tray",
        "from the server's line to the notice, p50",
        "from the server's line to the notice, p99",
        "from the server's line to the notice, busy screen, p99",
        "processor time of a call",
        "memory after 2 more calls",
        "resources after 2 more calls",
    ):
        assert min(figures[what].get("values", [figures[what]["median"]])) > 0, what
    assert {"of a core, idle, visible", "wake-ups, idle, visible", "of a core, idle, in the tray"} <= set(
        figures
    )


def test_a_hundred_calls_leave_no_timer_no_callback_no_widget_and_nothing_in_the_x_server(
    desktop: Desktop, report: Report, tmp_path: Path
) -> None:
    growth(report, calls=100, pace=0.08, parts=1)

    figures = written(report, tmp_path)
    for what in ("memory", "resources", "timers", "callbacks", "widgets"):
        assert min(figures[f"{what}, each 100 calls"]["values"]) > 0, what


def test_who_grows_is_named_with_what(report: Report) -> None:
    before = Held(memory=100, resources=100, timers=3, callbacks=100, widgets=50)
    report_growth(report, [before, Held(104, 100, 3, 101, 50)], 10)
    with pytest.raises(Grown, match=r"after 10 calls the client holds more: timers 3 -> 4$"):
        report_growth(report, [before, Held(100, 100, 4, 100, 50)], 10)
