"""Run by the Python of an environment that has the wheel: import every module, load every file that is data.

Prints a line for each that cannot be loaded. The argument is an empty folder for the Configurator's data.
"""

from __future__ import annotations

import contextlib
import gettext
import importlib
import io
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import astcti_client
import astcti_server
import configurator
import schemas

ABSENT = ("tkinter", "_tkinter", "qtpy", "AppKit", "mozilla_django_oidc", "jwt", "requests")
"""What an environment may be without: Tk is the system's, others come with extras, AppKit is of macOS."""


def module_names() -> Iterator[str]:
    for package in (schemas, astcti_server, astcti_client, configurator):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith(".__main__"):  # runs the program
                yield module.name


def load_modules() -> Iterator[str]:
    for name in module_names():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ABSENT:
                yield f"{name}: {error}"
        except Exception as error:
            if "Display" not in type(error).__name__:  # the tray's library wants a screen to be imported
                yield f"{name}: {error!r}"


def load_schemas() -> Iterator[str]:
    from lxml import etree

    for path in sorted(Path(schemas.__path__[0]).glob("*.xsd")):
        try:
            etree.XMLSchema(etree.parse(path))
        except etree.LxmlError as error:
            yield f"{path}: {error}"


def load_catalogues() -> Iterator[str]:
    for package, domain in ((astcti_client, "ui/locale:astcti"), (configurator, "locale:django")):
        folder, _, name = domain.partition(":")
        catalogues = sorted(Path(package.__path__[0], folder).glob(f"*/LC_MESSAGES/{name}.mo"))
        if not catalogues:
            yield f"{package.__name__}: no catalogue"
        for path in catalogues:
            with path.open("rb") as file:
                if len(gettext.GNUTranslations(file).info()) == 0:
                    yield f"{path}: empty"


def load_templates() -> Iterator[str]:
    from django.template import TemplateSyntaxError
    from django.template.loader import get_template

    folder = Path(configurator.__path__[0], "templates")
    templates = sorted(path for path in folder.rglob("*") if path.is_file())
    if not templates:
        yield "no templates"
    for path in templates:
        try:
            get_template(path.relative_to(folder).as_posix())
        except (TemplateSyntaxError, LookupError) as error:
            yield f"{path}: {error!r}"


def main(data: str) -> None:
    from configurator.commands.data_directory import prepare
    from configurator.options import Options

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        prepare(Options(data=Path(data)))  # says what it makes
    for load in (load_modules, load_schemas, load_catalogues, load_templates):
        for problem in load():
            print(problem)


if __name__ == "__main__":
    main(sys.argv[1])
