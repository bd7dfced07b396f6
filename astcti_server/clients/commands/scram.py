"""`SCRAM`: a login in which neither the password nor its MD5 travels. In place of USER and PASS."""

from __future__ import annotations

from functools import partial

from astcti_server.clients import replies
from astcti_server.clients.commands import login, parameters
from astcti_server.clients.commands.table import command
from astcti_server.clients.conversation import Conversation
from astcti_server.clients.password_checks.scram_keys import ScramEntry
from astcti_server.clients.ports import NotCarriedOut
from schemas import scram
from schemas.protocol import CommandName, Refusal
from schemas.scram import ClientProof, ScramExchange, ScramKeys
from schemas.wire import BadLine


@command(CommandName.SCRAM, parameters.word, stage="before-login")
def log_in_by_scram(conversation: Conversation, message: str) -> bytes | None:
    """`SCRAM client-first`: `106 SCRAM server-first`. `SCRAM client-final`: `102 OK server-final`."""
    try:
        if conversation.scram is None or scram.begins_exchange(message):
            return _begin(conversation, message)
        exchange, entry = conversation.scram
        proof = exchange.read_final(message)
    except scram.ChannelBindingWanted:
        raise BadLine(Refusal.NO_CHANNEL_BINDING.text()) from None
    except scram.BadScram:
        raise BadLine(Refusal.BAD_SCRAM.text()) from None
    conversation.scram_over()  # one proof for each exchange
    username = exchange.username
    login.attempt(conversation, username, partial(_judge, conversation, username, entry, proof))
    return None


def _begin(conversation: Conversation, message: str) -> bytes:
    first = scram.ClientFirst.read(message)
    context = conversation.context
    entry = context.scram.entry(context.requests.configuration(), first.username)
    if entry is None:
        raise NotCarriedOut(Refusal.NO_SCRAM)
    exchange = ScramExchange(first, entry.salt, entry.iterations)
    conversation.scram_begun(exchange, entry)
    return replies.scram(exchange.server_first)


def _judge(conversation: Conversation, username: str, entry: ScramEntry, proof: ClientProof) -> None:
    directory = conversation.context.scram
    judged = partial(_judged, conversation, username, entry, proof)
    if (keys := directory.keys_at_once(entry)) is not None:
        judged(keys)
    else:
        conversation.compute(username, partial(directory.make_keys, entry), judged)


def _judged(
    conversation: Conversation, username: str, entry: ScramEntry, proof: ClientProof, keys: ScramKeys
) -> None:
    context = conversation.context
    final = proof.answer(keys)
    # By what is in force now: since the client's first message there may be another password.
    configuration = context.requests.configuration()
    operator = configuration.operator_by_username.get(username)
    known = operator is not None and operator.enabled
    same = context.scram.entry(configuration, username) == entry
    if operator is None or not (final and known and same):
        login.refuse(conversation, username)
    else:
        login.admit(conversation, configuration, operator, replies.logged_in(final))
