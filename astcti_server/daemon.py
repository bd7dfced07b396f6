"""Builds all parts of the server, starts and stops them in order, and acts on what they report.

Read this first. The main thread runs `Daemon.run`: after the start it sits in `control.get()`, which
signals, dying threads, the configuration watcher and the link put their messages into.

Start: configuration -> both sockets -> watcher -> AMI thread -> (after the first login) accept.
Stop: accept -> clients -> queues left while the AMI connection lives -> AMI -> watcher -> control -> log.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from astcti_server.ami.link import AmiLink
from astcti_server.ami.recording import RecordBytes
from astcti_server.ami.recording_file import RecordingFile
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami_overview import AmiOverview, AmiOverviews, KeptSizes
from astcti_server.audit.audit_file import AuditFile
from astcti_server.audit.configuration_audit import ConfigurationAudit
from astcti_server.audit.entries import AuditAction, AuditRecord
from astcti_server.call_explanations import CallExplanations
from astcti_server.calls.tracker import Tracker
from astcti_server.client_requests import ClientRequests
from astcti_server.clients import config_enforcement
from astcti_server.clients.conversation import HandlerContext
from astcti_server.clients.listener import ClientListener
from astcti_server.clients.password_checks.pool import PasswordPool
from astcti_server.clients.registry import Registry
from astcti_server.clients.resume.seat_logs import SeatLogs
from astcti_server.colleagues.announcer import ColleagueAnnouncer
from astcti_server.colleagues.team import SeatedFacts, TeamSnapshot
from astcti_server.config import log_messages
from astcti_server.config.changes import ConfigLoaded, ConfigRejected
from astcti_server.config.memory import ConfigMemory
from astcti_server.config.store import ConfigSnapshot, ConfigStore
from astcti_server.config.watcher import ConfigWatcher
from astcti_server.consultations.consultations import Consultations
from astcti_server.control.listener import ControlListener
from astcti_server.control.socket_file import ControlSocketError, ControlSocketFile
from astcti_server.event_pipeline import EventPipeline, PbxState
from astcti_server.explain.server_marks import ServerMarks
from astcti_server.kept_ami.kept_bytes import KeptAmi
from astcti_server.login_key import read_login_key
from astcti_server.logs import Logs
from astcti_server.metrics.figures import AmiFigures
from astcti_server.phones.answering import PhoneAnswering
from astcti_server.process.memory import collect_seldom
from astcti_server.process.own_user import RUN_AS_ANOTHER_USER, is_root
from astcti_server.process.pidfile import PidFile
from astcti_server.process.service_notify import notify
from astcti_server.process.signals import PendingSignals, SignalReceived
from astcti_server.process.state_directory import StateDirectory
from astcti_server.process.thread_watch import AmiThreadWatch, SystemdWatchdog
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.queues.state_file import StateFile
from astcti_server.queues.state_writer import StateWriter
from astcti_server.server_control.ami_reader import AmiReader
from astcti_server.server_control.audited import audited_by
from astcti_server.server_control.handlers import control_handlers
from astcti_server.server_control.parts import ServerParts
from astcti_server.server_metrics import metrics_server
from astcti_server.status_file import StatusFile
from astcti_server.threads import ServiceThread
from schemas.configuration.model import Configuration
from schemas.server.settings import KeptAmiSettings, MetricsSettings, ServerSettings
from schemas.version import VERSION
from schemas.web.large_blocks import give_large_blocks_back

if TYPE_CHECKING:
    from astcti_server.metrics.web_server import MetricsServer

logger = logging.getLogger(__name__)

EXIT_STOPPED, EXIT_FAILURE, EXIT_USAGE, EXIT_CONFIGURATION = 0, 1, 2, 78
STOP_WITHIN = 10.0  # seconds for the whole orderly stop
RECORD_LIMIT = 1024  # MiB: a recording that somebody forgot must not fill the disk
STATUS_EVERY = 5.0  # seconds between looks at how many clients and calls there are


@dataclass(frozen=True, slots=True)
class DaemonPaths:
    """Where the daemon keeps its things, as the command line says."""

    configuration: Path
    state: Path
    status: Path
    control: Path
    pidfile: Path | None = None
    log_level: str = ""
    record: Path | None = None
    record_limit: int = RECORD_LIMIT
    """MiB that the recording may have."""


@dataclass(frozen=True, slots=True)
class ThreadDied:
    """A thread ended by an error that nobody expected: the main thread stops the process."""

    name: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class PbxStateChanged:
    """The AMI connection came up or went down; `gave-up` when the retries are used up."""

    state: PbxState
    reason: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody asks for an orderly stop through the control socket, which tells who."""

    keep_members: bool


ControlMessage = SignalReceived | StopRequested | ThreadDied | PbxStateChanged | ConfigLoaded | ConfigRejected


class Daemon:
    """The whole server. `run` is called once, on the main thread."""

    def __init__(self, paths: DaemonPaths, loaded: ConfigSnapshot, logs: Logs) -> None:
        """Build every part, make the control socket and bind the port.

        Raises AlreadyServedError, StateError, ListenError, OSError: for people to read.
        """
        settings = loaded.settings
        self._paths = paths
        self._logs = logs
        StateDirectory(paths.state).take(paths.configuration)  # first: nobody else's state is touched
        self.control: queue.SimpleQueue[ControlMessage] = queue.SimpleQueue()
        self._store = ConfigStore(loaded)
        self._status = StatusFile(paths.status)
        self._pidfile = PidFile(paths.pidfile) if paths.pidfile else None
        self.thread_late = False
        """After `run`: a thread did not end in time, and the process will not end by itself."""
        self._audit = AuditFile(_path_of(settings.audit.file), self._thread_died)
        self._configuration_audit = ConfigurationAudit(self._audit.write)
        self._why_stopped = ""
        self._marks = ServerMarks()
        self._marks.configured(loaded.configuration)
        self._registry = Registry(self._marks)
        self._requests, self._figures = _requests_and_figures(settings)
        self._seat_logs = SeatLogs(
            lambda: self._registry.seated_operators,
            time.monotonic,
            shown_after=self._figures.shown if self._figures is not None else None,
        )
        self._kept = self._keep_ami(settings.kept_ami)
        self._tracker = Tracker(
            self._operators, had=self._kept.pop_up_had if self._kept is not None else None
        )
        self._state_writer = StateWriter(StateFile(paths.state), self._thread_died)
        self._reconciler = QueueReconciler(
            self._requests, self._registry.send_to_session, self._state_writer, loaded.configuration, settings
        )
        self._answering = PhoneAnswering(self._requests, loaded.configuration)
        self._consultations = Consultations(
            self._requests, self._tracker, self._registry.send_to_session, self._answering
        )
        self._pipeline = EventPipeline(
            self._requests,
            self._tracker,
            self._reconciler,
            self._registry,
            self._seat_logs,
            self._consultations,
            self._pbx_changed,
            self._marks,
            kept=self._kept,
            delivered=self._figures.delivered if self._figures is not None else None,
        )
        self._explanations = CallExplanations(
            self._requests.post,
            self._tracker,
            self._marks,
            lambda: self._requests.privileges.dialplan_heard,
            self._kept.blocks if self._kept is not None else None,
            settings.ami.encoding,
        )
        self._recording = (
            RecordingFile(paths.record, paths.record_limit, self._thread_died) if paths.record else None
        )
        self._link = AmiLink(
            settings.ami,
            self._requests,
            listener=self._pipeline,
            died=self._thread_died,
            record=self._record(),
            read=self._figures.read if self._figures is not None else None,
        )
        self._colleagues = ColleagueAnnouncer(
            loaded.configuration, self._team, self._registry.send_to_session, self._requests
        )
        self._client_requests = ClientRequests(
            self._store,
            self._requests,
            self._tracker,
            self._reconciler,
            self._pipeline,
            self._explanations,
            self._colleagues,
            self._consultations,
            self._answering,
        )
        self._password_pool = PasswordPool(self._thread_died)
        self._server = ClientListener(
            settings.listen,
            HandlerContext.of(
                self._client_requests,
                self._registry,
                self._password_pool,
                read_login_key(paths.state),
                audit=self._audit.write,
            ),
            died=self._thread_died,
        )
        self._watcher = ConfigWatcher(
            paths.configuration,
            loaded,
            on_loaded=self.control.put,
            on_rejected=self.control.put,
            memory=ConfigMemory(paths.state),
            died=self._thread_died,
        )
        self._signals = PendingSignals(self.control.put, self._go_at_once)
        self._watch = AmiThreadWatch(
            self._requests.post, lambda: self._link.state == "connecting", lambda: self._link.ident
        )
        self._watchdog = SystemdWatchdog()
        self._keep_members = False
        self._parts = self._parts_for_control()
        self._metrics: MetricsServer | None = None
        self._control_listener: ControlListener | None = None
        try:  # last, when nothing else can fail: another server's files stay its own
            self._metrics = self._serve_figures(settings.metrics)
            self._control_listener = self._listen_for_control()
            if self._pidfile is not None:
                self._pidfile.write()
        except BaseException:
            self._server.server_close()  # nobody else will: there is no daemon to be stopped
            if self._control_listener is not None:
                self._control_listener.abandon()
            if self._metrics is not None:
                self._metrics.abandon()
            raise

    def run(self) -> int:
        """Serve until asked to stop; returns the exit code."""
        code = EXIT_FAILURE
        try:
            self._start()
            code = self._serve()
        finally:
            self._stop()
        return code

    # -- start and stop ------------------------------------------------------------------------------------

    def _start(self) -> None:
        give_large_blocks_back()
        threading.excepthook = self._thread_excepthook
        self._signals.install()
        loaded = self._store.current
        self._requests.post(partial(self._configure, loaded.configuration, loaded.settings))
        self._status.in_force(str(loaded.path), loaded.digest.hex())
        self._status.refused(loaded.refused)
        self._status.held([file.described() for file in loaded.held])
        self._status.write()
        if is_root():
            logger.warning("this server runs as root: %s", RUN_AS_ANOTHER_USER)
        log_messages.log_in_force(loaded)
        self._audit.start()
        self._audit.write(AuditRecord(AuditAction.START, {"version": VERSION, "pid": os.getpid()}))
        self._configuration_audit.in_force(loaded)
        self._watcher.start()
        self._state_writer.start()
        if self._recording is not None:
            self._recording.start()
        if self._kept is not None:
            self._kept.start()
        if self._control_listener is not None:
            self._control_listener.start()
        if self._metrics is not None:
            self._metrics.start()
        self._password_pool.start()
        self._link.start()
        if loaded.settings.listen.before_pbx:
            self._server.open()
        collect_seldom()
        notify("READY=1")
        host, port = self._server.server_address[:2]
        when = "at once" if loaded.settings.listen.before_pbx else "once Asterisk is reached"
        logger.info("Listening on %s port %s; clients are accepted %s", host, port, when)

    def _stop(self) -> None:
        """Everything in its order, under one deadline."""
        notify("STOPPING=1")
        deadline = time.monotonic() + STOP_WITHIN
        keep = self._keep_members or self._store.current.settings.queues.on_stop == "keep"
        if keep:  # first: with <clients grace="0"> the end of a session would take its member away
            self._leave_queues(deadline - STOP_WITHIN / 2 - 1.0, keep_members=True)
        self._server.stop(STOP_WITHIN / 2)
        self._password_pool.stop()
        if not keep:
            self._leave_queues(deadline - 1.0, keep_members=False)
        self._audit.write(AuditRecord(AuditAction.STOP, {"why": self._why_stopped or "error"}))
        threads: list[ServiceThread] = [self._link, self._watcher, self._state_writer]
        optional = (self._metrics, self._recording, self._kept, self._control_listener)
        threads += [thread for thread in optional if thread is not None]
        threads.append(self._audit)  # what the others did is in it
        # The writers write what others left. A password being computed may take longest, and nobody needs it.
        for thread in (*threads, *self._password_pool.threads):
            thread.stop()
            if not thread.is_alive():
                continue
            thread.join(max(0.1, deadline - time.monotonic()))
            if thread.is_alive():
                logger.error("Thread %s is late, not waiting for it any longer", thread.name)
                self.thread_late = True
        if self._control_listener is not None:  # who asked for the stop hears of it until here
            self._control_listener.close()
        self._status.remove()
        if self._pidfile is not None:
            self._pidfile.remove()
        logger.info("Stopped")
        self._logs.close()

    def _leave_queues(self, deadline: float, *, keep_members: bool) -> None:
        if not self._link.is_alive():
            return
        left = threading.Event()
        self._requests.post(lambda: self._reconciler.stop(left.set, keep_members=keep_members))
        if not left.wait(max(0.1, deadline - time.monotonic())) and not keep_members:
            logger.warning("Not all queues could be left in time: the next start removes what is left over")

    # -- the main thread's loop ----------------------------------------------------------------------------

    def _serve(self) -> int:
        while True:
            try:
                message = self.control.get(timeout=self._look_every)
            except queue.Empty:
                self._count()
                continue
            if self._signals.end:  # before all else that waits
                logger.info("%s received: stopping", self._signals.end)
                self._why_stopped = str(self._signals.end)
                return EXIT_STOPPED
            code = self._act(message)
            self._count()
            if code is not None:
                return code

    def _act(self, message: ControlMessage) -> int | None:
        match message:
            case SignalReceived(number):
                self._act_on_signal(number)
            case StopRequested(keep_members):
                kept = ", queue members are kept" if keep_members else ""
                logger.info("Asked through the control socket: stopping%s", kept)
                self._keep_members = keep_members
                self._why_stopped = "asked through the control socket"
                return EXIT_STOPPED
            case ThreadDied(name):
                logger.critical("Thread %s died: stopping, so that the init system starts afresh", name)
                self._why_stopped = f"thread {name} died"
                return EXIT_FAILURE
            case PbxStateChanged():
                return self._act_on_pbx(message)
            case ConfigLoaded():
                self._take_up(message)
            case ConfigRejected(path):
                log_messages.log_refused(path, self._store.current.path)
        return None

    def _act_on_signal(self, number: int) -> None:
        self._signals.taken_up(number)
        if number == signal.SIGHUP:
            logger.info("SIGHUP received: looking at the configuration again")
            self._logs.end_override()
            self._watcher.look_again()
            self._server.read_certificate()  # a renewed one is no change of the configuration
        else:
            self._logs.reopen()
            self._audit.reopen()

    def _act_on_pbx(self, message: PbxStateChanged) -> int | None:
        self._status.ami("up" if message.state == "up" else "down", message.reason)
        if message.state == "gave-up":
            logger.critical("Asterisk was not reached (%s), no retries are left: stopping", message.reason)
            self._why_stopped = f"Asterisk was not reached: {message.reason}"
            return EXIT_FAILURE
        if message.state == "up":
            self._server.open()  # after the first time it does nothing
        return None

    def _take_up(self, message: ConfigLoaded) -> None:
        """A new configuration is in force at once: swap, tell the AMI thread, then the sessions concerned.

        A file that says what the one before it said rouses nobody.
        """
        old = self._store.current
        new = message.loaded
        self._store.swap(new)
        self._apply_logging()
        self._audit.write_to(_path_of(new.settings.audit.file))
        configuration_changed = new.configuration != old.configuration
        transfer_changed = new.settings.transfer != old.settings.transfer
        if configuration_changed:
            self._marks.configured(new.configuration)
        if configuration_changed or new.settings != old.settings:
            self._requests.post(partial(self._configure, new.configuration, new.settings))
        if configuration_changed or transfer_changed:
            config_enforcement.apply(
                self._registry, old.configuration, new.configuration, transfer_changed=transfer_changed
            )
        if new.settings.clients != old.settings.clients:
            self._server.limits_changed()
        self._server.read_certificate()
        if (new.path, new.digest, new.settings) != (old.path, old.digest, old.settings):
            self._configuration_audit.in_force(new, old)
        if (new.path, new.digest) != (old.path, old.digest):
            self._status.in_force(str(new.path), new.digest.hex())
            log_messages.log_in_force(new, old)
        if message.settings_changed:
            log_messages.log_settings_in_force()

    def _configure(self, configuration: Configuration, settings: ServerSettings) -> None:
        """On the AMI thread: between two events, so that each is read and tracked by one configuration."""
        self._link.filter_events(EventFilter.for_configuration(configuration))
        self._pipeline.configure(configuration, settings)
        self._colleagues.configure(configuration)

    def _apply_logging(self) -> None:
        logging_settings = self._store.current.settings.logging
        try:
            self._logs.apply(self._paths.log_level or logging_settings.level, logging_settings.file)
        except OSError as error:
            logger.error("Cannot write to the log file %s: %s", logging_settings.file, error.strerror)

    def _count(self) -> None:
        """Say how everything is: into the status file, and to the init system that nothing hangs."""
        self._status.refused(self._watcher.refused)
        self._status.held([file.described() for file in self._watcher.held])
        self._configuration_audit.refused(self._watcher.refused)
        self._configuration_audit.held(self._watcher.held)
        self._status.lacking(self._requests.privileges.lacking)
        failure = self._link.failure
        if failure is not None:
            self._status.ami_failed(failure.reason, failure.since, failure.attempts)
        identity = self._link.identity
        self._status.ami_identity(identity.version, identity.manager, identity.dialect)
        self._status.state_directory(self._state_writer.failure)
        self._status.counts(self._registry.count, len(self._tracker.table))
        stuck = self._watch.look()
        self._status.stuck(["ami"] if stuck else [])
        self._status.write()
        self._logs.tell_repeats()
        self._watchdog.feed(not stuck)

    @property
    def _look_every(self) -> float:
        """Seconds; three times, at least, in what the init system takes for a hang."""
        interval = self._watchdog.interval
        return STATUS_EVERY if interval is None else min(STATUS_EVERY, interval / 3)

    # -- what other threads report -------------------------------------------------------------------------

    def _go_at_once(self) -> None:
        """Asked twice: no goodbyes, and no waiting for threads that have not been told to stop yet."""
        self._status.remove()
        if self._control_listener is not None:
            self._control_listener.abandon()
        if self._pidfile is not None:
            self._pidfile.remove()
        os._exit(EXIT_FAILURE)

    def _thread_died(self, name: str, error: BaseException) -> None:
        self.control.put(ThreadDied(name, error))

    def _thread_excepthook(self, args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "unknown"
        error = args.exc_value if args.exc_value is not None else RuntimeError("no exception")
        logger.critical("Thread %s died", name, exc_info=error)
        self._thread_died(name, error)

    def _pbx_changed(self, state: PbxState, reason: str) -> None:
        self.control.put(PbxStateChanged(state, reason))

    def _listen_for_control(self) -> ControlListener | None:
        """Make the control socket; without one agents are served all the same. Raises AlreadyServedError."""
        try:
            file = ControlSocketFile(self._paths.control)
        except ControlSocketError as error:
            logger.warning("%s: commands such as status and stop cannot reach this server", error)
            return None
        handlers, audit = control_handlers(self._parts), audited_by(self._audit.write)
        return ControlListener(file, handlers, self._thread_died, audit=audit)

    def _parts_for_control(self) -> ServerParts:
        return ServerParts(
            published=lambda: self._status.published,
            registry=self._registry,
            store=self._store,
            overviews=AmiOverviews(self._requests.post, self._ami_overview),
            privileges=self._requests.privileges,
            events_seen=lambda: self._link.events_seen,
            client_requests=self._client_requests,
            logs=self._logs,
            explanations=self._explanations,
            failure=lambda: self._link.failure,
            connections=lambda: self._server.connections,
            accept=self._watcher.accept,
            stop=lambda keep_members: self.control.put(StopRequested(keep_members)),
            reader=AmiReader(self._requests.post),
            kept_ami=self._kept,
            recent_log=self._logs.recent,
            tracker=self._tracker,
            reconciler=self._reconciler,
        )

    def _serve_figures(self, settings: MetricsSettings | None) -> MetricsServer | None:
        if settings is None or self._figures is None:
            return None
        return metrics_server(
            settings, self._figures, self._link, self._parts, self._audit, self._thread_died
        )

    def _keep_ami(self, settings: KeptAmiSettings) -> KeptAmi | None:
        if not settings.bytes:
            return None
        return KeptAmi(settings, lambda: self._seat_logs.operators, self._thread_died)

    def _operators(self) -> Mapping[str, str]:
        """Who sits where or may come back, for the AMI thread."""
        return self._kept.operators if self._kept is not None else self._seat_logs.operators

    def _record(self) -> RecordBytes | None:
        """Takes what is read from Asterisk, for whoever wants it."""
        takers = [taker.write for taker in (self._kept, self._recording) if taker is not None]
        if len(takers) < 2:
            return takers[0] if takers else None

        def write(data: bytes) -> None:
            for taker in takers:
                taker(data)

        return write

    def _team(self) -> TeamSnapshot:
        """What everybody does who is logged in. On the AMI thread, once a second while a client asks."""
        phones = self._tracker.phones_in_use()
        standings = {standing.username: standing for standing in self._reconciler.standings()}
        seated = {}
        for session in self._registry.sessions():
            standing = standings.get(session.username)
            seated[session.username] = SeatedFacts(
                session.extension,
                paused=standing is not None and standing.paused,
                reachable=standing is None or standing.inside,
                phone=phones.get(session.extension, ""),
            )
        return TeamSnapshot(self._requests.up, seated)

    def _ami_overview(self) -> AmiOverview:
        """On the AMI thread."""
        asterisk = self._kept.used if self._kept is not None else 0
        kept = KeptSizes(self._tracker.trails.kept.bytes, self._seat_logs.cost, asterisk)
        return AmiOverview(time.time(), self._reconciler.overview(), *self._tracker.seats_in_calls(), kept)


def _path_of(file: str) -> Path | None:
    return Path(file) if file else None


def _requests_and_figures(settings: ServerSettings) -> tuple[AmiRequests, AmiFigures | None]:
    """Nothing is counted where nobody fetches it."""
    if settings.metrics is None:
        return AmiRequests(settings.ami.username), None
    figures = AmiFigures(time.monotonic)
    return AmiRequests(settings.ami.username, timed=figures.answered), figures
