"""How long people wait who edit the largest configuration that is promised, or a hundredth of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Rounds
from tests.bench.lacking import require_modules
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processor_time import ProcessorMeter
from tests.bench.report import Report
from tests.bench.workload.largest_configuration import OPERATORS, SERVICES, largest_configuration

if TYPE_CHECKING:
    from tests.bench.processes.configurator_process import Answer, ConfiguratorProcess

MODULES = ("django", "django_htmx", "waitress", "whitenoise", "lxml", "click")
PAGE, SAVE, PUBLICATION, MEMORY, GROWTH = 200, 300, 3000, 250, 2  # milliseconds, megabytes, times
SIZES = {"large": (OPERATORS, SERVICES), "small": (OPERATORS // 100, SERVICES // 100)}
PAGES: Mapping[str, tuple[str, bool]] = {
    "list of operators": ("/operators/", False),
    "last page of the list of operators": ("/operators/?page=9999", True),
    "search among the operators": ("/operators/?q=op77", True),
    "list of services": ("/services/", False),
    "list of seats": ("/seats/", False),
    "form of an operator": ("/operators/{operator}/edit/", False),
    "form of a service": ("/services/{service}/edit/", False),
    "audit log": ("/audit/", False),
    "number of changes to publish": ("/publish/badge/", True),
    "page for publishing": ("/publish/", False),
}
"""What is asked for: the address, and whether a part of a page is."""
SAVES = {"saving an operator": ("operators", "full_name"), "saving a service": ("services", "name")}
PUBLISHING = "publishing"
COMPARED = ("list of operators", "form of an operator", "form of a service", *SAVES)


def configurator(report: Report, *, rounds: tuple[int, int]) -> None:
    """Pages, saves and publications of both sizes in turn. Raises Lacking, ServerFailed."""
    require_modules(MODULES, "configurator")
    found, usage = Rounds(*rounds), {}
    with ExitStack() as running:
        programs = {name: running.enter_context(_program(*size)) for name, size in SIZES.items()}
        for name, program in programs.items():
            operators, services = SIZES[name]
            report.values(
                f"{operators:,} operators and {services:,} services taken over", [program.start], "s"
            )
            _turn(Rounds(1, 1), name, program, 0)  # the first of each page compiles its template
        for number in found:
            for name, program in programs.items():
                meter = ProcessorMeter({"server": program.pid})
                before = meter.read()
                _turn(found, name, program, number + 1)
                usage[name] = before.until(meter.read())
        memory, most = programs["large"].memory(), programs["large"].memory("VmHWM")
    report_pages(report, found)
    for name, used in usage.items():
        report.usage(f"{SIZES[name][0]:,} operators, the last round", used)
    report.values("memory at the end", [memory], "MB")
    report.at_most("the most memory there ever was", most, MEMORY, "MB")


def report_pages(report: Report, found: Rounds) -> None:
    """Milliseconds of the large one against their targets, and its work as a ratio to the small one's."""
    for name in (*PAGES, *SAVES, PUBLISHING):
        target = SAVE if name in SAVES else PUBLICATION if name == PUBLISHING else PAGE
        taken = report.values(name, found.series[f"large, {name}"], "ms").median
        report.at_most(name, taken, target, "ms")
    for name in COMPARED:
        ratios = found.ratios(f"large, {name}, processor time", f"small, {name}, processor time")
        report.times_at_most(f"{name}: processor time, of that with a hundredth", ratios, GROWTH)


def _turn(found: Rounds, size: str, program: ConfiguratorProcess, number: int) -> None:
    """Each page once, each save once, and a publication of what was saved."""

    def measure(name: str, ask: Callable[[], Answer], wanted: int) -> Answer:
        answer = ask()
        if answer.status != wanted:
            raise ServerFailed(f"{name}: the Configurator answered {answer.status}\n{program.log}")
        found.add(f"{size}, {name}", answer.milliseconds, settles=False)
        found.add(f"{size}, {name}, processor time", answer.processor, settles=name in COMPARED)
        return answer

    entries = {"operator": 1 + number, "service": 1 + number % SIZES[size][1]}
    for name, (path, part) in PAGES.items():
        measure(name, partial(program.get, path.format(**entries), part=part), 200)
    for name, (section, field) in SAVES.items():
        _save(measure, name, program, f"/{section}/{entries[section[:-1]]}/edit/", field)
    _publish(measure, program)


Measured = Callable[[str, Callable[[], "Answer"], int], "Answer"]


def _save(measure: Measured, name: str, program: ConfiguratorProcess, path: str, field: str) -> None:
    from tests.bench.processes.configurator_process import form_fields

    fields = form_fields(program.get(path).text, field)
    changed = f"{fields[field]} changed"
    measure(name, lambda: program.post(path, fields | {field: changed}), 302)
    if form_fields(program.get(path).text, field)[field] != changed:
        raise ServerFailed(f"{name}: what was saved is not there\n{program.log}")


def _publish(measure: Measured, program: ConfiguratorProcess) -> None:
    from tests.bench.processes.configurator_process import form_fields

    there = set(program.publish.iterdir())
    fields = form_fields(program.get("/publish/").text, "digest")
    measure(PUBLISHING, lambda: program.post("/publish/now/", fields), 302)
    if not set(program.publish.iterdir()) - there:
        raise ServerFailed(f"{PUBLISHING}: no file was published\n{program.log}")


@contextmanager
def _program(operators: int, services: int) -> Iterator[ConfiguratorProcess]:
    from tests.bench.processes.configurator_process import ConfiguratorProcess

    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as folder:
        program = ConfiguratorProcess(Path(folder), largest_configuration(operators, services))
        try:
            yield program
        finally:
            program.stop()
