"""Which model lives in which of the two files."""

from __future__ import annotations

from typing import Any

CONFIGURATION_MODELS = frozenset(
    {
        "service",
        "variable",
        "trigger",
        "serviceoperator",
        "seat",
        "operator",
        "pausereason",
        "publication",
        "publicationrequest",
        "snapshot",
    }
)
"""Models of the CTI configuration; everything else is about people who manage it."""


class TwoDatabases:
    """Keeps the CTI configuration apart from manager users, sessions and the audit log."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        """The file that a model is in."""
        meta = model._meta
        return _file(meta.app_label, meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_: Any) -> bool:
        """No relation crosses the files."""
        return self.db_for_read(type(one)) == self.db_for_read(type(other))

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: Any) -> bool:
        """Make each table in its own file only."""
        return model_name is not None and db == _file(app_label, model_name)


def _file(app_label: str, model_name: str) -> str:
    return (
        "configuration" if app_label == "configurator" and model_name in CONFIGURATION_MODELS else "default"
    )
