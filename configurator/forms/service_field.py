"""A service by what is typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from configurator import models
from configurator.forms.suggested import SuggestedInput
from configurator.importing.service_words import ServiceNames, full_name


class ServiceInput(SuggestedInput):
    """Its name with the queue or context: several may have one name."""

    kind = "services"

    def name_of(self, row: int) -> str:
        """Its full name."""
        service = models.Service.objects.filter(pk=row).first()
        return full_name(service) if service else ""


class ServiceField(forms.CharField):
    """A service as it is suggested, or a name, queue or context of one alone. Cleans to a `Service`."""

    widget = ServiceInput

    def __init__(self, **named: Any) -> None:
        super().__init__(max_length=200, **{"label": _("Service"), **named})

    def clean(self, value: Any) -> models.Service | None:
        """Find it. ValidationError where there is none, or more than one."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return ServiceNames().find(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
