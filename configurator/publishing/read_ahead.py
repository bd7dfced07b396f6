"""Reading what pages need after much has changed, by whoever changed it: the next page shall not wait."""

from __future__ import annotations

from configurator import models
from configurator.checks import entry_checks
from configurator.database.text_order import ordered_by
from configurator.publishing import directory_files, working_copy
from configurator.publishing.unpublished import unpublished_count


def read_ahead() -> None:
    """Read and check the entries, count what is not published, look at the file in force. Any thread.

    And learn the names: a list of ten thousand that knew none takes twice its time to put them in order.
    """
    entry_checks.check_everything(working_copy.read_working_copy())
    unpublished_count()
    directory_files.file_in_force()
    for table, field in _LISTED:
        list(table._default_manager.order_by(ordered_by(field)).values_list("pk")[:1])


_LISTED = ((models.Operator, "full_name"), (models.Seat, "extension"), (models.Service, "name"))
"""How the long lists are ordered unless somebody chooses."""
