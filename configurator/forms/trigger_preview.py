"""What a trigger would do for a sample call, filled in by the code that the server uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from configurator.checks.translation import capitalized, translated_for_form
from schemas import placeholders
from schemas.configuration.model import Trigger
from schemas.configuration.triggers import check_trigger

SAMPLES = {
    "CALLERID": "3331234567",
    "CALLERIDNAME": "Anna Verdi",
    "CONTEXT": "astctidemo",
    "SERVICE": "Demo",
    "QUEUE": "astcti",
    "EXTEN": "101",
    "CHANNEL": "PJSIP/201-00000001",
    "UNIQUEID": "1795430727.1",
    "LINKEDID": "1795430724.0",
    "OPERATOR": "mario",
    "EXTENSION": "PJSIP/201",
    "EVENT": "Link",
}
VARIABLE_SAMPLES = ("12345", "A-2047", "Rossi & Sons", "yes")


class TriggerPreview(NamedTuple):
    """A filled-in trigger, what is wrong with it, and the names it may use."""

    url: str
    arguments: tuple[str, ...]
    errors: tuple[str, ...]
    samples: tuple[tuple[str, str], ...]
    """The placeholders that it uses, with their sample values."""


def preview_trigger(trigger: Trigger, variables: Iterable[str], known: dict[str, str]) -> TriggerPreview:
    """Fill in a trigger. `known` are values of the service itself, such as its name."""
    declared = [name for name in variables if name]
    values = {
        name.upper(): VARIABLE_SAMPLES[index % len(VARIABLE_SAMPLES)] for index, name in enumerate(declared)
    }
    values.update(SAMPLES)
    values.update({name: value for name, value in known.items() if value})
    errors = tuple(capitalized(translated_for_form(message)) for message in check_trigger(trigger, declared))
    if trigger.type == "application":
        names = placeholders.names_in(trigger.parameters)
        arguments = placeholders.expand_parameters(trigger.parameters, values).arguments
        url, arguments = "", (trigger.application, *arguments) if trigger.application else ()
    else:
        names = placeholders.names_in(trigger.url)
        url, arguments = placeholders.expand_url(trigger.url, values).url, ()
    used = tuple((name, values[name]) for name in dict.fromkeys(names) if name in values)
    return TriggerPreview(url, arguments, errors, used)
