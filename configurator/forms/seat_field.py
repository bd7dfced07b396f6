"""A seat by what is typed: there may be ten thousand of them, too many to choose from in a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from configurator import models
from schemas import mac_address


class SeatInput(forms.TextInput):
    """A text with suggestions that the server finds while one types."""

    def __init__(self) -> None:
        super().__init__(
            attrs={
                "list": "seat-names",
                "autocomplete": "off",
                "spellcheck": "false",
                "maxlength": "200",
                "hx-get": reverse_lazy("suggest_seats"),
                "hx-trigger": "input changed delay:200ms, focus once",
                "hx-target": "#seat-names",
                "hx-sync": "this:replace",
            }
        )
        self.template_name = "configurator/seat_input.html"

    def format_value(self, value: Any) -> str:
        """The extension, which is how people call a seat."""
        if isinstance(value, int):
            seat = models.Seat.objects.filter(pk=value).first()
            return seat.extension if seat else ""
        return str(value or "")


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
