"""What is wrong with the triggers of services, in plain words. Pure, standard library only."""

from __future__ import annotations

import re
from collections.abc import Collection

from schemas import placeholders
from schemas.configuration import formats
from schemas.configuration.model import Service, Trigger
from schemas.sentences import said

_LOOPBACK = re.compile(r"http://(?:127\.[0-9.]+|localhost|\[::1\])(?=[:/?#]|$)", re.IGNORECASE)


def check_trigger(trigger: Trigger, declared: Collection[str]) -> list[str]:
    """Return what makes a trigger invalid. `declared` are the variables of its service."""
    if trigger.type == "application":
        return _check_application(trigger, declared)
    errors: list[str] = []
    if trigger.application or trigger.parameters:
        errors.append(
            said("a trigger of type {type} opens a URL: remove application and parameters", type=trigger.type)
        )
    if not trigger.url:
        errors.append(
            said("a trigger of type {type} needs the URL to open: <url>https://...</url>", type=trigger.type)
        )
        return errors
    if len(trigger.url) > formats.LONGEST_TEXT:
        errors.append(said("the URL is longer than {most} characters", most=formats.LONGEST_TEXT))
    return errors + placeholders.check_url_template(trigger.url, declared)


def _check_application(trigger: Trigger, declared: Collection[str]) -> list[str]:
    errors: list[str] = []
    if trigger.url:
        errors.append(said("a trigger of type application has no URL: use type browser to open one"))
    wrong = formats.check_text(trigger.application) or formats.check_lines(trigger.parameters)
    if wrong:
        errors.append(said("a value of the trigger {wrong}", wrong=wrong))
    if not trigger.application:
        errors.append(said("a trigger of type application needs the program: <application>...</application>"))
    elif formats.is_batch_file(trigger.application):
        errors.append(
            said(
                ".bat and .cmd files are not run, since Windows hands them and the call's data to a shell: "
                "name the program itself"
            )
        )
    known = placeholders.BUILT_IN.union(name.upper() for name in declared)
    if known.intersection(placeholders.names_in(trigger.application)):
        errors.append(
            said(
                "call data may not decide which program runs: write the application without a placeholder "
                "and use <parameters>"
            )
        )
    return errors + placeholders.check_parameters_template(trigger.parameters, declared)


def warn_of_trigger(trigger: Trigger, service: Service) -> list[str]:
    """Return what is valid in a trigger, but hardly meant."""
    used = {*placeholders.names_in(trigger.url), *placeholders.names_in(trigger.parameters)}
    warnings: list[str] = [
        said(
            "{{{name}}} is the built-in value, not this service's variable {variable}: rename the variable",
            name=name,
            variable=name.lower(),
        )
        for name in sorted(used & placeholders.BUILT_IN & {name.upper() for name in service.variables})
    ]
    if trigger.url.lower().startswith("http:") and used and not _LOOPBACK.match(trigger.url):
        warnings.append(said("the URL carries call data unencrypted: use https:// if the site has it"))
    if trigger.again and trigger.on != "ring":
        warnings.append(said('again has no effect without on="ring"'))
    elif trigger.again and trigger.os == "any" and _goes_before(trigger, service):
        warnings.append(
            said(
                "PCs whose own trigger is sent once a minute would open this one, which is for any system, "
                "at the rings in between: write again at both"
            )
        )
    return warnings


def _goes_before(trigger: Trigger, service: Service) -> bool:
    """Whether some system has a trigger of its own instead of this one, and that is not sent at each ring."""
    return any(
        other.on == "ring" and other.type == trigger.type and other.os != "any" and not other.again
        for other in service.triggers
    )
