"""Each refusal of the server in the user's language. No Tk, any thread."""

from __future__ import annotations

from astcti_client.ui.i18n import _
from schemas.protocol import Refusal


def refusal_template(refusal: Refusal) -> str:
    """The text; `{seconds}` and the like stand for the values, named as in the refusal's own template."""
    groups = (_of_the_line, _of_the_login, _of_calls, _of_pauses_and_queues, _of_the_end)
    return next(texts[refusal] for texts in (group() for group in groups) if refusal in texts)


def _of_the_line() -> dict[Refusal, str]:
    """What a client of ours never hears, unless its server is of another age."""
    return {
        Refusal.NOT_UTF8: _("the server cannot read the command"),
        Refusal.EMPTY_LINE: _("the command is empty"),
        Refusal.NOT_A_COMMAND: _("this is not a command"),
        Refusal.LINE_TOO_LONG: _("the command is longer than {limit} bytes"),
        Refusal.UNKNOWN_COMMAND: _("the server does not know this command"),
        Refusal.WRONG_PARAMETER_COUNT: _("wrong number of parameters for {command}"),
        Refusal.EMPTY_PARAMETER: _("a part of the command is empty"),
        Refusal.BAD_EXTENSION: _("a telephone number has 1 to 40 of 0-9 A-Z a-z * # +"),
        Refusal.NOT_A_NUMBER: _("this is a place of the dialplan, not a telephone number"),
        Refusal.BAD_PRIORITY: _("a priority is a number from 1 to {highest}"),
        Refusal.BAD_UNIQUEID: _("this does not name a call"),
        Refusal.BAD_MAC: _("this is not a MAC address"),
        Refusal.BAD_PASSWORD_HASH: _("the server cannot read the password"),
        Refusal.BAD_SCRAM: _("the server cannot read the proof of the password"),
        Refusal.NO_CHANNEL_BINDING: _("the server does not tie a log-in to its connection"),
        Refusal.BAD_RESUME: _("the server cannot read what was told before"),
        Refusal.BAD_COLLEAGUES_WORD: _("the server cannot read which colleagues are wanted"),
        Refusal.BAD_QUEUE_WORD: _("the server cannot read whether the queue is joined or left"),
        Refusal.BAD_PAUSE_WORD: _("the server cannot read whether the pause begins or ends"),
        Refusal.USER_FIRST: _("the user name has to come first"),
        Refusal.ALREADY_LOGGED_IN: _("already logged in"),
        Refusal.LOG_IN_FIRST: _("log in first"),
        Refusal.MAC_FIRST: _("the server does not know your seat yet"),
    }


def _of_the_login() -> dict[Refusal, str]:
    return {
        Refusal.TOO_MANY_CLIENTS: _("too many clients are connected"),
        Refusal.TOO_MANY_FROM_ADDRESS: _("too many clients are connected from your address"),
        Refusal.LOGIN_TIME_EXPIRED: _("logging in took too long"),
        Refusal.WRONG_PASSWORD: _("unknown user or wrong password"),
        Refusal.TOO_MANY_LOGINS: _("too many failed log-ins: try again in {seconds} s"),
        Refusal.NO_SCRAM: _("your password has to be sent to this server"),
        Refusal.UNKNOWN_SEAT: _("this PC is not known to the server"),
        Refusal.NOT_YOUR_SEAT: _("this PC is the seat of somebody else"),
        Refusal.WRONG_ADDRESS: _("this seat may only be used from another address"),
        Refusal.ALREADY_SEATED: _("you are at the phone {extension} already"),
    }


def _of_calls() -> dict[Refusal, str]:
    return {
        Refusal.NOT_YOUR_SERVICE: _("this is none of your outbound services"),
        Refusal.PRIORITY_NOT_ALLOWED: _("only priority 1 may be called"),
        Refusal.NOT_FOR_TRANSFERS: _("calls may not be transferred there"),
        Refusal.NOT_TRANSFERRED_OUT: _("calls may not be transferred into this outbound service"),
        Refusal.NO_SUCH_EXTENSION: _("there is no extension {exten} in {context}"),
        Refusal.NOT_YOUR_CALL: _("this is not a call of yours"),
        Refusal.DIALLING_ALREADY: _("a call from your phone is being made already"),
        Refusal.CALL_NOT_KNOWN: _("the server does not know this call any more"),
        Refusal.SERVER_BUSY: _("the server is busy: try again"),
        Refusal.NOBODY_CONNECTED: _("nobody is connected to this call"),
        Refusal.CONSULT_NOT_POSSIBLE: _("the telephone system does not let you ask a colleague"),
        Refusal.CONSULTING: _("you are asking a colleague: hand over or take back first"),
        Refusal.CONSULT_BEGINS: _("the colleague is about to be called: try again in a moment"),
        Refusal.NOT_CONSULTING: _("no colleague is asked about this call"),
        Refusal.COLLEAGUE_NOT_THERE: _("the colleague has not answered"),
        Refusal.TOO_MANY_COMMANDS: _("too many commands: try again in {seconds} s"),
        Refusal.NOT_RINGING: _("this call does not ring at your phone"),
        Refusal.CANNOT_ANSWER: _("your phone cannot be told to answer"),
        Refusal.PBX_DOWN: _("the telephone system is not available"),
        Refusal.PBX_REFUSED: _("the telephone system refused"),
        Refusal.PBX_SLOW: _("the telephone system did not answer within {seconds} seconds"),
        Refusal.PBX_SILENT: _("the telephone system does not answer"),
    }


def _of_pauses_and_queues() -> dict[Refusal, str]:
    return {
        Refusal.ASTERISK_SILENT: _("the telephone system does not answer"),
        Refusal.ASTERISK_REFUSED: _("the telephone system refused"),
        Refusal.NOT_YOUR_QUEUE: _("this is no queue of yours"),
        Refusal.MAY_NOT_LEAVE: _("this queue may not be left"),
        Refusal.FIXED_MEMBER: _("the telephone system itself keeps your phone in this queue"),
        Refusal.NOT_AT_A_SEAT: _("you are not at a seat"),
        Refusal.ANOTHER_REQUEST: _("another request came after it"),
        Refusal.ANOTHER_SESSION: _("another session took over"),
        Refusal.SESSION_OVER: _("the session ended"),
        Refusal.NOT_A_MEMBER: _("the telephone system did not take your phone in"),
        Refusal.STILL_A_MEMBER: _("the telephone system did not let your phone go"),
        Refusal.PAUSE_WITHOUT_EFFECT: _("the pause had no effect"),
    }


def _of_the_end() -> dict[Refusal, str]:
    return {
        Refusal.TAKEN_OVER: _("{username} logged in at {address}"),
        Refusal.OPERATOR_REMOVED: _("this operator was removed"),
        Refusal.OPERATOR_DISABLED: _("this operator was disabled"),
        Refusal.PASSWORD_CHANGED: _("the password changed"),
        Refusal.OPERATOR_HAS_ANOTHER_SEAT: _("you have another seat"),
        Refusal.SEAT_REMOVED: _("the seat was removed"),
        Refusal.EXTENSION_CHANGED: _("the seat has another phone"),
        Refusal.QUEUE_INTERFACE_CHANGED: _("the seat has another queue interface"),
        Refusal.ADDRESS_CHANGED: _("the seat has another address"),
        Refusal.SERVER_STOPS: _("the server stops"),
        Refusal.LOGGED_OUT_BY_ADMINISTRATOR: _("an administrator logged you out"),
        Refusal.KEEP_ALIVE_EXPIRED: _("this client was silent for too long"),
    }
