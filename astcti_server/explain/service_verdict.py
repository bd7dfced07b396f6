"""Why no service was found for a call: what it went through, compared with what is configured. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from astcti_server.explain.leg_case import LegCase
from astcti_server.explain.likeness import nearest
from astcti_server.explain.trail import Step
from schemas.configuration.model import Configuration, Service, same_queue
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, listed, unlisted, verdict


def service_verdict(case: LegCase, unmatched: Step) -> ExplanationLine:
    """`unmatched` is the step at which no service was found."""
    at, _code, operator, contexts, queues = unmatched[:5]
    seen = list(dict.fromkeys([*unlisted(contexts), *case.heard.contexts]))
    waited = list(dict.fromkeys([*unlisted(queues), *case.heard.queues]))
    configuration = case.view.configuration_at(at)
    fitting = [service for service in configuration.services if _fits(service, seen, waited)]
    changed = _changed(case, operator, seen, waited)
    if changed is not None:
        return changed
    enabled = [service for service in fitting if service.enabled]
    if enabled:
        return verdict(Verdict.NOT_BOUND, at, case.phone, operator, enabled[-1].name)
    if fitting:
        return verdict(Verdict.SERVICE_DISABLED, at, case.phone, fitting[-1].name)
    if not case.view.dialplan_heard:
        return verdict(Verdict.NO_DIALPLAN_EVENTS, at, case.phone)
    near = _nearest(configuration, seen, waited)
    if near is not None:
        return verdict(Verdict.NEARLY_A_SERVICE, at, case.phone, *near)
    return verdict(Verdict.NO_SERVICE, at, case.phone, listed(seen), listed(waited))


def _fits(service: Service, contexts: Iterable[str], queues: Iterable[str]) -> bool:
    """As `astcti_server.calls.matching` decides, whoever is bound to it."""
    if service.queue:
        return any(same_queue(service.queue, queue) for queue in queues)
    return service.context in contexts


def _changed(case: LegCase, operator: str, contexts: list[str], queues: list[str]) -> ExplanationLine | None:
    """Whether a configuration that came during the call would have found a service."""
    for mark in case.view.between(case.began, case.until):
        if mark.step is not TrailStep.CONFIGURED:
            continue
        offered = case.view.configuration_at(mark.at).services_of(operator)
        before = case.view.configuration_at(case.began).services_of(operator)
        if any(_fits(service, contexts, queues) for service in (*offered, *before)):
            return verdict(Verdict.CONFIGURATION_CHANGED, mark.at, case.phone, round(mark.at - case.began))
    return None


def _nearest(
    configuration: Configuration, contexts: Iterable[str], queues: Iterable[str]
) -> tuple[str, str, str] | None:
    services = configuration.services
    return nearest(queues, (service.queue for service in services if service.queue)) or nearest(
        contexts, (service.context for service in services)
    )
