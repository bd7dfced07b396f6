"""MAC addresses are one however they are written."""

import pytest

from schemas.mac_address import canonical


@pytest.mark.parametrize("text", ["00:11:22:AA:bb:cc", "00-11-22-aa-bb-CC"])
def test_dashes_and_case_do_not_matter(text: str) -> None:
    assert canonical(text) == "00:11:22:aa:bb:cc"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:11:22:33:44",
        "00:11:22:33:44:55:66",
        "00:11-22:33:44:55",
        "0g:11:22:33:44:55",
        "001122334455",
        "00:00:00:00:00:00",
        "FF:FF:FF:FF:FF:FF",
        "00:11:22:33:44:55\n",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAC|network card"):
        canonical(text)
