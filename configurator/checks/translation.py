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
    "is wrong: {reason}": "{reason}",
}
"""What reads otherwise where there is a form instead of a file."""


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
    """Translate, and begin with a capital letter."""
    return capitalized(translated_for_form(message))


lazy_form_sentence = lazy(form_sentence, str)
"""The same, put into words only when it is shown."""
