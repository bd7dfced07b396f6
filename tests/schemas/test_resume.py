"""What both ends of a resumed session agree about."""

from __future__ import annotations

from dataclasses import replace

from schemas.configuration.model import Trigger
from schemas.resume import EPOCH, trigger_key

PAGE = Trigger("browser", url="https://crm.example/?id={CALLDATA}")


def test_a_key_is_the_same_wherever_its_trigger_stands_and_whenever_it_is_asked_for() -> None:
    assert trigger_key("Sales", PAGE) == trigger_key("Sales", replace(PAGE))
    assert EPOCH.fullmatch(trigger_key("Sales", PAGE))


def test_other_triggers_and_other_services_have_other_keys() -> None:
    others = [
        trigger_key("Support", PAGE),
        trigger_key("Sales", replace(PAGE, on="ring")),
        trigger_key("Sales", replace(PAGE, os="linux")),
        trigger_key("Sales", replace(PAGE, type="internal-browser")),
        trigger_key("Sales", replace(PAGE, url="https://crm.example/")),
        trigger_key("Sales", Trigger("application", application="crm", parameters="x")),
        trigger_key("Sales", Trigger("application", application="crmx", parameters="")),
    ]
    assert len({trigger_key("Sales", PAGE), *others}) == 8
