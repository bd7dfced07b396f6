"""What the server's checks say, in the language of the page.

The sentences come from `schemas` in English; those known here have a translation, the others stay as they
are. Sentences with a value in them are recognised by their shape.
"""

from __future__ import annotations

import re

from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop

PLAIN = (
    gettext_noop("is empty"),
    gettext_noop("contains a line break or another control character"),
    gettext_noop("contains a control character"),
    gettext_noop("contains a blank"),
    gettext_noop("is longer than 200 characters"),
    gettext_noop("is longer than 4096 characters"),
    gettext_noop("contains one of , | & ; \" which no name of Asterisk's configuration has"),
    gettext_noop("begins with an underscore: write the name as it reads after inheritance, without any"),
    gettext_noop("is no name of a dialplan variable (letters, digits, _ . - and a letter first)"),
    gettext_noop("has to be Asterisk's device, technology/name, such as PJSIP/201"),
    gettext_noop("has to be a queue member as Asterisk writes it, such as PJSIP/201 or Local/201@agents/n"),
    gettext_noop("has to be a device as Asterisk writes it, such as PJSIP/201 or hint:201@phones"),
    gettext_noop("has to be a single IP address, such as 192.0.2.10"),
    gettext_noop("is wrong: a MAC address is six pairs of hexadecimal digits, such as 00:11:22:33:44:55"),
    gettext_noop("END ends the list of reasons: choose another word"),
    gettext_noop("the URL is empty"),
    gettext_noop("the URL has to begin with http:// or https:// and a host, written out"),
    gettext_noop("the host of the URL has to be written out: placeholders may stand after the first slash"),
    gettext_noop("the URL has no valid host: write https://host/ or https://host:port/ (no user name in it)"),
    gettext_noop("the port of the URL has to be from 1 to 65535"),
    gettext_noop(
        "the URL contains a blank, a backslash or another character that URLs do not have: percent-encode it"
    ),
    gettext_noop("a double quote of the parameters is never closed"),
    gettext_noop("a brace that begins no {NAME} has to be written {{"),
    gettext_noop(
        ".bat and .cmd files are not run, since Windows hands them and the call's data to a shell: "
        "name the program itself"
    ),
    gettext_noop(
        "call data may not decide which program runs: write the application without a placeholder "
        "and use <parameters>"
    ),
    gettext_noop("is-queue says that the service has a queue: name it with queue-name"),
    gettext_noop("an outbound service has no queue: remove is-queue and queue-name"),
    gettext_noop("an outbound service has no queue, so an operator has no penalty in it: remove it"),
    gettext_noop("queue-name has no effect without is-queue"),
    gettext_noop("the URL carries call data unencrypted: use https:// if the site has it"),
)

SHAPES = (
    (
        re.compile(r"\{(?P<name>[^}]+)\} stands for nothing: .*", re.DOTALL),
        gettext_noop(
            "{%(name)s} stands for nothing: assign this variable to the service, or write {{ for a brace"
        ),
    ),
    (
        re.compile(r"is wrong: (?P<mac>\S+) belongs to no network card"),
        gettext_noop("%(mac)s belongs to no network card"),
    ),
    (
        re.compile(r"has to be written as Asterisk does, (?P<device>.+)"),
        gettext_noop("has to be written as Asterisk does, %(device)s"),
    ),
    (
        re.compile(r"operator (?P<name>.+) has the empty password"),
        gettext_noop("operator %(name)s has the empty password"),
    ),
    (
        re.compile(r"MAC (?P<value>\S+) already belongs to the seat in (?P<where>.+)"),
        gettext_noop("MAC %(value)s already belongs to seat %(where)s"),
    ),
    (
        re.compile(r"extension (?P<value>\S+) already belongs to the seat in (?P<where>.+)"),
        gettext_noop("extension %(value)s already belongs to seat %(where)s"),
    ),
    (
        re.compile(r"queue interface (?P<value>\S+) already belongs to the seat in (?P<where>.+)"),
        gettext_noop("queue interface %(value)s already belongs to seat %(where)s"),
    ),
    (
        re.compile(r"user name (?P<value>\S+) already belongs to the operator in (?P<where>.+)"),
        gettext_noop("user name %(value)s already belongs to operator %(where)s"),
    ),
    (
        re.compile(
            r"context (?P<context>\S+), queue (?P<queue>\S+) already belong to the service in (?P<where>.+)"
        ),
        gettext_noop("context %(context)s, queue %(queue)s already belong to service %(where)s"),
    ),
    (
        re.compile(
            r"context (?P<context>\S+) already belongs to the service in (?P<where>.+): services may .*"
        ),
        gettext_noop(
            "context %(context)s already belongs to service %(where)s: services may share a context only if "
            "their queues differ"
        ),
    ),
    (
        re.compile(r"queue (?P<queue>\S+) also belongs to .*: an operator of both .*"),
        gettext_noop(
            "queue %(queue)s also belongs to another service: an operator of both joins it once, "
            "with the lowest penalty"
        ),
    ),
    (
        re.compile(r"the service in .* has the same name: .*"),
        gettext_noop("another service has the same name: operators cannot tell the two apart"),
    ),
    (
        re.compile(r"\{(?P<name>[^}]+)\} is the built-in value, not this service's variable .*"),
        gettext_noop("{%(name)s} is the built-in value, not this service's variable: rename the variable"),
    ),
)


def words(message: str) -> str:
    """Translate one sentence of the server's checks into the language of this request."""
    if message in PLAIN:
        return gettext(message)
    for pattern, sentence in SHAPES:
        match = pattern.fullmatch(message)
        if match:
            return gettext(sentence) % match.groupdict()
    return message


def capital(message: str) -> str:
    """A sentence with a capital letter, to stand alone at a field."""
    return message[:1].upper() + message[1:]


def sentence(message: str) -> str:
    """Translate, and begin with a capital letter."""
    return capital(words(message))


translated = lazy(sentence, str)
"""The same, put into words only when it is shown."""
