"""A seat by what is typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from configurator import models
from configurator.forms.suggested import SuggestedInput
from schemas import mac_address


class SeatInput(SuggestedInput):
    """The extension, which is how people call a seat."""

    kind = "seats"

    def name_of(self, row: int) -> str:
        """Its extension."""
        seat = models.Seat.objects.filter(pk=row).first()
        return seat.extension if seat else ""


class SeatField(forms.CharField):
    """The extension or the MAC address of a seat; empty for none. Cleans to a `Seat` or None."""

    widget = SeatInput

    def __init__(self, **named: Any) -> None:
        super().__init__(max_length=200, **named)

    def clean(self, value: Any) -> models.Seat | None:
        """Find the seat. ValidationError where there is none."""
        text = super().clean(value)
        if not text:
            return None
        seat = models.Seat.objects.filter(extension=text).first()
        if seat is None:
            try:
                seat = models.Seat.objects.filter(mac=mac_address.from_any_form(text)).first()
            except ValueError:
                seat = None
        if seat is None:
            raise ValidationError(_("There is no seat with this extension or MAC address."))
        return seat
