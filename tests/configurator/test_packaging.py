"""What is shipped with the code fits it: migrations, translations, documentation."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from lxml import etree

import configurator
from configurator import cli
from configurator.checks import translation
from schemas.sentences import verbatim
from schemas.server.missing_rights import MissingRight

ROOT = Path(configurator.__file__).parent
PO = ROOT / "locale" / "it" / "LC_MESSAGES" / "django.po"


CONTEXT_END = "\x04"
"""Between context and text, as gettext has it."""


def messages_of(po: str) -> dict[str, str]:
    """msgid, behind its context if it has one, and (first) msgstr of each entry, unquoted."""
    found = {}
    for entry in po.split("\n\n")[1:]:
        parts: dict[str, str] = {}
        key = ""
        for line in entry.splitlines():
            match = re.match(r'(msg\w+(?:\[0\])?) "(.*)"$', line)
            if match:
                key = match[1]
                parts[key] = match[2]
            elif line.startswith('"'):
                parts[key] += line[1:-1]
        if "msgid" in parts:
            context = f"{parts['msgctxt']}{CONTEXT_END}" if "msgctxt" in parts else ""
            found[context + parts["msgid"]] = parts.get("msgstr", parts.get("msgstr[0]", ""))
    return {unquoted(text): unquoted(said) for text, said in found.items()}


def unquoted(text: str) -> str:
    """A string of a catalogue as it is in the program."""
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def test_migrations_make_the_tables_that_the_models_describe() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_text_has_its_italian() -> None:
    messages = messages_of(PO.read_text(encoding="utf-8"))
    assert len(messages) > 250
    assert [text for text, said in messages.items() if not said] == []
    with PO.with_suffix(".mo").open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    shown = {text: {compiled.gettext(text), compiled.ngettext(text, text, 1)} for text in messages}
    assert [text for text, said in messages.items() if said not in shown[text]] == []


def sentences_of_the_checks() -> set[str]:
    """Every template of `schemas` that a configuration's file or form can meet."""
    found = set(translation.FORM_SENTENCES.values())
    for path in (ROOT.parent / "schemas").rglob("*.py"):
        if path.parent.name == "server":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: not written out"
                found.add(node.args[0].value)
    documentation = "{http://www.w3.org/2001/XMLSchema}documentation"
    schema = etree.parse(ROOT.parent / "schemas" / "configuration.xsd")
    texts = [" ".join((node.text or "").split()) for node in schema.iter(documentation)]
    rights = {right.value for right in MissingRight}
    return found | rights | {verbatim(text).template for text in texts}


def test_everything_that_the_servers_checks_say_has_its_italian() -> None:
    messages = messages_of(PO.read_text(encoding="utf-8"))
    templates = sentences_of_the_checks()
    assert len(templates) > 140
    assert sorted(template for template in templates if template not in messages) == []
    fields = re.compile(r"(?<!\{)\{(?:\{\{)?(\w+)")
    for template in templates:
        assert set(fields.findall(messages[template])) == set(fields.findall(template)), template


TRANSLATING = ("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext")
WITH_CONTEXT = ("pgettext", "pgettext_lazy")


def test_every_sentence_of_the_code_has_its_italian() -> None:
    messages = messages_of(PO.read_text(encoding="utf-8"))
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATING:
                found |= {str(first.value) for first in node.args[:1] if isinstance(first, ast.Constant)}
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in WITH_CONTEXT
            ):
                found.add(CONTEXT_END.join(ast.literal_eval(part) for part in node.args[:2]))
    assert len(found) > 150
    assert sorted(found - set(messages)) == []


@pytest.mark.parametrize("template", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_every_word_of_a_template_can_be_translated(template: Path) -> None:
    messages = messages_of(PO.read_text(encoding="utf-8"))
    said = re.findall(r"""{% translate ("|')(.*?)\1""", template.read_text(encoding="utf-8"))
    assert [text for _, text in said if text not in messages] == []


BLOCK = re.compile(r"{% blocktranslate[^%]*%}(.*?){% (?:plural|endblocktranslate) %}", re.DOTALL)


@pytest.mark.parametrize(
    "template",
    sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")),
    ids=lambda path: path.name,
)
def test_every_sentence_with_values_of_a_template_can_be_translated(template: Path) -> None:
    messages = messages_of(PO.read_text(encoding="utf-8"))
    text = template.read_text(encoding="utf-8")
    said = [re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in BLOCK.findall(text)]
    if template.suffix == ".txt":
        said += re.findall(r"""{% translate "(.*?)\"""", text)
    assert [sentence for sentence in said if sentence not in messages] == []


def test_every_option_and_command_is_documented() -> None:
    documented = (ROOT.parent / "docs" / "configurator.md").read_text(encoding="utf-8")
    names = [name for option in cli.main.params for name in option.opts] + list(cli.main.commands)
    assert [name for name in names if f"`{name}" not in documented] == []
