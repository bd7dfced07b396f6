"""The one application of this project."""

from importlib import import_module

from django.apps import AppConfig


class ConfiguratorApp(AppConfig):
    """AsteriskCTI's Configurator."""

    name = "configurator"
    label = "configurator"
    verbose_name = "AsteriskCTI Configurator"

    def ready(self) -> None:
        """Let logins be noted, whoever logs in first, and every connection know the order of names."""
        import_module("configurator.users.authentication")
        import_module("configurator.database.text_order")
