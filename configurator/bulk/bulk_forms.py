"""What an action on many entries has to be told."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from configurator.forms.seat_field import SeatField
from configurator.forms.service_field import ServiceField

HIGHEST_PENALTY = 2147483647


class ServiceOnlyForm(forms.Form):
    """Which service."""

    service = ServiceField()

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.label_suffix = ""


class AssignForm(ServiceOnlyForm):
    """Which service, and with which penalty."""

    penalty = forms.IntegerField(
        label=_("Penalty"), min_value=0, max_value=HIGHEST_PENALTY, required=False, initial=0
    )


class GiveSeatForm(forms.Form):
    """Which seat."""

    seat = SeatField(required=True, label=_("Seat"))
    label_suffix = ""
