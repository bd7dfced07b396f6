"""Puts a run's figures into docs/performance.md, and their pictures beside it: `make bench-figures`."""

from __future__ import annotations

from pathlib import Path

import click

from tests.bench.processes.server_process import PROJECT
from tests.bench.publishing.plots import plots
from tests.bench.publishing.run_results import NoRun, newest_run, read_runs
from tests.bench.publishing.tables import with_tables


@click.command()
@click.argument("runs", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--docs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT / "docs",
    help="Folder with performance.md.",
)
def main(runs: tuple[Path, ...], docs: Path) -> None:
    """RUNS are the JSON of a run of the bench, or of several on one machine.

    Without any the last whole one in build/bench is taken. Of quick runs nothing is written.
    """
    try:
        results = read_runs(runs or [newest_run(PROJECT / "build" / "bench")])
        document = docs / "performance.md"
        pictures = dict(plots(results))
        text = with_tables(document.read_text(encoding="utf-8"), results, list(pictures))
    except NoRun as error:
        raise click.ClickException(str(error)) from error
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, svg in pictures.items():
        (folder / name).write_bytes(svg)
    document.write_text(text, encoding="utf-8")
    click.echo(f"Written: {document} and {len(pictures)} pictures in {folder}")


if __name__ == "__main__":
    main()
