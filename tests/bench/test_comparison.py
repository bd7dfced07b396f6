"""Two versions of the server are compared as the programs that they are, from wherever they come."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.bench.processes.server_process import PROJECT
from tests.bench.processes.source_tree import NoSuchVersion, name_of_tree, source_tree
from tests.fake.patience import PATIENCE


def run_bench(results: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--results", str(results), *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )


def test_a_comparison_measures_processor_time_and_notifications_of_both_versions(tmp_path: Path) -> None:
    old = tmp_path / "old"
    for package in ("astcti_server", "schemas"):
        shutil.copytree(PROJECT / package, old / package, ignore=shutil.ignore_patterns("__pycache__"))

    done = run_bench(tmp_path / "results", "compare", "--pairs", "1", "--mix", "modern", str(old))

    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (tmp_path / "results").glob("*.json")
    (scenario,) = json.loads(file.read_text())["scenarios"]
    figures = {figure["what"]: figure["median"] for figure in scenario["figures"]}
    assert list(figures) == [
        "processor time an event",
        "time an event",
        "a notification, p50",
        "a notification, p99",
    ]
    assert min(figures.values()) > 0


def test_a_version_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    done = run_bench(tmp_path, "compare", "no-such-revision")

    assert done.returncode == 2
    assert "no-such-revision" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_is_taken_as_it_is() -> None:
    with source_tree(str(PROJECT)) as tree:
        assert tree == PROJECT


def test_an_environment_is_looked_through_for_the_installed_packages(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "astcti_server").mkdir(parents=True)

    with source_tree(str(tmp_path)) as tree:
        assert tree == packages


def write_wheel(path: Path, tag: str) -> Path:
    """A wheel with an empty server in it, for the Pythons that the tag names."""
    wheel = path / f"asteriskcti-9.9-{tag}.whl"
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: asteriskcti\nVersion: 9.9\nRequires-Dist: no-such-thing\n",
        "WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("astcti_server/__init__.py", "built")
        for name, text in about.items():
            archive.writestr(f"asteriskcti-9.9.dist-info/{name}", text)
    return wheel


def test_a_wheel_is_installed_without_what_it_needs_and_removed_again(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "py3-none-any")

    with source_tree(str(wheel)) as tree:
        assert (tree / "astcti_server" / "__init__.py").read_text() == "built"
    assert not tree.exists()


def test_a_wheel_for_another_python_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "cp27-cp27m-win32")

    with pytest.raises(NoSuchVersion, match="not a supported wheel"), source_tree(str(wheel)):
        pass


def git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example"]
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


def test_a_revision_is_unpacked_and_removed_again(tmp_path: Path) -> None:
    git(tmp_path, "init")
    module = tmp_path / "astcti_server" / "__init__.py"
    module.parent.mkdir()
    module.write_text("old")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "old")
    module.write_text("new")

    with source_tree("HEAD", repository=tmp_path) as tree:
        assert (tree / "astcti_server" / "__init__.py").read_text() == "old"
    assert not tree.exists()
    assert name_of_tree(tmp_path).endswith("-dirty")


def test_what_is_neither_a_folder_nor_a_revision_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init")
    with pytest.raises(NoSuchVersion, match="nothing"), source_tree("nothing", repository=tmp_path):
        pass


def test_a_tree_without_a_repository_is_called_by_its_path(tmp_path: Path) -> None:
    assert name_of_tree(tmp_path) == str(tmp_path)
