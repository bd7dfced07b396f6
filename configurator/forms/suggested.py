"""Fields for what is typed, while the server suggests: there may be thousands, too many for a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy


class SuggestedInput(forms.TextInput):
    """A text with suggestions that the server finds while one types.

    Its subclass says what is suggested, and how people call a row of the table.
    """

    kind: str
    """`seats` or `services`: the view that suggests them is called `suggest_` and this."""

    def __init__(self) -> None:
        super().__init__(
            attrs={
                "list": f"{self.kind}-found",
                "autocomplete": "off",
                "spellcheck": "false",
                "maxlength": "200",
                "hx-get": reverse_lazy(f"suggest_{self.kind}"),
                "hx-trigger": "input changed delay:200ms, focus once",
                "hx-target": f"#{self.kind}-found",
                "hx-sync": "this:replace",
            }
        )
        self.template_name = "configurator/suggested_input.html"

    def name_of(self, row: int) -> str:
        """What people call this row of the table; empty where there is none."""
        raise NotImplementedError

    def format_value(self, value: Any) -> str:
        """What was typed, or the name of what is stored."""
        return self.name_of(value) if isinstance(value, int) else str(value or "")
