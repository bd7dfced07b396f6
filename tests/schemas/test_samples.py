"""The sample files are valid, and show and explain every setting there is."""

import re
import shutil
from pathlib import Path

import pytest
from lxml import etree

import schemas
from astcti_server.config.checking import check_directory

SAMPLES = Path(__file__).parents[2] / "astcti_server" / "etc" / "sample"
SECTIONS = {
    "audit",
    "metrics",
    "configuration",
    "server",
    "services",
    "originate",
    "kept-ami",
    "seats",
    "operators",
    "pause-reasons",
    "service",
    "seat",
    "ami",
    "listen",
    "clients",
    "queues",
    "logging",
}
XS = "{http://www.w3.org/2001/XMLSchema}"


def attributes_of(schema: str) -> list[str]:
    """Every attribute and every element that a schema knows."""
    root = etree.parse(str(Path(schemas.__file__).with_name(schema))).getroot()
    return sorted({str(node.get("name")) for tag in ("attribute", "element") for node in root.iter(XS + tag)})


def test_the_samples_together_are_a_valid_directory(tmp_path: Path) -> None:
    directory = tmp_path / "astcti"
    shutil.copytree(SAMPLES, directory)
    tmp_path.chmod(0o750)  # as the configuration directory is; samples are documents, which everybody reads
    report = check_directory(directory)
    assert (report.problems, report.warnings, report.notes) == ((), (), ())
    assert report.in_force == directory / "configuration.xml"


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        *(("configuration.xsd", name) for name in attributes_of("configuration.xsd")),
        *(("server.xsd", name) for name in attributes_of("server.xsd")),
    ],
)
def test_a_setting_is_used_in_the_sample_and_explained_by_a_comment(schema: str, name: str) -> None:
    text = (SAMPLES / schema.replace(".xsd", ".xml")).read_text()
    comments = " ".join(re.findall(r"<!--(.*?)-->", text, re.DOTALL))
    without = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    used = re.search(rf'[\s<]{re.escape(name)}(="|[\s>/])', without)
    if name in ("secret-file", "replaces"):  # in place of the secret; only where much is taken away
        used = re.search(f'{name}="', comments)
    if name == "metrics":  # what is there is on
        used = re.search("<metrics ", comments)
    assert used, f"{name} is not used in the sample"
    if name not in SECTIONS:
        explained = re.search(rf"(^|[\s<,]){re.escape(name)}[\s,=>]", comments, re.MULTILINE)
        assert explained, f"{name} is not explained"
