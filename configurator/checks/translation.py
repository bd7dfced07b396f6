"""What the server's checks say, in the language of the page.

The sentences come from `schemas`, in English, each with the template it was made of; the templates are in the
catalogue beside the application's own texts.
"""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop

from schemas.sentences import retold
from schemas.server.missing_rights import MissingRight

FORM_SENTENCES = {
    '{{{name}}} stands for nothing: declare <variable name="{variable}"/> in this service, '
    "or write {{{{ for a brace": gettext_noop(
        "{{{name}}} stands for nothing: assign this variable to the service, or write {{{{ for a brace"
    ),
    "MAC {mac} already belongs to the seat in {where}": gettext_noop(
        "MAC {mac} already belongs to seat {where}"
    ),
    "extension {extension} already belongs to the seat in {where}": gettext_noop(
        "extension {extension} already belongs to seat {where}"
    ),
    "queue interface {interface} already belongs to the seat in {where}": gettext_noop(
        "queue interface {interface} already belongs to seat {where}"
    ),
    "user name {name} already belongs to the operator in {where}": gettext_noop(
        "user name {name} already belongs to operator {where}"
    ),
    "pause reason {name} already stands in {where}": gettext_noop("pause reason {name} is there already"),
    "variable {variable} is already declared in {where} (placeholders ignore the case)": gettext_noop(
        "variable {variable} stands here twice (placeholders ignore the case)"
    ),
    "context {context}, queue {queue} already belong to the service in {where}": gettext_noop(
        "context {context}, queue {queue} already belong to service {where}"
    ),
    "context {context} already belongs to the service in {where}: "
    "services may share a context only if their queues differ": gettext_noop(
        "context {context} already belongs to service {where}: "
        "services may share a context only if their queues differ"
    ),
    "queue {queue} also belongs to the service in {where}: "
    "an operator of both joins it once, with the lowest penalty": gettext_noop(
        "queue {queue} also belongs to another service: "
        "an operator of both joins it once, with the lowest penalty"
    ),
    "the service in {where} has the same name: operators cannot tell the two apart": gettext_noop(
        "another service has the same name: operators cannot tell the two apart"
    ),
    "an outbound service has no queue: remove is-queue and queue-name": gettext_noop(
        "an outbound service has no queue"
    ),
    "is-queue says that the service has a queue: name it with queue-name": gettext_noop(
        "calls wait in a queue: name it"
    ),
    "there is no operator {name!r}: add it to <operators>, or remove it here": gettext_noop(
        "there is no operator {name!r}"
    ),
    "there is no seat with MAC {mac}: add it to <seats>, or remove seat": gettext_noop(
        "there is no seat with MAC {mac}"
    ),
    "a trigger of type {type} opens a URL: remove application and parameters": gettext_noop(
        "a trigger that opens a page has no program and no parameters"
    ),
    "a trigger of type {type} needs the URL to open: <url>https://...</url>": gettext_noop(
        "enter the address to open, such as https://crm.example/"
    ),
    "a trigger of type application has no URL: use type browser to open one": gettext_noop(
        "a trigger that runs a program has no address"
    ),
    "a trigger of type application needs the program: <application>...</application>": gettext_noop(
        "enter the program to run, with its path"
    ),
    "call data may not decide which program runs: write the application without a placeholder "
    "and use <parameters>": gettext_noop(
        "call data may not decide which program runs: write placeholders into the parameters alone"
    ),
    'again has no effect without on="ring"': gettext_noop(
        "“At each ring” has no effect where the moment is another one"
    ),
    "PCs whose own trigger is sent once a minute would open this one, which is for any system, "
    "at the rings in between: write again at both": gettext_noop(
        "PCs whose own trigger is sent once a minute would open this one, which is for any system, "
        "at the rings in between: tick “At each ring” at both"
    ),
    "answer has no effect: only a phone of PJSIP/ or SIP/ can be told to answer": gettext_noop(
        "“Answer in the window” has no effect: only a phone of PJSIP/ or SIP/ can be told to answer"
    ),
    "may-leave has no effect without is-queue": gettext_noop(
        "“Operators may leave the queue” has no effect where calls wait in none"
    ),
    "queue-name has no effect without is-queue": gettext_noop(
        "the queue's name has no effect where calls wait in none"
    ),
    "queue-interface": gettext_noop("the queue interface"),
    "state-interface": gettext_noop("the state interface"),
    "scram": gettext_noop("the key of the password for SCRAM"),
    "scram of operator {name} was made with another salt than password: if it is of an old "
    "password, that still logs in; take both from one run of astcti-server hash-password": gettext_noop(
        "the password of operator {name} and its key for SCRAM were not made together: "
        "an old password may still log in. Set the password anew"
    ),
}
"""What reads otherwise where there is a form instead of a file."""


FIELD_SENTENCES = {
    "is wrong: {reason}": "{reason}",
    "{what} {wrong}: {value!r}": "{wrong}",
    "{what} {wrong}": "{wrong}",
    "{what} is not usable: {wrong}": "{wrong}",
}
"""What need not be said at the field itself: which field it is, and what stands in it."""


def translated_for_field(message: str) -> str:
    """The same to stand at a field."""
    sentences = FORM_SENTENCES | FIELD_SENTENCES
    return retold(message, lambda template: gettext(sentences.get(template, template)))


def translated_for_form(message: str) -> str:
    """Translate one sentence of the server's checks into the language of this request, for a form."""
    return retold(message, lambda template: gettext(FORM_SENTENCES.get(template, template)))


def translated_for_file(message: str) -> str:
    """The same about a file, which has lines and elements."""
    return retold(message, gettext)


def translated_missing_right(text: str) -> str:
    """The same of what the server's status file says that its user in manager.conf lacks."""
    return retold(MissingRight.of(text) or text, gettext)


def capitalized(message: str) -> str:
    """A sentence with a capital letter, to stand alone at a field."""
    return message[:1].upper() + message[1:]


def form_sentence(message: str) -> str:
    """Translate for a field, and begin with a capital letter."""
    return capitalized(translated_for_field(message))


lazy_form_sentence = lazy(form_sentence, str)
"""The same, put into words only when it is shown."""
