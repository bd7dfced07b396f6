"""One client's connection: who it is, and the one way to write to it.

`send`, `announce`, `gather`, `say`, `complete` and `close` may be called by any thread and never wait: what
the kernel does not take at once stays in a bounded outbox, and the client's handler thread, which is woken
for that, empties it. Everything else belongs to the handler thread.

The lock is a leaf. The only calls made under it are the transport's, which do not block, and the wake-up.
"""

from __future__ import annotations

import select
import threading
import time

from astcti_server.clients.ports import Presence, ResumePoint
from astcti_server.clients.transport import Transport
from astcti_server.clients.wake import Wake
from schemas.configuration.model import Operator, Seat

SENT_AT_ONCE = 64 * 1024
"""Bytes that leave the outbox in one go, so that the lock is never held for long."""
LINGER = 1.0
"""Seconds that a client has to take the last lines. Closing while it still sends would destroy them."""


class Session:
    """A client from its connection to its end, and who it is."""

    __slots__ = (
        "_at_once",
        "_awaited",
        "_broken",
        "_closed",
        "_ending",
        "_gathered",
        "_held",
        "_lock",
        "_open",
        "_outbox",
        "_outbox_limit",
        "_polled_for",
        "_poller",
        "_queued",
        "_stuck",
        "_tickets",
        "_transport",
        "_wake",
        "address",
        "extension",
        "id",
        "leaves_for_good",
        "name",
        "operator",
        "presence",
        "resume",
        "seat",
        "username",
    )

    def __init__(self, name: str, transport: Transport, address: str, outbox_limit: int) -> None:
        """`name` is the handler's (`client-7`), `address` the peer's IP, `outbox_limit` in bytes."""
        self.name = name
        self.address = address
        self._outbox_limit = outbox_limit
        self.id = 0
        """Given by the registry; grows from login to login."""
        self.username = ""
        """Empty before `102 OK`."""
        self.extension = ""
        self.operator: Operator | None = None
        self.seat: Seat | None = None
        self.presence: Presence | None = None
        self.resume: ResumePoint | None = None
        """What the client said with RESUME; None: it hears no numbers."""
        self.leaves_for_good = False
        self._transport = transport
        self._wake = Wake()
        self._poller = select.poll()
        self._poller.register(self._wake.fileno(), select.POLLIN)
        self._polled_for = -1
        self._closed = False
        self._lock = threading.Lock()
        self._open = False
        self._broken = False
        self._at_once = False
        self._ending = ""
        self._stuck = b""  # tried already: has to be tried again as it is
        self._outbox: list[bytes] = []
        self._queued = 0
        self._held: list[bytes] | None = None
        self._gathered = b""
        self._awaited = self._tickets = 0

    # -- who it is -------------------------------------------------------------------------------------------

    def resume_from(self, point: ResumePoint) -> None:
        """The client said RESUME. The handler thread, before the login."""
        self.resume = point

    def logged_in(self, operator: Operator, seat: Seat | None) -> None:
        """The operator is known, and the seat unless it is None. The handler thread, announcements held.

        Before `Registry.take`, which finds the session by these. A later call may add the seat.
        """
        self.operator, self.seat = operator, seat
        self.username = operator.username
        self.extension = seat.extension if seat else ""

    def numbered(self, session_id: int) -> None:
        """The id of this login. The registry alone, under its lock: ids have to grow in its order."""
        self.id = session_id

    def seated(self, presence: Presence) -> None:
        """From now on commands that need a phone are taken. The handler thread, once the id is known."""
        self.presence = presence

    def reconfigured(self, operator: Operator, seat: Seat | None) -> None:
        """The same operator and seat, as a new configuration has them. Any thread.

        User name and extension stay: a session whose operator or seat is another one is ended instead.
        """
        self.operator, self.seat = operator, seat

    # -- any thread ----------------------------------------------------------------------------------------

    @property
    def ending(self) -> str:
        """Why the session is over; empty while it goes on."""
        return self._ending

    @property
    def waiting(self) -> bool:
        """Whether a command's reply is awaited from somewhere else."""
        return self._awaited != 0

    @property
    def outbox_limit(self) -> int:
        """How many bytes may wait to be sent."""
        return self._outbox_limit

    @property
    def unsent(self) -> int:
        """How many bytes wait in the outbox. Read without the lock, so `_put` counts before it wakes."""
        return self._queued

    def send(self, line: bytes) -> bool:
        """Send a reply. False if the session is over."""
        with self._lock:
            return self._put(line)

    def announce(self, line: bytes) -> bool:
        """Send one or several whole lines that nobody asked for. Any thread; False if the session is over.

        While announcements are held back, they go out after what comes first.
        """
        with self._lock:
            if self._held is None or self._ending:
                return self._put(line)
            self._held.append(line)
            return True

    def gather(self, lines: bytes) -> bool:
        """Announce whole lines together with what comes next, whatever that is. False if the session is over.

        `send_gathered` has to follow before long. `SENT_AT_ONCE` bytes do not wait for it: more at a time
        would overflow the outbox of a client that does read, and pass by the limit of one that does not.
        """
        with self._lock:
            if self._ending or not self._open:
                return False
            if self._held is not None:
                self._held.append(lines)
                return True
            self._gathered += lines
            return len(self._gathered) < SENT_AT_ONCE or self._put(b"")

    def send_gathered(self) -> bool:
        """Send what was gathered and did not go out before another line. False if the connection broke."""
        with self._lock:
            self._put(b"")
            return not self._broken

    def say(self, ticket: int, line: bytes) -> bool:
        """Send a line that belongs to an awaited reply, without ending the wait. False if that is over."""
        with self._lock:
            return self._awaited == ticket and self._put(line)

    def complete(self, ticket: int, line: bytes) -> bool:
        """Send the awaited reply: the client's next lines are read again. False if nobody waits any more."""
        with self._lock:
            if self._awaited != ticket:
                return False
            self._awaited = 0
            self._put(line)
            self._rouse()
            return True

    def close(self, reason: str, bye: bytes = b"", *, for_good: bool = False, at_once: bool = False) -> bool:
        """End the session, after a last line; the first reason counts. False if it was over already.

        `for_good`: the operator leaves, so no grace for coming back. `at_once`: the client is given no time
        to take that line, for its place is needed.
        """
        with self._lock:
            if self._ending:
                return False
            self._put(bye)
            self.leaves_for_good = for_good
            self._at_once = at_once
            self._end(self._ending or reason)
            return True

    def rouse(self) -> None:
        """Make the handler thread look at the time, and at the settings, again."""
        with self._lock:
            self._rouse()

    # -- under the lock ------------------------------------------------------------------------------------

    def _put(self, line: bytes) -> bool:
        if self._ending or not self._open:
            return False
        if self._gathered:
            line, self._gathered = self._gathered + line, b""
        if not line:
            return True
        if not self._queued:
            try:
                taken = self._transport.send(line)
            except OSError as error:
                self._break(f"connection lost: {error.strerror or error}")
                return False
            if taken == len(line):
                return True
            # Kept as they are: after a "want write" OpenSSL insists on the same bytes (SSL_write(3)).
            line = self._stuck = line[taken:]
        else:
            self._outbox.append(line)
        self._queued += len(line)
        if self._queued > self._outbox_limit:
            self._break(f"outbox overflow: {self._queued} bytes wait")
            return False
        if self._queued == len(line):
            self._rouse()  # after all the rest: the handler looks at `_queued` without taking the lock
        return True

    def _end(self, reason: str) -> None:
        self._ending = reason
        self._awaited = 0
        self._rouse()

    def _rouse(self) -> None:
        if not self._closed:  # the descriptor may be somebody else's by then
            self._wake.set()

    def _break(self, reason: str) -> None:
        """Nothing more can be sent."""
        self._broken = True
        self._stuck = self._gathered = b""
        self._outbox.clear()
        self._queued = 0
        if not self._ending:
            self._end(reason)

    # -- the handler thread ----------------------------------------------------------------------------------

    def shake_hands(self) -> int:
        """Go on with the transport's handshake; see there. Afterwards lines can be sent. Raises OSError."""
        with self._lock:
            event = self._transport.shake_hands()
            self._open = not event
        return event

    def poll(self, event: int, timeout: float) -> bool:
        """Wait for a poll event, for room for what waits to be sent, or to be woken, at most so many seconds.

        Tells whether the client spoke. A broken connection counts as speaking: `receive` then says so.
        """
        if self._queued or self._transport.wants_to_write:
            event |= select.POLLOUT
        if event != self._polled_for:
            self._poller.register(self._transport.fileno(), event)
            self._polled_for = event
        wake = self._wake.fileno()
        spoke = False
        for descriptor, found in self._poller.poll(max(0.0, timeout) * 1000):
            if descriptor == wake:
                self._wake.drain()
            else:
                spoke = bool(found & ~select.POLLOUT)
        return spoke

    def limit_outbox(self, size: int) -> None:
        """How many bytes may wait to be sent from now on."""
        self._outbox_limit = size

    def hold_announcements(self) -> None:
        """Keep announcements back until `release`."""
        self._held = []

    def release(self, first: bytes) -> None:
        """Send a reply, then the announcements that came meanwhile, then each as it comes."""
        with self._lock:
            held, self._held = self._held or [], None
            self._put(b"".join([first, *held]))

    def wait(self) -> int:
        """Await a reply from somewhere else. Returns the ticket for `say` and `complete`."""
        with self._lock:
            self._tickets += 1
            self._awaited = self._tickets
            return self._tickets

    def receive(self) -> bytes | None:
        """What the client sent; empty when nothing will come any more, None if there is nothing now."""
        try:
            if not self._transport.one_at_a_time:
                return self._transport.receive()
            with self._lock:
                return self._transport.receive()
        except OSError as error:
            with self._lock:
                self._break(f"connection lost: {error.strerror or error}")
            return b""

    def pending(self) -> bool:
        """Whether there is something to receive that `poll` does not know of."""
        return self._transport.pending()

    def finish(self) -> None:
        """Send the last lines, as far as the client takes them in `LINGER` seconds, and close the socket."""
        deadline = time.monotonic() + (0.0 if self._at_once else LINGER)
        self._ending = self._ending or "closed"
        try:
            while self._queued and (left := deadline - time.monotonic()) > 0:
                self.poll(0, left)
                self.flush()
            if self._open and not self._broken:
                self._hang_up(deadline)
        except OSError:
            pass  # the client was quicker
        with self._lock:
            self._closed = True
            self._transport.close()
            self._wake.close()

    def _hang_up(self, deadline: float) -> None:
        """Say that nothing follows, and wait for the client to say so too."""
        with self._lock:
            self._transport.end()
        while (left := deadline - time.monotonic()) > 0:
            if self.poll(select.POLLIN, left) and self.receive() == b"":
                break

    def flush(self) -> None:
        """Send what waits, as far as it is taken now."""
        while self._queued and self._flush_chunk():
            pass

    def _flush_chunk(self) -> bool:
        with self._lock:
            if not self._stuck:
                self._stuck = self._next_chunk()
            try:
                taken = self._transport.send(self._stuck)
            except OSError as error:
                self._break(f"connection lost: {error.strerror or error}")
                return False
            self._stuck = self._stuck[taken:]
            self._queued -= taken
            return taken > 0

    def _next_chunk(self) -> bytes:
        size = count = 0
        for line in self._outbox:
            size += len(line)
            count += 1
            if size >= SENT_AT_ONCE:
                break
        chunk = b"".join(self._outbox[:count])
        del self._outbox[:count]
        return chunk
