"""From the welcome to the seat: USER, PASS, MAC; and the commands that any client may give."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from astcti_server.audit.entries import AuditAction
from astcti_server.clients import addresses, config_enforcement, replies
from astcti_server.clients.commands import parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.login_protection import stand_in_password
from astcti_server.clients.ports import NotCarriedOut, Presence, ResumePoint
from schemas.configuration.model import Configuration, Operator, Seat
from schemas.log_repeats import counted_by
from schemas.protocol import ByeReason, CommandName, Refusal
from schemas.wire import BadLine

logger = logging.getLogger(__name__)


@command(CommandName.NOOP, stage="any")
def keep_alive(conversation: Conversation) -> bytes:
    """`NOOP`: I am still here."""
    return replies.OK


@command(CommandName.QUIT, stage="any")
def leave(conversation: Conversation) -> None:
    """`QUIT`: `900 OK`, and the connection is closed."""
    session = conversation.session
    if session.presence is not None:
        conversation.context.requests.logged_out(session.presence.session_id)
    session.close("quit", replies.LOGGED_OUT, for_good=True)


@command(CommandName.CAPA, stage="any")
def tell_capabilities(conversation: Conversation) -> bytes:
    """`CAPA`: what this server can do beside the specification."""
    return replies.capabilities(conversation.context.requests.settings().clients.keep_alive)


@command(CommandName.WHO, stage="logged-in")
def tell_operator(conversation: Conversation) -> bytes:
    """`WHO`: user name, extension (`-` without a seat) and full name, for the client's window."""
    operator = conversation.session.operator
    assert operator is not None  # the command's stage says so
    return replies.operator(operator.username, conversation.session.extension, operator.full_name)


@command(CommandName.USER, parameters.word, stage="before-login")
def take_username(conversation: Conversation, username: str) -> bytes:
    """`USER name`: always `100 OK`, so that nobody learns who exists."""
    conversation.user_named(username)
    return replies.OK


@command(CommandName.PASS, parameters.password_hash, stage="before-login")
def check_password(conversation: Conversation, md5_hex: str) -> None:
    """`PASS md5`: `102 OK`, or `101 KO reason`, after a while if it follows failures."""
    if not conversation.login_name:
        raise BadLine(Refusal.USER_FIRST.text())
    username = conversation.login_name
    attempt(conversation, username, partial(_log_in, conversation, username, md5_hex))


@command(CommandName.MAC, parameters.mac, stage="any")
def take_mac(conversation: Conversation, address: str) -> bytes | None:
    """`MAC 00:11:22:33:44:55`: `100 OK` and the extension of this seat."""
    session, context = conversation.session, conversation.context
    configuration = context.requests.configuration()
    seat = _seat(configuration, address, session.address)
    if not session.username:
        conversation.seat_named(address)
        return replies.seat_known(seat.extension)
    if session.seat is not None:
        if session.seat.mac != address:
            raise NotCarriedOut(Refusal.ALREADY_SEATED, extension=session.extension)
        return replies.seat_known(session.extension)
    operator = configuration.operator_by_username.get(session.username)
    if operator is None or operator.seat not in ("", address):
        raise NotCarriedOut(Refusal.NOT_YOUR_SEAT)
    conversation.seat_named(address)
    _enter(conversation, configuration, operator, seat, replies.seat_known(seat.extension))
    return None


def attempt(conversation: Conversation, username: str, judge: Callable[[], None]) -> None:
    """Look at a password, or at a proof of it: at once, or after a while if it follows failures."""
    delay = conversation.context.login_throttle.begin(conversation.session.address, username)
    if delay > 0:  # this client waits, not its thread: that has the keep-alive and the stop to look after
        conversation.later(delay, judge)
    else:
        judge()


def refuse(conversation: Conversation, username: str) -> None:
    """Nobody has this name, or not this password: `101 KO`, and the end after too many of these."""
    session, context = conversation.session, conversation.context
    context.login_throttle.failed(session.address, username)
    source = counted_by(addresses.network(session.address))
    logger.warning(
        "%s: failed login of %r from %s", session.name, username[:80], session.address, extra=source
    )
    text = Refusal.WRONG_PASSWORD.text()
    conversation.record(AuditAction.LOGIN_FAILED, user=username[:80], why=text)
    reply = replies.refused(text)
    if conversation.login_failed() < context.requests.settings().clients.login_failures:
        session.send(reply)
    else:
        session.close("too many failed logins", reply)


def admit(conversation: Conversation, configuration: Configuration, operator: Operator, reply: bytes) -> None:
    """The password was right, by this configuration. Raises NotCarriedOut if the seat is another's."""
    session, context = conversation.session, conversation.context
    context.login_throttle.succeeded(session.address, operator.username)
    try:
        seat = _seat_for(conversation, configuration, operator)
    except NotCarriedOut as refused:
        conversation.record(AuditAction.LOGIN_FAILED, user=operator.username, why=str(refused))
        raise
    _enter(conversation, configuration, operator, seat, reply)


def _log_in(conversation: Conversation, username: str, md5_hex: str) -> None:
    context = conversation.context
    configuration = context.requests.configuration()
    operator = configuration.operator_by_username.get(username)
    known = operator if operator is not None and operator.enabled else None
    stored = known.password if known else stand_in_password(configuration, username)
    judged = partial(_judged, conversation, username, configuration, known)
    if (matches := context.passwords.matches_at_once(stored, md5_hex)) is not None:
        judged(matches)
    else:
        conversation.compute(username, partial(context.passwords.matches, stored, md5_hex), judged)


def _judged(
    conversation: Conversation,
    username: str,
    configuration: Configuration,
    known: Operator | None,
    matches: bool,
) -> None:
    """Go on with a login once it is known whether the password was right, by this configuration."""
    if known is None or not matches:
        refuse(conversation, username)
    else:
        admit(conversation, configuration, known, replies.LOGGED_IN)


def _seat_for(conversation: Conversation, configuration: Configuration, operator: Operator) -> Seat | None:
    """The seat that an operator gets: the own one, else the one of this PC, if that is known yet."""
    if operator.seat and conversation.mac not in ("", operator.seat):
        raise NotCarriedOut(Refusal.NOT_YOUR_SEAT)
    address = operator.seat or conversation.mac
    return _seat(configuration, address, conversation.session.address) if address else None


def _seat(configuration: Configuration, mac_address: str, peer: str) -> Seat:
    seat = configuration.seat_by_mac.get(mac_address)
    if seat is None:
        raise NotCarriedOut(Refusal.UNKNOWN_SEAT)
    if seat.address and not addresses.same(seat.address, peer):
        raise NotCarriedOut(Refusal.WRONG_ADDRESS)
    return seat


def _enter(
    conversation: Conversation,
    configuration: Configuration,
    operator: Operator,
    seat: Seat | None,
    reply: bytes,
) -> None:
    """The operator is known, perhaps the seat too: into the registry, then the reply, then the queues."""
    session, context = conversation.session, conversation.context
    # Once in the registry the session hears announcements of other threads. They come after the reply.
    session.hold_announcements()
    first = not session.username
    session.logged_in(operator, seat)
    displaced = context.registry.take(session)
    conversation.record(AuditAction.LOGIN if first else AuditAction.SEAT)
    session.release(reply + replies.PBX_DOWN if first and not context.requests.pbx_up() else reply)
    if seat:
        presence = _presence(session.id, operator, seat, session.resume)
        session.seated(presence)
        context.requests.arrived(presence)
    for other in displaced:  # after the arrival, so that the operator's place in the queues passes on
        text = Refusal.TAKEN_OVER.text(username=operator.username, address=session.address)
        other.close(f"taken over by {session.name}", replies.bye(ByeReason.TAKEOVER, text), for_good=True)
    # A reload in the meantime went through the sessions of the registry, perhaps before this one was there.
    in_force = context.requests.configuration()
    if in_force is not configuration:
        config_enforcement.review(session, configuration, in_force)


def _presence(session_id: int, operator: Operator, seat: Seat, resume: ResumePoint | None) -> Presence:
    interface = seat.queue_interface or seat.extension
    return Presence(
        session_id,
        operator.username,
        operator.full_name,
        seat.extension,
        interface,
        seat.state_interface,
        operator.begin_in_pause,
        resume,
    )
