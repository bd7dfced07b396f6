"""What an action on many entries has to be told."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from configurator.forms.entries import ServiceChoiceField
from configurator.forms.seat_field import SeatField

HIGHEST_PENALTY = 2147483647


class ServiceOnlyForm(forms.Form):
    """Which service."""

    service = ServiceChoiceField()

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.label_suffix = ""
        self.fields["service"].choose_from_all()


class AssignForm(ServiceOnlyForm):
    """Which service, and with which penalty."""

    penalty = forms.IntegerField(
        label=_("Penalty"), min_value=0, max_value=HIGHEST_PENALTY, required=False, initial=0
    )


class GiveSeatForm(forms.Form):
    """Which seat."""

    seat = SeatField(required=True, label=_("Seat"))
    label_suffix = ""
