"""Everything that Prometheus is told, put together when it asks. Any thread.

Labels hold no numbers and no names of people: only states, outcomes and the queues' names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from astcti_server.metrics.figures import AmiFigures, SecondsHistogram


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Where the figures come from; each may be called on any thread and waits two seconds at most."""

    status: Callable[[], Mapping[str, Any]]
    """What `astcti-server status --json` says."""
    figures: AmiFigures
    events: Callable[[], tuple[int, int]]
    """Events of Asterisk since the start: those that were needed, and those that were dropped unread."""
    links: Callable[[], int]
    """Logins to Asterisk since the start."""
    unsent: Callable[[], int]
    """Bytes that wait for clients."""
    triggers_failed: Callable[[], Mapping[str, int]]
    """Triggers that clients did not carry out, by reason."""
    audit_lost: Callable[[], int]
    """Lines of the audit that could not be written."""


class ServerCollector(Collector):
    """Prometheus' families of this server."""

    def __init__(self, sources: MetricSources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """All of them; called for each scrape."""
        status = self._sources.status()
        yield from self._of_asterisk(status)
        yield from self._of_clients(status)
        yield from _of_queues(status["queues"])
        yield from _of_configuration(status)
        yield _gauge("astcti_threads_stuck", "Threads that hang.", len(status["stuck"]))
        error = bool(status["state_directory"]["error"])
        yield _gauge("astcti_state_failing", "1 if the list of queue members cannot be written.", error)
        lost = self._sources.audit_lost()
        yield _counter("astcti_audit_lines_lost", "Lines of the audit that could not be written.", lost)

    def _of_asterisk(self, status: Mapping[str, Any]) -> Iterator[Metric]:
        ami, figures = status["ami"], self._sources.figures
        info = GaugeMetricFamily(
            "astcti_info", "Versions.", labels=["version", "asterisk", "dialect", "role"]
        )
        info.add_metric([status["version"], ami["version"], ami["dialect"], status["role"]], 1)
        yield info
        yield _gauge("astcti_pbx_up", "1 while Asterisk is connected and logged in.", ami["state"] == "up")
        yield _counter("astcti_pbx_logins", "Logins to Asterisk.", self._sources.links())
        lacking = len(ami["lacking"])
        yield _gauge("astcti_pbx_rights_lacking", "Rights that the manager user lacks.", lacking)
        needed, dropped = self._sources.events()
        events = CounterMetricFamily("astcti_ami_events", "Events of Asterisk.", labels=["needed"])
        events.add_metric(["yes"], needed)
        events.add_metric(["no"], dropped)
        yield events
        actions = CounterMetricFamily("astcti_ami_actions", "What came of actions.", labels=["outcome"])
        for outcome, count in figures.outcomes.copy().items():
            actions.add_metric([outcome], count)
        yield actions
        yield _histogram("astcti_ami_action_seconds", "From an action to its answer.", figures.actions)
        calls = GaugeMetricFamily("astcti_calls", "Channels known, and seats in calls.", labels=["what"])
        for what in ("talking", "ringing"):
            calls.add_metric([what], status[what])
        calls.add_metric(["channels"], status["calls"])
        yield calls

    def _of_clients(self, status: Mapping[str, Any]) -> Iterator[Metric]:
        figures = self._sources.figures
        yield _gauge("astcti_sessions", "Operators logged in.", status["clients"])
        paused = sum(session["paused"] for session in status["sessions"])
        yield _gauge("astcti_sessions_paused", "Operators in pause.", paused)
        counters = status["counters"]
        yield _counter("astcti_connections", "Clients that connected.", counters["connections"])
        yield _counter("astcti_logins", "Log-ins of operators.", counters["logins"])
        yield _gauge("astcti_unsent_bytes", "Bytes that wait for clients.", self._sources.unsent())
        yield _counter("astcti_notifications", "Events told to clients.", figures.notified)
        yield _histogram(
            "astcti_notification_seconds",
            "From the bytes of Asterisk to the line in the client's socket.",
            figures.notifications,
        )
        yield _histogram(
            "astcti_shown_seconds",
            "From the session to the client's word that it is on the screen, of clients that say so.",
            figures.shown_after,
        )
        failed = CounterMetricFamily(
            "astcti_triggers_failed", "Triggers that clients did not carry out.", labels=["reason"]
        )
        for reason, count in self._sources.triggers_failed().items():
            failed.add_metric([reason], count)
        yield failed


def registry(sources: MetricSources) -> CollectorRegistry:
    """The server's figures, and those of the process and its Python."""
    found = CollectorRegistry(auto_describe=False)
    found.register(ServerCollector(sources))
    ProcessCollector(registry=found)
    PlatformCollector(registry=found)
    GCCollector(registry=found)
    return found


def _of_queues(queues: list[Mapping[str, Any]]) -> Iterator[Metric]:
    members = GaugeMetricFamily("astcti_queue_members", "Our members of a queue.", labels=["queue", "what"])
    for queue in queues:
        members.add_metric([queue["queue"], "wanted"], queue["wanted"])
        members.add_metric([queue["queue"], "actual"], queue["members"])
        members.add_metric([queue["queue"], "paused"], queue["paused"])
        members.add_metric([queue["queue"], "differing"], len(queue["differing"]) + queue["more"])
    yield members


def _of_configuration(status: Mapping[str, Any]) -> Iterator[Metric]:
    configuration = status["configuration"]
    since = configuration["since"]
    in_force = datetime.fromisoformat(since).timestamp() if since else 0.0
    yield _gauge("astcti_configuration_timestamp_seconds", "When it came into force.", in_force)
    yield _gauge("astcti_configuration_held", "Files that wait to be accepted.", len(configuration["held"]))
    yield _gauge("astcti_configuration_refused", "Files that are not valid.", len(status["refused"]))
    started = datetime.fromisoformat(status["started"]).timestamp()
    yield _gauge("astcti_uptime_seconds", "Since the start.", max(0.0, time.time() - started))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=float(value))


def _histogram(name: str, text: str, histogram: SecondsHistogram) -> Metric:
    return HistogramMetricFamily(name, text, buckets=histogram.buckets(), sum_value=histogram.sum)
