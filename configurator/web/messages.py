"""What a page says once after something was done."""

from __future__ import annotations

from typing import Literal

from django.contrib import messages
from django.http import HttpRequest

LEVELS = {"done": messages.SUCCESS, "error": messages.ERROR}


def say(request: HttpRequest, what: Literal["done", "error"], message: str) -> None:
    """Show a message on the next page."""
    messages.add_message(request, LEVELS[what], message)
