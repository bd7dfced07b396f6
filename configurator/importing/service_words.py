"""An operator's services in one cell: `sales:1;support:3`, each by a name that means one service."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from configurator import models
from configurator.database.text_order import folded_text
from configurator.publishing import replacement
from configurator.publishing.working_copy import AT_ONCE

HIGHEST_PENALTY = 2147483647
Bindings = dict[int, int]
"""Row of a service, and the penalty."""


def full_name(service: models.Service) -> str:
    """A service with what tells it from others of its name."""
    return f"{service.name} ({service.queue or service.context})"


class ServiceNames:
    """Finds services by their full name, by name, context or queue. Read once, for a whole file."""

    def __init__(self) -> None:
        self._services = {service.pk: service for service in models.Service.objects.order_by("pk")}
        self._named: dict[str, set[int]] = defaultdict(set)
        self._others: dict[str, set[int]] = defaultdict(set)
        self._full: dict[str, set[int]] = defaultdict(set)
        for pk, service in self._services.items():
            self._named[_key(service.name)].add(pk)
            self._full[_key(full_name(service))].add(pk)
            for other in filter(None, (service.context, service.queue)):
                self._others[_key(other)].add(pk)

    def find(self, text: str) -> models.Service:
        """The one service of this name; else of this full name, or of this context or queue. ValueError."""
        every = (self._named, self._full, self._others)
        found = next((kind[_key(text)] for kind in every if _key(text) in kind), set())
        if not found:
            raise ValueError(_("There is no service %(name)s.") % {"name": text[:80]})
        if len(found) > 1:
            message = _("%(name)s means several services: write the queue or the context.")
            raise ValueError(message % {"name": text[:80]})
        return self._services[next(iter(found))]

    def read(self, text: str) -> Bindings:
        """What a cell says. ValueError, with a sentence."""
        found: Bindings = {}
        for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
            name, penalty = _with_penalty(part)
            service = self.find(name)
            if service.pk in found:
                raise ValueError(_("%(name)s stands twice.") % {"name": name[:80]})
            found[service.pk] = penalty if service.queue else 0
        return found

    def write(self, bindings: Iterable[tuple[int, int]]) -> str:
        """A cell that `read` understands."""
        return ";".join(
            f"{self._word_for(pk)}:{penalty}" if self._services[pk].queue else self._word_for(pk)
            for pk, penalty in bindings
        )

    def name_of(self, pk: int) -> str:
        """What people call a service."""
        return self._services[pk].name

    def _word_for(self, pk: int) -> str:
        service = self._services[pk]
        if len(self._named[_key(service.name)]) == 1 and not re.search(r"[;\n]|:\s*\d+$", service.name):
            return service.name
        for word in (service.queue, service.context):
            if word and _key(word) not in self._named and len(self._others[_key(word)]) == 1:
                return word
        return service.name


def _with_penalty(part: str) -> tuple[str, int]:
    name, colon, number = part.rpartition(":")
    if not colon or not re.fullmatch(r"\s*\d{1,10}\s*", number, re.ASCII):
        return part, 0
    if int(number) > HIGHEST_PENALTY:
        raise ValueError(_("A penalty is at most %(most)d.") % {"most": HIGHEST_PENALTY})
    return name.strip(), int(number)


def _key(text: str) -> str:
    return folded_text(text.strip()) or ""


def described(bindings: Bindings, names: ServiceNames) -> tuple[str, ...]:
    """As the audit log and the preview say it."""
    return tuple(f"{names.name_of(pk)} ({penalty})" for pk, penalty in bindings.items())


def store_bindings(wanted: dict[models.Operator, Bindings]) -> set[int]:
    """Make operators' services those, with few statements; returns the services that changed."""
    present: dict[int, dict[int, models.ServiceOperator]] = defaultdict(dict)
    bound = models.ServiceOperator.objects.all()
    if len(wanted) <= AT_ONCE:
        bound = bound.filter(operator__in=wanted)
    for binding in bound:
        present[binding.operator_id][binding.service_id] = binding
    new, gone, other, touched = [], [], [], set()
    for operator, bindings in wanted.items():
        before = present[operator.pk]
        for pk in before.keys() - bindings.keys():
            gone.append(before[pk].pk)
            touched.add(pk)
        for pk, penalty in bindings.items():
            if pk not in before:
                new.append(models.ServiceOperator(service_id=pk, operator=operator, penalty=penalty))
            elif before[pk].penalty != penalty:
                before[pk].penalty = penalty
                other.append(before[pk])
            else:
                continue
            touched.add(pk)
    replacement.remove_rows(models.ServiceOperator, gone)
    models.ServiceOperator.objects.bulk_update(other, ["penalty"], batch_size=AT_ONCE)
    models.ServiceOperator.objects.bulk_create(new, batch_size=AT_ONCE)
    return touched
