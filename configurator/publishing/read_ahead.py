"""Reading what pages need after much has changed, by whoever changed it: the next page shall not wait."""

from __future__ import annotations

from configurator.checks import entry_checks
from configurator.publishing import directory_files, working_copy
from configurator.publishing.unpublished import unpublished_count


def read_ahead() -> None:
    """Read and check the entries, count what is not published, look at the file in force. Any thread."""
    entry_checks.check_everything(working_copy.read_working_copy())
    unpublished_count()
    directory_files.file_in_force()
