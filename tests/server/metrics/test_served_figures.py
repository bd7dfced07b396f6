"""The server's figures over HTTP, and whether it is well; also as a real Prometheus sees them."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from astcti_server.config.checking import check_directory
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Trigger
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import MAC, ONE_SEAT, PHONE, RunningServer
from tests.needed import lacking

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "packaging/grafana/astcti-dashboard.json"
RULES = ROOT / "packaging/grafana/astcti-alerts.yml"
RULE_TESTS = Path(__file__).with_name("astcti-alerts-test.yml")


class WatchedServer(RunningServer):
    """A server that serves figures."""

    def __init__(self, folder: Path, ami_port: int, **more: Any) -> None:
        self.metrics_port = free_port()
        sections = f'<metrics port="{self.metrics_port}"/>'
        super().__init__(folder, ami_port, ONE_SEAT, sections=sections, **more)

    def get(self, path: str) -> tuple[int, str]:
        """The answer's status and text."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.metrics_port}{path}", timeout=PATIENCE
            ) as found:
                return found.status, found.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def figures(self) -> dict[tuple[str, ...], float]:
        """Each sample by its name and the values of its labels."""
        status, text = self.get("/metrics")
        assert status == 200
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
def server(tmp_path: Path, pbx: DemoPbx) -> Iterator[WatchedServer]:
    running = WatchedServer(tmp_path, pbx.address[1])
    with running:
        running.wait_for_log("Channels in Asterisk")
        yield running


@pytest.mark.parametrize("accepted", ["application/openmetrics-text; version=x", "text/plain;version=1.x.0"])
def test_whoever_asks_for_figures_in_a_version_that_is_none_gets_the_usual_one(
    server: WatchedServer, accepted: str
) -> None:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{server.metrics_port}/metrics", headers={"Accept": accepted}
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Traceback" not in server.log


def test_figures_say_what_goes_on_without_numbers_and_names(server: WatchedServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        until(lambda: server.figures()["astcti_pbx_up",] == 1.0)
        until(lambda: server.figures()["astcti_queue_members", "astcti", "paused"] == 1.0)
        found = server.figures()
        text = server.get("/metrics")[1]
    assert found["astcti_sessions",] == 1.0
    assert found["astcti_sessions_paused",] == 1.0
    assert found["astcti_logins_total",] == 1.0
    assert found["astcti_queue_members", "astcti", "actual"] == 1.0
    assert found["astcti_queue_members", "astcti", "differing"] == 0.0
    assert found["astcti_pbx_logins_total",] == 1.0
    assert found["astcti_ami_actions_total", "ok"] >= 2.0
    assert found["astcti_ami_events_total", "yes"] > 0.0
    assert found["astcti_ami_action_seconds_count",] >= 2.0
    assert found["astcti_configuration_timestamp_seconds",] > 0.0
    assert found["astcti_shown_seconds_bucket", "0.25"] == 0.0
    assert found["astcti_triggers_failed_total", "not-found"] == 0.0
    assert found["process_resident_memory_bytes",] > 1e6
    for secret in ("mario", "Mario", PHONE, MAC, "Lunch"):
        assert secret not in text


def test_figures_say_when_pop_ups_are_shown_and_what_was_not_carried_out(
    server: WatchedServer, pbx: DemoPbx
) -> None:
    page = Trigger("browser", on="ring", url="https://crm.example/")
    server.configure(replace(ONE_SEAT, services=(replace(ONE_SEAT.services[0], triggers=(page,)),)))
    server.wait_for_log("is in force now", 2)
    with server.client("mario", resume="NEW") as mario:
        mario.expect("200 astcti")
        pbx.do(lambda engine: engine.incoming_call(digits="12345"))
        ring = mario.event("Callerid")
        mario.say(f"SHOWN {ring.seq} KO {ring.triggers[0].key} not-found", f"SHOWN {ring.seq} 80")
        until(lambda: server.figures()["astcti_shown_seconds_count",] == 1.0)
        found = server.figures()
    assert found["astcti_shown_seconds_sum",] > 0.0
    assert found["astcti_triggers_failed_total", "not-found"] == 1.0
    assert found["astcti_triggers_failed_total", "not-allowed"] == 0.0


def test_health_says_live_and_ready_and_why_not(server: WatchedServer, pbx: DemoPbx) -> None:
    assert server.get("/health/live") == (200, '{"ok": true}\n')
    until(lambda: server.get("/health/ready")[0] == 200)
    pbx.stop()
    until(lambda: server.get("/health/ready")[0] == 503)
    _, text = server.get("/health/ready")
    assert json.loads(text)["asterisk"]
    assert server.get("/health/live")[0] == 200
    assert server.figures()["astcti_pbx_up",] == 0.0


def test_what_is_not_there_is_said(server: WatchedServer) -> None:
    assert server.get("/")[0] == 404
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.metrics_port}/metrics", data=b"x", method="POST"
    )
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request, timeout=PATIENCE)


@pytest.mark.parametrize("path", ["/metrics", "/health/live"])
def test_head_is_answered_without_a_body(server: WatchedServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.metrics_port), timeout=PATIENCE) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n")


def test_peers_that_send_half_a_request_keep_nobody_from_the_figures(server: WatchedServer) -> None:
    slow = []
    try:
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", server.metrics_port))
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x")
            slow.append(connection)
        assert server.get("/metrics")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_a_port_that_is_taken_is_said_and_nothing_is_left(tmp_path: Path, pbx: DemoPbx) -> None:
    server = WatchedServer(tmp_path, pbx.address[1])
    with socket.create_server(("127.0.0.1", server.metrics_port)):
        server.start()
        assert server.wait() == 1
    assert (
        f"cannot serve figures on 127.0.0.1 port {server.metrics_port}: Address already in use" in server.log
    )


def test_without_the_library_it_is_said_what_to_install(
    tmp_path: Path, pbx: DemoPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "prometheus_client.py").write_text("raise ModuleNotFoundError('prometheus_client')\n")
    monkeypatch.setenv("PYTHONPATH", str(blocked))
    server = WatchedServer(tmp_path, pbx.address[1])
    server.start()
    assert server.wait() == 1
    assert "COMPONENTS='server metrics'" in server.log


def test_before_a_restart_a_check_says_that_the_library_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.xml").write_text('<server><ami username="u" secret="s"/><metrics/></server>')
    (tmp_path / "configuration.xml").write_text("<configuration/>")
    assert not any("<metrics>" in str(warning) for warning in check_directory(tmp_path).warnings)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "prometheus_client" else found(name)
    )
    warnings = [str(warning) for warning in check_directory(tmp_path).warnings]
    assert any("<metrics>" in warning and "COMPONENTS='server metrics'" in warning for warning in warnings)


def test_without_metrics_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, astcti_server.daemon, astcti_server.cli.program;"
        "print([name for name in ('prometheus_client', 'waitress') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


# -- Prometheus and Grafana ---------------------------------------------------------------------------------


def test_the_dashboard_and_the_rules_ask_for_figures_that_are_there(server: WatchedServer) -> None:
    names = {name for name, *_ in server.figures()}
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = _names_in("\n".join([*expressions, RULES.read_text()]))
    assert expressions
    assert asked <= names, asked - names


def _names_in(text: str) -> set[str]:
    return {name for name in re.findall(r"\bastcti_[a-z_]+", text) if not name.startswith("astcti_server")}


def test_promtool_takes_the_rules_and_each_alert_fires_when_it_should() -> None:
    if shutil.which("promtool") is None:
        lacking("no promtool: apt-get install prometheus")
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(RULE_TESTS)]):
        found = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False, cwd=ROOT)
        assert found.returncode == 0, found.stdout + found.stderr


def test_a_real_prometheus_scrapes_the_figures(server: WatchedServer, tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        lacking("no prometheus: apt-get install prometheus")
    port = free_port()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        f"global: {{scrape_interval: 1s}}\nrule_files: ['{RULES}']\nscrape_configs:\n- job_name: astcti\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{server.metrics_port}']}}]\n"
    )
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            found = _query(port, "astcti_pbx_up")
            if found == ["1"]:
                break
            assert time.monotonic() < deadline, (tmp_path / "prometheus.log").read_text()[-3000:]
            time.sleep(0.1)
        assert _query(port, "astcti_queue_members{what='wanted'}") == ["0"]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _query(port: int, expression: str) -> list[str]:
    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            result = json.load(answer)["data"]["result"]
    except (urllib.error.URLError, ConnectionError):
        return []
    return [sample["value"][1] for sample in result]
