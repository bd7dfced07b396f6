"""The one application of this project."""

from django.apps import AppConfig


class ConfiguratorApp(AppConfig):
    """AsteriskCTI's Configurator."""

    name = "configurator"
    label = "configurator"
    verbose_name = "AsteriskCTI Configurator"
