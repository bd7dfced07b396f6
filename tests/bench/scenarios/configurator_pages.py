"""How long people wait who edit the largest configuration that is promised, or a hundredth of it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.configuration import xml_form
from tests.bench.figures import Rounds
from tests.bench.lacking import require_modules
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processor_time import ProcessorMeter
from tests.bench.report import Report
from tests.bench.workload.largest_configuration import (
    OPERATORS,
    SERVICES,
    changed_phones,
    largest_configuration,
)

if TYPE_CHECKING:
    from tests.bench.processes.configurator_process import Answer, ConfiguratorProcess

MODULES = ("django", "django_htmx", "waitress", "whitenoise", "lxml", "click")
PAGE, SAVE, PUBLICATION, TAKE_OVER, MEMORY = 200, 300, 3000, 15_000, 250  # milliseconds, megabytes
GROWTH = 2  # times
PEOPLE = 5
PAUSE = 0.5
"""Seconds that somebody looks at a page before asking for the next one: quicker than anybody works."""
TURNS = 4
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
FIRST_PAGE = "first page for publishing after the start"
TAKING_OVER = {"looking at a configuration to take over": "no", "taking it over": "yes"}
SAVES = {"saving an operator": ("operators", "full_name"), "saving a service": ("services", "name")}
AFTER = "number of changes after {}"
PUBLISHING = "publishing"
COMPARED = ("list of operators", "form of an operator", "form of a service", *SAVES)
"""What shall not grow with the configuration."""
ALL = (*PAGES, *SAVES, *map(AFTER.format, SAVES), PUBLISHING, *TAKING_OVER)
TARGETS = dict.fromkeys(SAVES, SAVE) | dict.fromkeys(TAKING_OVER, TAKE_OVER) | {PUBLISHING: PUBLICATION}
"""Of all others: `PAGE`."""


def configurator(report: Report, *, rounds: tuple[int, int]) -> None:
    """Pages, saves and publications of both sizes in turn. Raises Lacking, ServerFailed."""
    require_modules(MODULES, "configurator")
    found, usage = Rounds(*rounds), {}
    with ExitStack() as running:
        programs = {name: running.enter_context(_program(*size)) for name, size in SIZES.items()}
        for name, program in programs.items():
            operators, services = SIZES[name]
            report.values(
                f"{operators:,} operators and {services:,} services taken over at the first start",
                [program.start],
                "s",
            )
            report.values(f"{FIRST_PAGE}, {operators:,} operators", [program.first_page()], "ms")
            _turn(Rounds(1, 1), name, program, 0)  # the first of each page compiles its template
        for number in found:
            for name, program in programs.items():
                meter = ProcessorMeter({"server": program.pid})
                before = meter.read()
                _turn(found, name, program, number + 1)
                usage[name] = before.until(meter.read())
        together = work_together(programs["large"], PEOPLE)
        memory, most = programs["large"].memory(), programs["large"].memory("VmHWM")
    report_pages(report, found)
    report_together(report, together)
    for name, used in usage.items():
        report.usage(f"{SIZES[name][0]:,} operators, the last round", used)
    report.values("memory at the end", [memory], "MB")
    report.at_most("the most memory there ever was", most, MEMORY, "MB")


def report_pages(report: Report, found: Rounds) -> None:
    """Milliseconds of the large one against their targets, and its work as a ratio to the small one's."""
    for name in ALL:
        taken = report.values(name, found.series[f"large, {name}"], "ms").median
        report.at_most(name, taken, TARGETS.get(name, PAGE), "ms")
    for name in ALL:
        ratios = found.ratios(f"large, {name}, processor time", f"small, {name}, processor time")
        what = f"{name}: processor time, of that with a hundredth"
        if name in COMPARED:
            report.times_at_most(what, ratios, GROWTH)
        else:
            report.values(what, ratios, "times")


def report_together(report: Report, longest: Mapping[str, float]) -> None:
    """How long each kind of request took at most while several people worked."""
    for name, milliseconds in longest.items():
        what = f"{name}, {PEOPLE} people at once, the longest"
        report.at_most(what, milliseconds, TARGETS.get(name, PAGE), "ms")


def work_together(
    program: ConfiguratorProcess, people: int, pause: float = PAUSE, turns: int = TURNS
) -> dict[str, float]:
    """The longest of each kind of request, in milliseconds. Raises ServerFailed.

    Everybody lists, searches, opens a form and saves an operator of their own, again and again; one of them
    publishes instead, and looks at a file to take over, until the others are done.
    """
    everybody = [program, *(program.another_browser() for _ in range(people - 1))]
    taken: dict[str, list[float]] = {}
    begin, done = threading.Barrier(people), threading.Event()
    file = xml_form.dump_xml(changed_phones(program.taken_over))  # not while others measure in this process

    def measure(name: str, ask: Callable[[], Answer], wanted: int) -> Answer:
        answer = ask()
        if answer.status != wanted:
            raise ServerFailed(f"{name}: the Configurator answered {answer.status}\n{program.log}")
        taken.setdefault(name, []).append(answer.milliseconds)
        done.wait(pause)
        return answer

    def work(number: int) -> None:
        browser = everybody[number]
        path = f"/operators/{number}/edit/"
        begin.wait()
        done.wait(pause * number / people)  # they do not all click at once
        for _ in range(turns):
            measure("list of operators", partial(browser.get, "/operators/"), 200)
            measure("search among the operators", partial(browser.get, "/operators/?q=op77", part=True), 200)
            measure("form of an operator", partial(browser.get, path), 200)
            _save(measure, "saving an operator", browser, path, "full_name")

    def publish() -> None:
        begin.wait()
        while True:
            _publish(measure, program, tries=1 + turns * people)
            look = next(iter(TAKING_OVER))
            measure(look, partial(program.upload, file, "no"), 200)
            if done.is_set():
                return

    with ThreadPoolExecutor(people) as pool:
        publishing = pool.submit(publish)
        working = [pool.submit(work, number) for number in range(1, people)]
        try:
            wait(working)
        finally:
            done.set()
        for each in (*working, publishing):
            each.result()
    return {name: max(milliseconds) for name, milliseconds in taken.items()}


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
        measure(AFTER.format(name), partial(program.get, "/publish/badge/", part=True), 200)
    _publish(measure, program)
    _take_over(measure, program)


Measured = Callable[[str, Callable[[], "Answer"], int], "Answer"]


def _save(measure: Measured, name: str, program: ConfiguratorProcess, path: str, field: str) -> None:
    from tests.bench.processes.configurator_process import form_fields

    fields = form_fields(program.get(path).text, field)
    changed = f"{fields[field]} changed"
    measure(name, lambda: program.post(path, fields | {field: changed}), 302)
    if form_fields(program.get(path).text, field)[field] != changed:
        raise ServerFailed(f"{name}: what was saved is not there\n{program.log}")


def _publish(measure: Measured, program: ConfiguratorProcess, *, tries: int = 1) -> None:
    """Look and publish; again if somebody changed something between the two."""
    from tests.bench.processes.configurator_process import form_fields

    there = set(program.publish.iterdir())
    for _ in range(tries):
        fields = form_fields(program.get("/publish/").text, "digest")
        measure(PUBLISHING, partial(program.post, "/publish/now/", fields), 302)
        if set(program.publish.iterdir()) - there:
            return
    raise ServerFailed(f"{PUBLISHING}: no file was published\n{program.log}")


def _take_over(measure: Measured, program: ConfiguratorProcess) -> None:
    from tests.bench.processes.configurator_process import agreement

    wanted = changed_phones(program.taken_over)
    look, store = TAKING_OVER
    seen = agreement(measure(look, partial(program.take_over, wanted, "no"), 200).text)
    measure(store, partial(program.take_over, wanted, seen), 200)
    again = program.take_over(wanted, "no").text
    if "They say the same" not in again:
        raise ServerFailed(f"{store}: what was taken over is not there\n{program.log}")


@contextmanager
def _program(operators: int, services: int) -> Iterator[ConfiguratorProcess]:
    from tests.bench.processes.configurator_process import ConfiguratorProcess

    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as folder:
        program = ConfiguratorProcess(Path(folder), largest_configuration(operators, services))
        try:
            yield program
        finally:
            program.stop()
