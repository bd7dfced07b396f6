"""The largest configuration that is promised loads as it was written, in either form."""

from pathlib import Path

import pytest

from astcti_server.config.loading import load_directory
from tests.bench.workload.largest_configuration import largest_configuration, write_configuration


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_ten_thousand_operators_and_a_thousand_services_are_loaded(tmp_path: Path, form: str) -> None:
    configuration = largest_configuration()
    assert (
        load_directory(write_configuration(tmp_path / "etc", form, configuration)).configuration
        == configuration
    )
